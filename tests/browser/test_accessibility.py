"""Accessibility: axe finds nothing, the keyboard is enough, and both answers weigh the same."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Page

from .conftest import NewProfile
from .running_server import RunningServer
from .sites import SITES, DemoSite
from .visit import Visit, serve_in_language

SITE = SITES["smilee"]

# The way from the document to what has the focus, through shadow roots.
_FOCUSED = """() => {
  let one = document.activeElement;
  while (one && one.shadowRoot && one.shadowRoot.activeElement) one = one.shadowRoot.activeElement;
  return one ? one.dataset.consentAction || one.tagName.toLowerCase() : null;
}"""

_STYLE = """one => {
  const style = getComputedStyle(one), all = {};
  for (const name of style) all[name] = style.getPropertyValue(name);
  return all;
}"""


def _violations(page: Page) -> list[tuple[str, list[str]]]:
    found: Any = Axe().run(page).response["violations"]
    return [(one["id"], [node["html"] for node in one["nodes"]]) for one in found]


@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "fi", "sv"])
def test_axe_finds_nothing_on_the_notice_nor_on_the_preferences(
    new_profile: NewProfile, server: RunningServer, language: str, scheme: str, width: int
) -> None:
    context = new_profile(color_scheme=scheme, viewport={"width": width, "height": 800})
    visit = Visit(context.new_page(), SITE, server)
    serve_in_language(visit.page, visit.address(), language)
    visit.go()
    visit.wait_for_notice()
    assert visit.page.evaluate(
        "scheme => matchMedia(`(prefers-color-scheme: ${scheme})`).matches", scheme
    )
    assert _violations(visit.page) == []
    visit.open_preferences()
    visit.open_every_detail()
    assert _violations(visit.page) == []


def test_accept_and_reject_are_equal_in_every_computed_style_and_in_size(
    page: Page, site: DemoSite, server: RunningServer
) -> None:
    visit = Visit(page, site, server)
    visit.go()
    visit.wait_for_notice()
    _assert_equal_answers(visit)
    visit.open_preferences()
    _assert_equal_answers(visit)


def _assert_equal_answers(visit: Visit) -> None:
    accept, reject = visit.button("accept_all"), visit.button("reject_all")
    assert accept.evaluate(_STYLE) == reject.evaluate(_STYLE)
    one, other = accept.bounding_box(), reject.bounding_box()
    assert one is not None
    assert other is not None
    assert (one["width"], one["height"]) == (other["width"], other["height"])
    assert one["x"] == other["x"] or one["y"] == other["y"], "one column or one row"
    assert one["height"] >= 44


def test_the_keyboard_alone_reaches_and_decides_everything(
    page: Page, server: RunningServer
) -> None:
    visit = Visit(page, SITE, server)
    visit.go()
    visit.wait_for_notice()
    assert page.evaluate(_FOCUSED) == "body", "the notice does not steal the focus"
    for action in ("accept_all", "reject_all", "settings"):
        _press_until_focused(page, "Tab", action)
    page.keyboard.press("Enter")
    visit.preferences.wait_for(state="visible")
    for action in ("accept_all", "reject_all", "save"):
        _press_until_focused(page, "Tab", action)
    page.keyboard.press("Escape")
    visit.preferences.wait_for(state="detached")
    assert visit.notice_is_shown
    assert page.evaluate(_FOCUSED) == "settings", "the focus returns to where it came from"
    assert visit.decision() is None
    _press_until_focused(page, "Shift+Tab", "reject_all")
    page.keyboard.press("Space")
    visit.notice.wait_for(state="detached")
    decision = visit.decision()
    assert decision is not None
    assert not any(decision.grants.values())


def _press_until_focused(page: Page, key: str, action: str) -> None:
    """Within one round: past the last stop the focus goes to the browser's own controls."""
    for _ in range(20):
        page.keyboard.press(key)
        if page.evaluate(_FOCUSED) == action:
            return
    raise AssertionError(f"{key} never reached {action}")


def test_escape_a_click_outside_and_scrolling_never_grant(
    page: Page, site: DemoSite, server: RunningServer
) -> None:
    visit = Visit(page, site, server)
    visit.go()
    visit.wait_for_notice()
    page.keyboard.press("Escape")
    page.mouse.click(5, 5)
    page.mouse.wheel(0, 4000)
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    assert visit.notice_is_shown
    assert visit.decision() is None
    visit.open_preferences()
    page.mouse.click(5, 5)
    page.keyboard.press("Escape")
    visit.preferences.wait_for(state="detached")
    assert visit.decision() is None
    assert visit.notice_is_shown
