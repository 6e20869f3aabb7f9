"""Snippets: inline code that calls a service's library without naming its host."""

from __future__ import annotations

from typing import Final

#: Service -> (how the call begins, its whole pattern). Starting calls only: a page's own code
#: may report events through a queue, which neither loads nor stores anything.
CALLS: Final[dict[str, tuple[tuple[bytes, bytes], ...]]] = {
    "datadog-rum": ((b"DD_RUM", rb"\bDD_RUM\s*(?:\.|&&|\?\.)"),),
    "google-analytics": (
        (b"gtag", rb"\bgtag\s*\(\s*['\"](?:js|config)['\"]"),
        (b"ga(", rb"\bga\(\s*['\"](?:create|send)['\"]"),
    ),
    "google-maps": ((b"google.maps", rb"\bnew\s+google\.maps\.\w"),),
    "google-tag-manager": ((b"gtm.start", rb"gtm\.start"),),
    "hotjar": ((b"_hjSettings", rb"\b_hjSettings\s*="),),
    "hubspot": (
        (b"hbspt.", rb"\bhbspt\.forms\.create\b"),
        (b"_hsq", rb"\b_hsq\.push\b"),
    ),
    "intercom": ((b"Intercom", rb"\bIntercom\s*\(\s*['\"]boot['\"]"),),
    "linkedin-insight": ((b"_linkedin_", rb"\b_linkedin_(?:partner_id|data_partner_ids)\b"),),
    "logrocket": ((b"LogRocket", rb"\bLogRocket\s*(?:\.|&&|\?\.)"),),
    "mailchimp": ((b"mc4wp", rb"\bmc4wp\b"),),
    "meta-pixel": ((b"fbq", rb"\bfbq\s*\(\s*['\"](?:init|track)"),),
    "microsoft-clarity": ((b"clarity", rb"\bclarity\s*\(\s*['\"]"),),
    "new-relic-browser": ((b"NREUM", rb"\bNREUM\b"),),
    "sentry": ((b"Sentry", rb"\bSentry\s*(?:\.|&&|\?\.)\s*(?:init|onLoad)\b"),),
    "twilio-flex": ((b"Twilio", rb"\bTwilio\s*(?:\.|&&|\?\.)"),),
}
#: Larger scripts are the site's own programs: a call among much else does not make them a snippet.
SNIPPET_BYTES: Final = 4_096
