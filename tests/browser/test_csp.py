"""Hostile surroundings: a strict content security policy, and style sheets that hide everything."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from .owner_pages import OwnerPages
from .running_server import RunningServer
from .sites import SITES
from .trackers import Trackers
from .visit import Visit, wait_until_settled, watch_silence

SITE = SITES["smilee"]

_PAGE = """<!doctype html>
<html lang="sv">
<head>
<meta charset="utf-8">
<title>A page of the owner</title>
<script async src="{server}/w/smilee.js"></script>
{head}
</head>
<body><main><h1>A page of the owner</h1><p>Text.</p></main></body>
</html>
"""

_HIDING_STYLE = """<style>
body *, html > :not(head):not(body), consent-notice {
  all: unset !important; display: none !important; visibility: hidden !important;
  opacity: 0 !important; position: static !important; transform: scale(0) !important;
  width: 0 !important; height: 0 !important; clip-path: inset(50%) !important;
  pointer-events: none !important; z-index: -1 !important;
}
</style>"""


def _policy(server: RunningServer) -> dict[str, str]:
    return {
        "Content-Security-Policy": (
            "default-src 'none'; style-src 'none'; base-uri 'none'; form-action 'none'; "
            "img-src 'self'; "  # for the icon that browsers ask for by themselves
            f"script-src {server.url}; connect-src {server.url}; report-uri /reports"
        )
    }


def test_the_notice_works_under_a_strict_policy_without_a_violation(
    page: Page, owner: OwnerPages, server: RunningServer
) -> None:
    owner.pages["/"] = (_PAGE.format(server=server.url, head=""), _policy(server))
    visit = Visit(page, SITE, server)
    page.goto(f"{owner.url}/")
    visit.wait_for_notice()
    accept, box = visit.button("accept_all"), visit.button("accept_all").bounding_box()
    assert box is not None
    assert box["height"] >= 44, "styles came through the policy"
    assert accept.evaluate("one => getComputedStyle(one).fontSize") == "16px"
    visit.open_preferences()
    visit.decide("reject_all")
    assert owner.reports == []


def test_the_policy_of_this_page_does_report_violations(
    page: Page, owner: OwnerPages, server: RunningServer
) -> None:
    """Without this the test above could pass for want of reports."""
    body = _PAGE.format(server=server.url, head="<style>main { color: red }</style>")
    owner.pages["/"] = (body, _policy(server))
    visit = Visit(page, SITE, server)
    page.goto(f"{owner.url}/")
    visit.wait_for(lambda: owner.reports != [], "a violation report")


_COLOURS = """() => {
  const root = document.querySelector("consent-notice").shadowRoot;
  return [...root.querySelectorAll(".notice, .notice *")].map((one) => {
    const { color, backgroundColor, borderColor, borderRadius } = getComputedStyle(one);
    return [one.localName, color, backgroundColor, borderColor, borderRadius];
  });
}"""
_NAMES = ("accent", "on-accent", "text", "surface", "border", "radius")


def test_style_sheets_of_the_page_change_no_colour_of_the_theme(
    page: Page, owner: OwnerPages, server: RunningServer
) -> None:
    ours = "".join(f"--{name}: #fefefe !important;" for name in _NAMES)
    head = f"<style>*, :root, consent-notice {{ {ours} color: #fefefe !important }}</style>"
    found = []
    for number, styles in enumerate(("", head)):
        owner.pages[f"/{number}"] = (_PAGE.format(server=server.url, head=styles), {})
        page.goto(f"{owner.url}/{number}")
        Visit(page, SITE, server).wait_for_notice()
        found.append(page.evaluate(_COLOURS))
    assert len(found[0]) > 10
    assert found[0] == found[1]


def test_style_sheets_that_hide_everything_do_not_hide_the_notice(
    page: Page, owner: OwnerPages, server: RunningServer
) -> None:
    owner.pages["/"] = (_PAGE.format(server=server.url, head=_HIDING_STYLE), {})
    visit = Visit(page, SITE, server)
    page.goto(f"{owner.url}/")
    visit.wait_for_notice()
    for action in ("accept_all", "reject_all", "settings"):
        button = visit.button(action)
        box = button.bounding_box()
        assert box is not None
        assert box["width"] >= 44
        assert box["height"] >= 44
        # What a click at the middle of the button would hit, through the shadow root.
        assert button.evaluate(
            """one => {
              const box = one.getBoundingClientRect();
              const x = box.x + box.width / 2, y = box.y + box.height / 2;
              const hit = one.getRootNode().elementFromPoint(x, y);
              return one === hit || one.contains(hit);
            }"""
        )
    visit.decide("reject_all")


_TRUSTED = f"""<!doctype html><html lang="en"><title>A page of the owner</title>{{allow}}
<script async nonce="once" src="{{server}}/w/{SITE.key}.js"></script>
<script type="text/plain" nonce="once" data-consent="analytics"
  data-consent-src="https://held.example.com/first.js"></script>
<script type="text/plain" nonce="once" data-consent="analytics">fetch("/reports?ran",
  {{{{method: "POST", body: "inline ran"}}}})</script>
<script type="text/plain" data-consent="analytics">fetch("/reports?ran",
  {{{{method: "POST", body: "injected ran"}}}})</script>
<img alt="" data-consent="analytics" data-consent-src="https://held.example.com/picture.gif">"""
_ALLOW = """<script nonce="once">trustedTypes.createPolicy("default", {
  createScriptURL: (url) => url, createScript: (text) => text })</script>"""


@pytest.mark.parametrize("allow", ["", _ALLOW], ids=["none", "default"])
def test_a_page_that_demands_trusted_types_says_which_scripts_run(
    page: Page, owner: OwnerPages, server: RunningServer, trackers: Trackers, allow: str
) -> None:
    """What its default policy lets through is released; the rest is named in the console."""
    policy = (
        "script-src 'nonce-once'; require-trusted-types-for 'script'; "
        f"trusted-types {'default' if allow else chr(39) + 'none' + chr(39)}"
    )
    body = _TRUSTED.format(server=server.url, allow=allow)
    owner.pages["/"] = (body, {"Content-Security-Policy": policy})
    errors: list[str] = []
    told: list[str] = []
    page.on("pageerror", lambda error: errors.append(error.message))
    page.on("console", lambda message: told.append(f"{message.type} {message.text}"))
    visit = Visit(page, SITE, server)
    page.goto(f"{owner.url}/")
    visit.wait_for_notice()
    has_types: bool = page.evaluate("'trustedTypes' in window")
    watch_silence(page, trackers, 1.0)
    visit.decide("accept_all")
    wait_until_settled(page, trackers)
    asked = {one.path for one in trackers.requests}
    if allow or not has_types:
        assert asked == {"/first.js", "/picture.gif"}
        visit.wait_for(lambda: owner.reports == ["inline ran"], "the inline script")
    else:
        assert asked == {"/picture.gif"}
        assert owner.reports == []
        assert any(one.startswith("error") for one in told), told
    assert any("nonce" in one for one in told), "what the nonce does not cover is named"
    # Firefox lists the policy's own reports among errors of the page.
    assert [one for one in errors if "blocked" not in one] == []
