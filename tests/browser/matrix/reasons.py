"""Reasons of the gaps: what the engine does before, or instead of, what script can do."""

from __future__ import annotations

from typing import Final

from .case import Engine

READ_AHEAD: Final = (
    "The browser's preload scanner asks for what it reads in the mark-up before any script can "
    "act. The code does not run and stores nothing."
)
FRAME: Final = (
    "The browser opens a connection as soon as its parser meets the frame; what would come over it "
    "is stopped before it is there."
)
LOCATION: Final = (
    "No script may watch an empty frame's location (HTML: [LegacyUnforgeable]). With the strict "
    "gate the request leaves, and no code runs in the frame while anything is refused; not in "
    "Firefox, which loads empty frames a second time, so that the two cannot be told apart."
)
SENT_ON: Final = (
    "This engine does not tell where a frame that has a page is sent next (HTML: the navigate "
    "event)."
)
SHADOW: Final = (
    "A parser that pauses between an element and its shadow root tells no observer of the root. We "
    "look between its steps; a script whose answer is there at once, e.g. from the cache, may run "
    "first. What it then does is held. Seen in some runs only."
)
RESTORED: Final = (
    "Loading the page again, Firefox sends a frame back to where it had been sent, ahead of every "
    "script: a connection is opened, and in some runs the page is asked for. In some runs it opens "
    "one, and asks nothing, as soon as a link or a button that leads there is pressed."
)
SHOWN: Final = (
    "An image that the browser has shown before it takes up again as soon as its parser meets it: "
    "it asks whether the image has changed."
)
MODULE: Final = (
    "The import failed before consent and is tried again on the next page; Firefox, and Safari "
    "before 18.4, have one import map a page, which is the page's own, so there it runs: declare "
    "the module."
)
PAST: Final = "What it answers to is past when consent comes: it runs on the next page."
ICON: Final = "The browser asks for the page's icon at its base address."
OPEN: Final = "Open: declare it."

IN_TEMPLATE: Final = (
    "Firefox reads ahead inside templates, too, and neither `xlink:href` nor the text of a style "
    "sheet can be written in another way: use `href`, and a linked style sheet."
)

#: Why something does nothing without us, beside features that an engine has not.
SILENT: Final[dict[Engine, str]] = {
    "webkit": "It does not know `rel=prefetch`. What `cookieStore` sets it keeps on HTTPS alone, "
    "and these pages come over HTTP."
}

#: What stands in the mark-up and is asked for ahead of every script.
READ_AHEAD_CASES: Final = frozenset(
    [
        "declarative-shadow-deferred",
        "declarative-shadow-image",
        "declarative-shadow-in-late-chunk",
        "declarative-shadow-script",
        "declarative-shadow-style",
        "deferred-in-order",
        "frame-of-the-same-origin",
        "getjenny-chat",
        "google-analytics",
        "google-maps",
        "hubspot",
        "image",
        "image-crossorigin",
        "image-srcset",
        "input-image",
        "library-then-code",
        "logrocket",
        "module-preload",
        "modules-in-order",
        "new-relic",
        "picture",
        "prefetch",
        "preload-fetch",
        "preload-font",
        "preload-image",
        "preload-image-set",
        "preload-script",
        "script",
        "script-async",
        "script-by-base",
        "script-crossorigin",
        "script-defer",
        "script-entities",
        "script-escaped-host",
        "script-in-head",
        "script-in-late-chunk",
        "script-in-svg",
        "script-in-svg-xlink",
        "script-in-table",
        "script-module",
        "script-old-language",
        "script-protocol-relative",
        "script-referrer-policy",
        "script-upper-case",
        "script-upper-case-tag",
        "script-with-backslashes",
        "script-with-port",
        "script-with-tab-in-address",
        "script-with-type",
        "sentry-loader",
        "smilee-chat",
        "style-import",
        "style-import-url",
        "style-sheet",
        "style-sheet-alternate",
        "style-sheet-for-print",
        "svg-filter-image",
        "svg-image",
        "svg-image-xlink",
        "svg-style",
        "twilio-flex",
        "two-scripts-in-order",
        "video-poster",
        "vimeo-player",
    ]
)
#: Frames in the mark-up: their parser starts them at once.
FRAME_CASES: Final = frozenset(
    {"frame", "frame-hidden", "frame-lazy", "frame-sandboxed", "embed", "object"}
)
LOCATION_CASES: Final = frozenset(
    {"frame-location", "frame-location-href", "frame-location-replace"}
)
#: Frames that have a page of the site's own, and are sent on.
SENT_ON_CASES: Final = frozenset(
    [
        "frame-link-pressed-by-script",
        "frame-location-of-srcdoc",
        "frame-location-once-loaded",
        "frame-navigated",
        "frame-that-leaves-by-itself",
        "frame-that-refreshes",
    ]
)
SHADOW_CASES: Final = frozenset({"declarative-shadow-script", "declarative-shadow-in-late-chunk"})
#: Frames that the page, a link, a form or they themselves send to an address of a service.
SENT_FRAME_CASES: Final = frozenset(
    [
        "click-of-made-link",
        "form-by-button",
        "form-requested-by-script",
        "form-sent-by-script",
        "frame-by-name",
        "frame-that-leaves-by-itself",
        "link-into-frame",
    ]
)
IN_TEMPLATE_CASES: Final = frozenset({"svg-image-xlink", "svg-style"})
SHOWN_CASES: Final = frozenset({"image-lazy"})
_OTHERS: Final = {
    **dict.fromkeys(LOCATION_CASES, LOCATION),
    **dict.fromkeys(SHADOW_CASES, SHADOW),
    "own-module-that-imports": MODULE,
    "handler-onerror": PAST,
    "request-synchronous": "A synchronous request cannot wait: it is never made on that page.",
}


def reason_of(engine: Engine, case: str, level: str, verdicts: list[str]) -> str:
    """The reason that the documentation gives for one gap."""
    is_unmarked = level in {"gate", "strict"}
    is_asked = verdicts == ["requested"]
    is_of_requests = {*verdicts} <= {"requested", "withdrawn"}
    reasons = (
        (is_unmarked and is_asked and case in READ_AHEAD_CASES, READ_AHEAD),
        (is_unmarked and is_asked and case in FRAME_CASES, FRAME),
        (is_unmarked and case in _OTHERS, _OTHERS.get(case, OPEN)),
        (is_unmarked and is_asked and case in SHOWN_CASES and engine != "chromium", SHOWN),
        (level != "declared" and case in SENT_ON_CASES and engine == "webkit", SENT_ON),
        (is_of_requests and case in SENT_FRAME_CASES and engine == "firefox", RESTORED),
        (is_asked and case in IN_TEMPLATE_CASES and engine == "firefox", IN_TEMPLATE),
        (case == "script-by-base" and engine == "webkit", ICON),
    )
    return next((reason for holds, reason in reasons if holds), OPEN)
