"""L3: wherever a visitor can accept all, they can reject all, and with no more clicks."""

from __future__ import annotations

import pytest

from ..conftest import NewProfile
from ..running_server import RunningServer
from ..sites import DemoSite
from ..visit import Visit


@pytest.fixture
def visit(new_profile: NewProfile, site: DemoSite, server: RunningServer) -> Visit:
    """A fresh visitor of each site who is being asked."""
    visit = Visit(new_profile().new_page(), site, server)
    visit.go()
    visit.wait_for_notice()
    return visit


def test_l03_the_first_layer_holds_accept_reject_and_settings_as_the_same_element(
    visit: Visit,
) -> None:
    for action in ("accept_all", "reject_all", "settings"):
        button = visit.button(action)
        assert button.evaluate("one => [one.tagName, one.type, one.disabled]") == [
            "BUTTON",
            "submit",
            False,
        ]
        assert button.is_visible()
    in_one_place = "one => one.parentElement.dataset.here ??= 'x' + Math.random()"
    places = {visit.button(one).evaluate(in_one_place) for one in ("accept_all", "reject_all")}
    assert len(places) == 1, "side by side, not in another part of the notice"


def test_l03_the_second_layer_holds_both_as_well(visit: Visit) -> None:
    visit.open_preferences()
    for action in ("accept_all", "reject_all"):
        assert visit.button(action).is_visible()
        assert visit.button(action).evaluate("one => one.tagName") == "BUTTON"


@pytest.mark.parametrize("action", ["accept_all", "reject_all"])
def test_l03_either_answer_takes_one_click_and_is_asked_for_no_confirmation(
    visit: Visit, action: str
) -> None:
    visit.choose(action)
    visit.notice.wait_for(state="detached")
    assert visit.preferences.count() == 0
    decision = visit.decision()
    assert decision is not None
    assert set(decision.grants.values()) == {action == "accept_all"}
    visit.go()
    visit.page.wait_for_function("consent.decided")
    assert not visit.notice_is_shown


def test_l03_from_the_second_layer_either_answer_takes_two_clicks(
    new_profile: NewProfile, site: DemoSite, server: RunningServer
) -> None:
    for action in ("accept_all", "reject_all"):
        visit = Visit(new_profile().new_page(), site, server)
        visit.go()
        visit.wait_for_notice()
        visit.choose("settings")
        visit.choose(action)
        visit.wait_for(lambda visit=visit: visit.decision() is not None, "decided")  # type: ignore[misc]
        assert not visit.preferences.is_visible()
        assert not visit.notice_is_shown
