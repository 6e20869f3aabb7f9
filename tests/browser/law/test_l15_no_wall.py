"""L15: no wall: the page can be read and used while the question stands, and after a no."""

from __future__ import annotations

from typing import Any

import pytest

from ..conftest import NewProfile
from ..running_server import RunningServer
from ..sites import DemoSite
from ..visit import Visit

_CONTENT = "document.querySelector('main').innerText.replace(/\\s+/g, ' ').trim()"


@pytest.fixture
def visit(new_profile: NewProfile, site: DemoSite, server: RunningServer) -> Visit:
    """A fresh visitor of each site who is being asked."""
    context = new_profile(viewport={"width": 1280, "height": 600})
    visit = Visit(context.new_page(), site, server)
    visit.go()
    visit.wait_for_notice()
    return visit


def test_l15_the_page_scrolls_and_its_links_work_while_the_question_stands(visit: Visit) -> None:
    locked = "['documentElement', 'body'].map((one) => getComputedStyle(document[one]).overflowY)"
    assert not {"hidden", "clip"} & set(visit.page.evaluate(locked))
    visit.page.mouse.move(640, 100)
    visit.page.mouse.wheel(0, 400)
    visit.wait_for(lambda: visit.page.evaluate("scrollY") > 100, "the page scrolls")
    visit.page.evaluate("scrollTo(0, 0)")
    visit.page.locator("nav a[href$=contact]").first.click()
    visit.page.wait_for_url("**/contact")
    visit.wait_for_notice()


def test_l15_the_keyboard_reaches_the_page_behind_the_question(visit: Visit) -> None:
    reached: list[Any] = []
    for _ in range(25):
        visit.page.keyboard.press("Tab")
        reached.append(
            visit.page.evaluate(
                "() => document.activeElement.closest('header, nav, main, footer, aside')?.tagName"
            )
        )
    assert {"NAV", "MAIN", "HEADER", "ASIDE"} & {one for one in reached if one}
    assert visit.notice_is_shown


def test_l15_a_refusal_takes_nothing_of_the_page_away(visit: Visit) -> None:
    before = visit.page.evaluate(_CONTENT)
    assert len(before) > 200
    visit.decide("reject_all")
    assert visit.page.evaluate(_CONTENT) == before
    visit.page.reload()
    assert visit.page.evaluate(_CONTENT) == before
