"""Server away: the page works, the choice holds, the record arrives once when it is back."""

from __future__ import annotations

import datetime as dt
import json
import os
import time
from collections.abc import Iterator

import pytest

from .conftest import NewProfile, Profile
from .running_server import RunningServer
from .sites import SITES
from .trackers import Trackers
from .visit import Visit, wait_until_settled

SITE = SITES["smilee"]
OUTAGE_SECONDS = float(os.environ.get("CONSENT_TEST_OUTAGE", "20"))
# The outbox waits longer after each failure; after an outage it may be in a long wait.
DELIVERY_SECONDS = 60.0


@pytest.fixture
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server that this test alone kills and starts."""
    running = RunningServer(tmp_path_factory.mktemp("own-server"))
    running.start()
    yield running
    running.stop()


def _exported(server: RunningServer) -> list[dict[str, object]]:
    lines = server.export("jsonl", SITE.key).splitlines()
    records = [json.loads(line) for line in lines]
    return [record for record in records if "event_id" in record]


def _wait_for_delivery(visit: Visit) -> None:
    def is_delivered() -> bool:
        return SITE.outbox_key not in visit.storage().get("local_storage", [])

    visit.wait_for(is_delivered, "delivery", DELIVERY_SECONDS)


def test_a_decision_made_while_the_server_is_down_is_recorded_once_when_it_is_back(
    new_profile: NewProfile, own_server: RunningServer, trackers: Trackers
) -> None:
    visit = Visit(new_profile().new_page(), SITE, own_server)
    visit.go()
    visit.wait_for_notice()
    visit.page.evaluate("window.__still_here = true")
    own_server.kill()
    killed_at = time.monotonic()
    visit.decide("accept_all")
    assert wait_until_settled(visit.page, trackers) != [], "tags are released at once"
    decision = visit.decision()
    assert decision is not None
    assert decision.grants == SITE.expected_grants(*SITE.optional_services)
    visit.wait_for(
        lambda: time.monotonic() - killed_at >= OUTAGE_SECONDS, "end of outage", OUTAGE_SECONDS + 1
    )
    own_server.start()
    _wait_for_delivery(visit)
    assert visit.page.evaluate("window.__still_here") is True
    assert [record["method"] for record in _exported(own_server)] == ["accept_all"]
    visit.go("contact")
    assert visit.decision() == decision
    assert not visit.notice_is_shown
    assert len(_exported(own_server)) == 1


def test_a_tab_closed_right_after_the_click_delivers_when_the_visitor_comes_back(
    profile: Profile, own_server: RunningServer
) -> None:
    visit = Visit(profile.open().new_page(), SITE, own_server)
    visit.go()
    visit.wait_for_notice()
    own_server.kill()
    visit.choose("reject_all")
    visit.page.close()
    profile.close()
    own_server.start()
    assert _exported(own_server) == []
    back = Visit(profile.open().new_page(), SITE, own_server)
    back.go("contact")
    _wait_for_delivery(back)
    assert not back.notice_is_shown
    [record] = _exported(own_server)
    assert record["method"] == "reject_all"
    assert record["grants"] == SITE.expected_grants()


@pytest.mark.parametrize("years", [10, -10])
def test_a_browser_ten_years_off_decides_and_is_recorded_at_our_time(
    new_profile: NewProfile, own_server: RunningServer, years: int
) -> None:
    context, now = new_profile(), dt.datetime.now(dt.UTC)
    page = context.new_page()
    page.clock.set_system_time(now.replace(year=now.year + years, day=min(now.day, 28)))
    visit = Visit(page, SITE, own_server)
    visit.go()
    visit.wait_for_notice()
    visit.decide("reject_all")
    visit.wait_for_delivery()
    [record] = _exported(own_server)
    received, decided = (
        dt.datetime.fromisoformat(str(record[name])) for name in ("received_at", "decided_at")
    )
    assert abs(received - now) < dt.timedelta(minutes=2)
    assert decided.year == now.year + years
    visit.go("contact")
    assert visit.is_refused()
    assert not visit.notice_is_shown
