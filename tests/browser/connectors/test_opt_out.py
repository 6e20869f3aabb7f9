"""Where things run first: what Google's tags find, entry by entry, in California."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from consent_server.connectors import ASKED_FIRST
from tests.browser.running_server import RunningServer
from tests.browser.signals import Signalling, SwitchedSignal
from tests.browser.sites import DemoSite
from tests.browser.visit import Visit

from .conftest import MakeShop, held
from .data_layer import (
    ALL,
    CONFIG,
    GTAG,
    JS,
    LIBRARY,
    REDACT,
    SERVICES,
    layer_of,
    told,
    wait_for_layer,
)

#: What an opt-out from sale and sharing leaves: all but marketing.
_KEPT = ("google-analytics", "functional")
_TAG = [JS, CONFIG]
#: What a region says is the server's, whatever the browser.
in_chromium = pytest.mark.parametrize("browser_name", ["chromium"], indirect=True)

Arrive = Callable[..., Visit]


def _default(*granted: str) -> list[Any]:
    """What is told first: what runs here, and no for whom Google finds in Europe."""
    europe = told("default")
    europe[2]["region"] = list(ASKED_FIRST)
    return [told("default", *granted), europe, REDACT]


@pytest.fixture(scope="module")
def shop(make_shop: MakeShop) -> tuple[DemoSite, str]:
    head = held("google-analytics", LIBRARY) + held("google-analytics", GTAG)
    return make_shop(SERVICES, head, regime="by_region")


@pytest.fixture
def arrive(visitors: Signalling, shop: tuple[DemoSite, str], server: RunningServer) -> Arrive:
    """Lets a Californian arrive, whose browser may send a signal."""

    def arrive(signal: str = "") -> Visit:
        context = visitors(signal, region="US-CA", url=server.url)
        visit = Visit(context.new_page(), shop[0], server)
        visit.page.goto(shop[1])
        return visit

    return arrive


def test_a_first_visit_is_granted_what_runs_and_the_tag_runs(arrive: Arrive) -> None:
    visit = arrive()
    visit.wait_for_notice()
    wait_for_layer(visit, [*_default(*ALL), *_TAG])
    assert visit.page.evaluate("window['ga-disable-G-ABC123']") is False
    assert visit.decision() is None


def test_the_signal_is_an_update_before_the_tag_and_denies_ads_from_the_start(
    arrive: Arrive, shop: tuple[DemoSite, str]
) -> None:
    visit = arrive("gpc")
    found = [*_default(*_KEPT), told("update", *_KEPT), *_TAG]
    wait_for_layer(visit, found)
    visit.wait_for_delivery()
    visit.page.goto(shop[1])
    wait_for_layer(visit, found)
    assert [one["method"] for one in visit.receipts()] == ["gpc"]


def test_opting_out_and_in_again_is_one_update_each_and_holds_on_the_next_page(
    arrive: Arrive, shop: tuple[DemoSite, str]
) -> None:
    visit = arrive()
    visit.wait_for_notice()
    visit.decide("opt_out")
    first = [*_default(*ALL), *_TAG, told("update", *_KEPT)]
    wait_for_layer(visit, first)
    visit.reopen_preferences()
    visit.preferences.locator("#switch-marketing").click()
    visit.decide("save")
    wait_for_layer(visit, [*first, told("update", *ALL)])
    visit.page.goto(shop[1])
    wait_for_layer(visit, [*_default(*ALL), told("update", *ALL), *_TAG])


def test_who_opted_out_and_comes_back_is_denied_before_the_tag_runs(
    arrive: Arrive, shop: tuple[DemoSite, str]
) -> None:
    visit = arrive()
    visit.wait_for_notice()
    visit.decide("opt_out")
    visit.page.goto(shop[1])
    # The region's default, then what was decided, in one task.
    wait_for_layer(visit, [*_default(*ALL), told("update", *_KEPT), *_TAG])


def test_a_signal_that_comes_later_takes_ads_back_before_the_tag_runs(
    visitors: Signalling, shop: tuple[DemoSite, str], server: RunningServer
) -> None:
    context = visitors("", region="US-CA", url=server.url)
    signal = SwitchedSignal(context, server.url)
    visit = Visit(context.new_page(), shop[0], server)
    visit.page.goto(shop[1])
    visit.wait_for_notice()
    wait_for_layer(visit, [*_default(*ALL), *_TAG])
    signal.turn(on=True)
    visit.page.goto(shop[1])
    wait_for_layer(visit, [*_default(*_KEPT), told("update", *_KEPT), *_TAG])
    visit.wait_for_delivery()
    assert [one["method"] for one in visit.receipts()] == ["gpc"]
    # What they allow against it holds.
    visit.reopen_preferences()
    visit.preferences.locator("#switch-marketing").click()
    visit.decide("save")
    visit.page.goto(shop[1])
    wait_for_layer(visit, [*_default(*_KEPT), told("update", *ALL), *_TAG])


@in_chromium
def test_the_same_site_in_germany_is_denied_and_asked(
    visitors: Signalling, shop: tuple[DemoSite, str], server: RunningServer
) -> None:
    visit = Visit(visitors("", region="DE", url=server.url).new_page(), shop[0], server)
    visit.page.goto(shop[1])
    visit.wait_for_notice()
    visit.page.wait_for_timeout(300)
    assert layer_of(visit.page) == [told("default"), REDACT]
