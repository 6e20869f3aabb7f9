"""L9: whoever can accept all can also choose each purpose and each service by itself."""

from __future__ import annotations

import pytest

from consent_server.catalogue import get_service

from ..conftest import NewProfile
from ..running_server import RunningServer
from ..sites import SITES, DemoSite, belongs_to
from ..trackers import Trackers
from ..visit import Visit, wait_until_settled


def test_l09_each_category_and_each_service_has_a_switch_of_its_own(
    new_profile: NewProfile, site: DemoSite, server: RunningServer
) -> None:
    visit = Visit(new_profile().new_page(), site, server)
    visit.go()
    visit.wait_for_notice()
    visit.open_preferences()
    visit.open_every_detail()
    for key in {*site.optional_services, *site.optional_services.values()}:
        switch = visit.preferences.locator(f"#switch-{key}")
        label = visit.preferences.locator(f"label[for=switch-{key}]")
        assert switch.is_enabled(), key
        assert switch.is_visible(), key
        assert label.inner_text().strip(), key


@pytest.mark.parametrize("key", ["google-analytics", "linkedin-insight"])
def test_l09_one_service_alone_is_allowed_runs_and_is_recorded(
    asked: Visit, trackers: Trackers, key: str
) -> None:
    asked.open_preferences()
    asked.toggle_service(key)
    asked.decide("save")
    asked.wait_for(lambda: bool(trackers.requests), "it loads")
    requests = wait_until_settled(asked.page, trackers)
    others = [one.url for one in requests if not belongs_to(one.url, get_service(key))]
    assert others == []
    decision = asked.decision()
    assert decision is not None
    assert decision.grants == asked.site.expected_grants(key)
    asked.wait_for_delivery()
    assert asked.receipts()[0]["grants"] == asked.site.expected_grants(key)


def test_l09_a_category_switches_its_services_and_no_others(
    new_profile: NewProfile, server: RunningServer
) -> None:
    site = SITES["smilee"]
    visit = Visit(new_profile().new_page(), site, server)
    visit.go()
    visit.wait_for_notice()
    visit.open_preferences()
    visit.preferences.locator("#switch-marketing").click()
    visit.decide("save")
    decision = visit.decision()
    assert decision is not None
    members = [key for key, category in site.optional_services.items() if category == "marketing"]
    assert len(members) > 1
    assert decision.grants == site.expected_grants(*members)
