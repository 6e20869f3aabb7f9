"""L16: everybody can answer: by keyboard, by ear, at 400 % zoom, without motion."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]

from ..conftest import NewProfile
from ..running_server import RunningServer
from ..sites import SITES
from ..visit import Visit

# The way from the document to what has the focus, through shadow roots.
_FOCUSED = """() => {
  let one = document.activeElement;
  while (one && one.shadowRoot && one.shadowRoot.activeElement) one = one.shadowRoot.activeElement;
  return one ? one.dataset.consentAction || one.id || one.tagName.toLowerCase() : null;
}"""

_MOVES = """layer => [layer, ...layer.querySelectorAll('*')].filter((one) => {
  const { animationName, transitionDuration } = getComputedStyle(one);
  const isMoving = transitionDuration.split(', ').some((time) => parseFloat(time));
  return animationName !== 'none' || isMoving;
}).map((one) => one.outerHTML.slice(0, 80))"""


def _violations(visit: Visit) -> list[Any]:
    found: Any = Axe().run(visit.page).response["violations"]
    return [(one["id"], [node["html"] for node in one["nodes"]]) for one in found]


def test_l16_axe_finds_nothing_in_either_layer_nor_after_the_answer(asked: Visit) -> None:
    assert _violations(asked) == []
    asked.open_preferences()
    asked.open_every_detail()
    assert _violations(asked) == []
    asked.decide("save")
    assert _violations(asked) == []


def test_l16_the_focus_goes_through_the_notice_in_the_order_in_which_it_is_read(
    asked: Visit,
) -> None:
    assert asked.page.evaluate(_FOCUSED) == "body", "it does not steal the focus"
    order = []
    for _ in range(5):
        asked.page.keyboard.press("Tab")
        order.append(asked.page.evaluate(_FOCUSED))
    assert order == ["settings", "a", "accept_all", "reject_all", "settings"]
    asked.page.keyboard.press("Enter")
    asked.preferences.wait_for(state="visible")
    asked.page.keyboard.press("Escape")
    asked.preferences.wait_for(state="detached")
    assert asked.page.evaluate(_FOCUSED) == "settings", "back to where it came from"
    assert asked.decision() is None, "Escape is no answer"


def test_l16_only_what_is_really_modal_says_that_it_is(asked: Visit) -> None:
    assert asked.notice.get_attribute("aria-modal") is None
    assert asked.page.evaluate("document.querySelector('main').matches(':modal')") is False
    asked.page.locator("nav a").first.focus()
    assert asked.page.evaluate("document.activeElement.tagName") == "A", "the page is reachable"
    asked.open_preferences()
    assert asked.preferences.evaluate("one => one.matches(':modal')")
    asked.page.evaluate("document.querySelector('nav a').focus()")
    assert asked.page.evaluate("document.activeElement.tagName") != "A", "the page is not"


def test_l16_nothing_moves_for_those_who_asked_for_no_motion(
    new_profile: NewProfile, server: RunningServer, browser_name: str
) -> None:
    options = {"reduced_motion": "reduce"} if browser_name == "chromium" else {}
    visit = Visit(new_profile(**options).new_page(), SITES["smilee"], server)
    visit.go()
    visit.wait_for_notice()
    assert visit.notice.evaluate(_MOVES) == []
    visit.open_preferences()
    assert visit.preferences.evaluate(_MOVES) == []


def test_l16_at_400_percent_zoom_all_of_it_can_be_reached_without_scrolling_sideways(
    new_profile: NewProfile, server: RunningServer
) -> None:
    """1280 by 1024 pixels at 400 % are 320 by 256 (WCAG 2.2, 1.4.10)."""
    context = new_profile(viewport={"width": 320, "height": 256})
    visit = Visit(context.new_page(), SITES["smilee"], server)
    visit.go()
    visit.wait_for_notice()
    for _layer in range(2):
        for action in ("accept_all", "reject_all", "settings", "save"):
            if not visit.button(action).count():
                continue
            visit.button(action).scroll_into_view_if_needed()
            box = visit.button(action).bounding_box()
            assert box is not None
            assert -1 <= box["x"] <= box["x"] + box["width"] <= 321
            assert -1 <= box["y"] <= box["y"] + box["height"] <= 257
        layer = visit.preferences if visit.preferences.count() else visit.notice
        assert layer.evaluate("one => one.scrollWidth <= one.clientWidth + 1")
        if not visit.preferences.count():
            visit.open_preferences()
    visit.decide("reject_all")
    assert visit.is_refused()


@pytest.mark.parametrize("action", ["accept_all", "reject_all"])
def test_l16_a_screen_reader_hears_the_name_of_each_answer_and_that_it_is_saved(
    asked: Visit, action: str
) -> None:
    assert asked.notice.get_attribute("aria-labelledby") == "heading"
    assert asked.button(action).inner_text().strip()
    asked.decide(action)
    status = asked.page.locator("consent-notice [role=status]")
    asked.wait_for(lambda: "spar" in status.inner_text().lower(), "Ditt val är sparat.")
