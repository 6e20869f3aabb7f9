"""A clock that is set right: what the visitor says after it holds, though it reads earlier."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from .conftest import NewProfile
from .running_server import RunningServer
from .sites import SITES
from .trackers import Trackers
from .visit import Visit, watch_silence

SITE = SITES["smilee"]
#: By how much it was ahead: a little, and as much as a wrong time zone.
_AHEAD = [timedelta(seconds=20), timedelta(hours=2)]


@pytest.fixture(params=_AHEAD, ids=["seconds", "hours"])
def visit(request: pytest.FixtureRequest, new_profile: NewProfile, server: RunningServer) -> Visit:
    """Somebody whose clock is ahead, and who is asked."""
    page = new_profile().new_page()
    page.clock.set_system_time(datetime.now(UTC) + request.param)
    visit = Visit(page, SITE, server)
    visit.go()
    visit.wait_for_notice()
    return visit


def _set_right(visit: Visit) -> None:
    visit.page.clock.set_system_time(datetime.now(UTC))


def test_a_withdrawal_holds_while_neither_decision_has_arrived(
    visit: Visit, trackers: Trackers
) -> None:
    visit.page.context.route("**/decisions*", lambda route: route.abort())
    visit.decide("accept_all")
    visit.wait_for(lambda: trackers.requests != [], "tags that are allowed")
    _set_right(visit)
    visit.reopen_preferences()
    with visit.page.expect_navigation():
        visit.choose("withdraw")
    visit.page.wait_for_function("() => window.consent")
    trackers.clear()
    visit.go("contact")
    watch_silence(visit.page, trackers, 1.0)
    assert visit.is_refused()
    assert visit.page.evaluate("() => consent.grants.analytics") is False
    visit.page.context.unroute("**/decisions*")
    visit.go()
    visit.wait_for_delivery()
    assert visit.is_refused()
    assert [one["kind"] for one in visit.receipts()] == ["withdrawn", "given"]


def test_another_tab_follows_and_does_not_bring_the_older_decision_back(
    visit: Visit, trackers: Trackers
) -> None:
    visit.decide("accept_all")
    visit.wait_for_delivery()
    _set_right(visit)
    other = Visit(visit.page.context.new_page(), SITE, visit.server)
    other.go("contact")
    other.reopen_preferences()
    with visit.page.expect_navigation(), other.page.expect_navigation():
        other.choose("withdraw")
    other.wait_for_delivery()
    for tab in (visit, other):
        tab.page.wait_for_function("() => window.consent")
    trackers.clear()
    for tab in (visit, other):
        tab.go()
    watch_silence(visit.page, trackers, 1.0)
    assert visit.is_refused()
