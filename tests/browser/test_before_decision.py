"""Before a decision and after a refusal: nothing leaves, nothing is stored."""

from __future__ import annotations

from .conftest import NewProfile, Profile
from .running_server import RunningServer
from .sites import DemoSite
from .trackers import Trackers
from .visit import Visit, watch_silence

# Time is the thing under test: a tag that waits for idle or for a timer must not slip through.
WATCHED_SECONDS = 3.0


def test_nothing_leaves_and_nothing_is_stored_before_a_decision(
    profile: Profile, site: DemoSite, server: RunningServer, trackers: Trackers
) -> None:
    # A profile on disk, since Chromium preconnects for those only.
    visit = Visit(profile.open().new_page(), site, server)
    for name in ("", "contact"):
        visit.go(name)
        visit.wait_for_notice()
        visit.page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
        watch_silence(visit.page, trackers, WATCHED_SECONDS)
        assert visit.cookies() == {}
        assert visit.storage() == {}
    assert visit.notice_is_shown


def test_nothing_leaves_after_reject_all_and_only_the_decision_is_stored(
    new_profile: NewProfile, site: DemoSite, server: RunningServer, trackers: Trackers
) -> None:
    visit = Visit(new_profile().new_page(), site, server)
    visit.go()
    visit.wait_for_notice()
    visit.decide("reject_all")
    watch_silence(visit.page, trackers, WATCHED_SECONDS)
    visit.wait_for_delivery()
    for name in ("contact", "privacy", ""):
        visit.go(name)
        visit.page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
        watch_silence(visit.page, trackers, 1.0)
        assert not visit.notice_is_shown
        assert set(visit.cookies()) == {site.cookie_name}
        assert visit.storage() == {}
    decision = visit.decision()
    assert decision is not None
    assert decision.grants == site.expected_grants()
