"""Demo pages: which tag stands where, as the demo's own list says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

#: script: runs in document order; async: runs when it arrives (the page's own `async`, or added by
#: an inline snippet); embed: a frame. What scripting switches off (noscript) is no tag.
Kind = Literal["script", "async", "embed"]


@dataclass(frozen=True)
class Tag:
    """One tag of a page: the service it belongs to, what it is, how its address begins."""

    service: str
    kind: Kind
    prefix: str


@dataclass(frozen=True)
class _Site:
    """Tags of every page's head and end, and those of the contact page between them."""

    head: tuple[Tag, ...]
    contact: tuple[Tag, ...]
    end: tuple[Tag, ...]


_ANALYTICS = Tag("google-analytics", "async", "https://www.googletagmanager.com/gtag/js?id=G-DEMO")
_LINKEDIN = Tag(
    "linkedin-insight", "async", "https://snap.licdn.com/li.lms-analytics/insight.min.js"
)
_META = Tag("meta-pixel", "async", "https://connect.facebook.net/en_US/fbevents.js")
_HUBSPOT = Tag("hubspot", "async", "https://js.hs-scripts.com/")
_MAP = Tag("google-maps", "embed", "https://www.google.com/maps/embed?pb=")

_TAGS = {
    "getjenny": _Site(
        head=(_ANALYTICS,),
        contact=(Tag("youtube", "embed", "https://www.youtube-nocookie.com/embed/"),),
        end=(
            _LINKEDIN,
            _HUBSPOT,
            Tag("getjenny-chat", "script", "https://widget-demo.getjenny.com/static/js/main.js"),
        ),
    ),
    "jiminny": _Site(
        head=(
            Tag("new-relic-browser", "script", "https://js-agent.newrelic.com/nr-loader-spa-"),
            Tag("sentry", "script", "https://js.sentry-cdn.com/examplePublicKey.min.js"),
            _ANALYTICS,
            Tag("logrocket", "script", "https://cdn.logrocket.io/LogRocket.min.js"),
            Tag("datadog-rum", "async", "https://www.datadoghq-browser-agent.com/us1/v6/"),
        ),
        contact=(_MAP,),
        end=(
            Tag("intercom", "async", "https://widget.intercom.io/widget/demoapp1"),
            Tag("twilio-flex", "script", "https://media.twiliocdn.com/sdk/js/webchat-v3/"),
        ),
    ),
    "jackbot": _Site(
        head=(
            Tag("google-tag-manager", "async", "https://www.googletagmanager.com/gtm.js?id="),
            _ANALYTICS,
            Tag("hotjar", "async", "https://static.hotjar.com/c/hotjar-"),
            _META,
        ),
        contact=(Tag("vimeo", "embed", "https://player.vimeo.com/video/"),),
        end=(_LINKEDIN,),
    ),
    "smilee": _Site(
        head=(
            _ANALYTICS,
            _META,
            Tag("mailchimp", "async", "https://chimpstatic.com/mcjs-connected/js/users/"),
        ),
        contact=(
            Tag("smilee-chat", "embed", "https://saas.smilee.io/embed/chat?"),
            Tag(
                "mailchimp",
                "script",
                "https://s3.amazonaws.com/downloads.mailchimp.com/js/mc-validate.js",
            ),
        ),
        end=(
            _LINKEDIN,
            Tag("smilee-chat", "script", "https://saas.smilee.io/assets/javascripts/cobrowse.js"),
        ),
    ),
    "ujet": _Site(
        head=(
            _ANALYTICS,
            Tag("microsoft-clarity", "async", "https://www.clarity.ms/tag/"),
            _META,
        ),
        contact=(_MAP,),
        end=(_LINKEDIN, _HUBSPOT),
    ),
}


def tags_of(site: str, page: str) -> list[Tag]:
    """Tags of a page in document order; tests/test_demo.py compares them with the mark-up."""
    tags = _TAGS[site]
    return [*tags.head, *(tags.contact if page == "contact" else ()), *tags.end]


def pages_with(site: str, service: str) -> list[str]:
    """Pages of a site on which the service has a tag."""
    return [
        name for name in ("", "contact") if any(t.service == service for t in tags_of(site, name))
    ]
