"""L1: nothing is sent to a service and nothing is stored before the visitor has chosen."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ..conftest import NewProfile, Profile
from ..running_server import RunningServer
from ..sites import SITES, DemoSite
from ..trackers import Trackers
from ..visit import Visit, watch_silence


def _scroll(visit: Visit) -> None:
    visit.page.mouse.wheel(0, 600)
    visit.page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")


def _navigate(visit: Visit) -> None:
    for name in ("contact", "privacy", "record", ""):
        visit.go(name)
        visit.wait_for_notice()


def _come_back(visit: Visit) -> None:
    visit.page.goto("about:blank")
    visit.go()
    visit.page.reload()


#: What a visitor does who answers nothing. Time is under test: a tag may wait for idle.
_WAYS: dict[str, Callable[[Visit], None]] = {
    "no interaction": lambda visit: None,
    "scroll": _scroll,
    "wait": lambda visit: visit.page.wait_for_timeout(6_000),
    "navigate": _navigate,
    "come back": _come_back,
}


def _assert_nothing(visit: Visit, trackers: Trackers, seconds: float) -> None:
    watch_silence(visit.page, trackers, seconds)
    assert visit.cookies() == {}
    assert visit.storage() == {}


@pytest.mark.parametrize("way", _WAYS)
def test_l01_nothing_before_a_choice_whatever_the_visitor_does(
    profile: Profile, server: RunningServer, trackers: Trackers, way: str
) -> None:
    # The site with a tag manager; a profile on disk, since Chromium preconnects for those only.
    visit = Visit(profile.open().new_page(), SITES["jackbot"], server)
    visit.go()
    visit.wait_for_notice()
    _WAYS[way](visit)
    _assert_nothing(visit, trackers, 2.0)
    assert visit.notice_is_shown


def test_l01_nothing_before_a_choice_on_any_page_of_any_site(
    new_profile: NewProfile, site: DemoSite, server: RunningServer, trackers: Trackers
) -> None:
    visit = Visit(new_profile().new_page(), site, server)
    for name in ("", "contact", "privacy"):
        visit.go(name)
        visit.wait_for_notice()
        _scroll(visit)
        _assert_nothing(visit, trackers, 0.7)


def test_l01_the_same_pages_do_send_and_store_after_a_yes(
    new_profile: NewProfile, site: DemoSite, server: RunningServer, trackers: Trackers
) -> None:
    """What the other tests wait for in vain can happen: without this they could not fail."""
    visit = Visit(new_profile().new_page(), site, server)
    visit.go()
    visit.wait_for_notice()
    visit.decide("accept_all")
    visit.wait_for(lambda: len(trackers.requests) > 1, "tags load")
    visit.wait_for(lambda: len(visit.cookies()) > 1, "tags store")
