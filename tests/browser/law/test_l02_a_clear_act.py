"""L2: consent is a clear affirmative act: no pre-ticked box, no gesture that looks like one."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ..conftest import NewProfile
from ..running_server import RunningServer
from ..sites import DemoSite
from ..trackers import Trackers
from ..visit import Visit, watch_silence


def test_l02_every_optional_switch_is_off_when_the_preferences_open_first(
    new_profile: NewProfile, site: DemoSite, server: RunningServer
) -> None:
    visit = Visit(new_profile().new_page(), site, server)
    visit.go()
    visit.wait_for_notice()
    visit.open_preferences()
    visit.open_every_detail()
    switches = visit.preferences.locator("input[type=checkbox]")
    optional = {*site.optional_services, *site.optional_services.values()}
    assert switches.count() == len(optional), "one for each category and each service"
    states = switches.evaluate_all("all => all.map((one) => one.checked || one.indeterminate)")
    assert states == [False] * len(optional)


def _click_outside(visit: Visit) -> None:
    box = visit.notice.bounding_box()
    assert box is not None
    # Corners that a notice at the edge leaves free, one after the other.
    visit.page.mouse.click(3, 3)
    visit.page.mouse.click(3, max(box["y"] - 5, 3))


def _close_preferences(visit: Visit) -> None:
    visit.open_preferences()
    visit.choose("close")
    visit.preferences.wait_for(state="detached")


def _escape_preferences(visit: Visit) -> None:
    visit.open_preferences()
    visit.page.keyboard.press("Escape")
    visit.preferences.wait_for(state="detached")


def _click_beside_preferences(visit: Visit) -> None:
    visit.open_preferences()
    visit.page.mouse.click(3, 3)
    visit.page.keyboard.press("Escape")
    visit.preferences.wait_for(state="detached")


def _browse_on(visit: Visit) -> None:
    for name in ("contact", "privacy", ""):
        visit.go(name)
        visit.wait_for_notice()


_GESTURES: dict[str, Callable[[Visit], None]] = {
    "scroll": lambda visit: visit.page.mouse.wheel(0, 4_000),
    "escape": lambda visit: visit.page.keyboard.press("Escape"),
    "click outside": _click_outside,
    "browse on": _browse_on,
    "close the preferences": _close_preferences,
    "escape from the preferences": _escape_preferences,
    "click beside the preferences": _click_beside_preferences,
}


@pytest.mark.parametrize("gesture", _GESTURES)
def test_l02_a_gesture_is_no_consent(asked: Visit, trackers: Trackers, gesture: str) -> None:
    _GESTURES[gesture](asked)
    watch_silence(asked.page, trackers, 0.7)
    assert asked.notice_is_shown, "the question stays"
    assert asked.decision() is None
    assert asked.page.evaluate("consent.decided") is False
    assert asked.storage() == {}


def test_l02_the_notice_has_no_x_that_somebody_could_take_for_an_answer(asked: Visit) -> None:
    buttons = asked.notice.locator("button")
    actions = buttons.evaluate_all("all => all.map((one) => one.dataset.consentAction)")
    assert sorted(actions) == ["accept_all", "reject_all", "settings", "settings"]


def test_l02_opened_switches_that_are_not_saved_grant_nothing(
    asked: Visit, trackers: Trackers
) -> None:
    asked.open_preferences()
    asked.toggle_service("google-analytics")
    asked.choose("close")
    asked.preferences.wait_for(state="detached")
    watch_silence(asked.page, trackers, 0.7)
    assert asked.decision() is None
    asked.open_preferences()
    assert not asked.preferences.locator("#switch-google-analytics").is_checked()
