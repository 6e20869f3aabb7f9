"""Withdrawal: two clicks, and what was allowed is over."""

from __future__ import annotations

from .conftest import NewProfile
from .running_server import RunningServer
from .sites import DemoSite
from .trackers import Trackers
from .visit import Visit, wait_until_settled, watch_silence


def test_two_clicks_withdraw_and_no_tag_runs_again_nor_stays_anything_behind(
    new_profile: NewProfile, site: DemoSite, server: RunningServer, trackers: Trackers
) -> None:
    visit = Visit(new_profile().new_page(), site, server)
    visit.go()
    visit.wait_for_notice()
    visit.decide("accept_all")
    wait_until_settled(visit.page, trackers)
    assert trackers.runs, "something ran that there is to withdraw"
    left = visit.first_party_names()
    assert left - {site.cookie_name}, "the services stored something"

    visit.reopen_preferences()
    visit.choose("withdraw")

    visit.wait_for(visit.is_refused, "the withdrawal is kept")
    visit.wait_for_delivery()
    # The page may reload itself to stop what runs; nothing of it counts as running again.
    visit.page.wait_for_load_state("load")
    wait_until_settled(visit.page, trackers)
    trackers.clear()
    for name in ("", "contact", "privacy"):
        visit.go(name)
        watch_silence(visit.page, trackers, 1.0)
        assert not visit.notice_is_shown
        assert visit.first_party_names() == {site.cookie_name}
        assert visit.storage() == {}
    methods = [receipt["method"] for receipt in visit.receipts()]
    assert methods == ["withdraw", "accept_all"]
