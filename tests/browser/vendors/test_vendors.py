"""Vendors: real libraries from the registry send and store after consent, and not otherwise."""

from __future__ import annotations

from contextlib import suppress
from fnmatch import fnmatchcase

import pytest
from playwright.sync_api import Page

from consent_server.catalogue import get_service
from tests.browser.conftest import NewProfile
from tests.browser.running_server import RunningServer
from tests.browser.trackers import Trackers
from tests.browser.visit import Visit, wait_until_settled, watch_silence

from .conftest import Shop
from .table import PAGE, vendor_table
from .vendors import VENDORS, Vendor

# Each of them sends within half a second where nobody holds it.
WATCHED_SECONDS = 1.5

# Some keep away from browsers that name themselves headless.
_CHROMIUM = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36"


@pytest.fixture(params=VENDORS, ids=repr)
def vendor(request: pytest.FixtureRequest, trackers: Trackers) -> Vendor:
    """Every test that asks for it runs with each vendor."""
    found: Vendor = request.param
    trackers.answers.update(found.answers)
    return found


@pytest.fixture
def page(new_profile: NewProfile, browser_name: str) -> Page:
    """A tab of a fresh visitor."""
    options = {"user_agent": _CHROMIUM} if browser_name == "chromium" else {}
    return new_profile(**options).new_page()


def _is_of(vendor: Vendor, host: str) -> bool:
    return any(fnmatchcase(host, pattern) for pattern in vendor.hosts)


def _sent(vendor: Vendor, trackers: Trackers) -> bool:
    return any(
        one.method != "OPTIONS" and one.url.startswith(vendor.sends_to) for one in trackers.requests
    )


def _stored(visit: Visit) -> set[tuple[str, str]]:
    cookies = {("cookie", name) for name in visit.cookies()}
    return cookies | {(kind, name) for kind, names in visit.storage().items() for name in names}


def _missing(vendor: Vendor, visit: Visit) -> list[tuple[str, str]]:
    stored = _stored(visit)
    return [
        (kind, pattern)
        for kind, pattern in vendor.items
        if not any(kind == there and fnmatchcase(name, pattern) for there, name in stored)
    ]


def _wait_until_it_runs(vendor: Vendor, visit: Visit, trackers: Trackers) -> None:
    visit.wait_for(lambda: _sent(vendor, trackers), f"it sends to {vendor.sends_to}")
    visit.wait_for(lambda: not _missing(vendor, visit), f"it stores {vendor.items}")


def test_without_us_each_library_sends_and_stores_what_the_site_file_says(
    page: Page, vendor: Vendor, shop: Shop, server: RunningServer, trackers: Trackers
) -> None:
    visit = Visit(page, shop.declared, server)
    page.goto(shop.address("control", vendor.key))
    _wait_until_it_runs(vendor, visit, trackers)
    wait_until_settled(page, trackers)
    assert [host for host in trackers.hosts() if not _is_of(vendor, host)] == []
    stored = _stored(visit) - {("cookie", "stand_in_visitor")}
    expected = vendor.items + vendor.passing
    assert [
        (kind, name)
        for kind, name in stored
        if not any(kind == k and fnmatchcase(name, pattern) for k, pattern in expected)
    ] == []
    if vendor.service:  # sites that take the service from the catalogue remove all of it, too
        known = get_service(vendor.service).items
        assert [
            (kind, name)
            for kind, name in stored
            if not any(kind == item.kind and item.matches(name) for item in known)
        ] == []


def test_a_declared_library_waits_then_runs_and_leaves_nothing_when_withdrawn(
    page: Page, vendor: Vendor, shop: Shop, server: RunningServer, trackers: Trackers
) -> None:
    visit = Visit(page, shop.declared, server)
    _hold_release_and_withdraw(visit, vendor, shop, "declared", trackers)


def test_a_library_in_a_bundle_of_the_site_is_held_by_the_gate_alone(
    page: Page, vendor: Vendor, shop: Shop, server: RunningServer, trackers: Trackers
) -> None:
    visit = Visit(page, shop.strict, server)
    _hold_release_and_withdraw(visit, vendor, shop, "strict", trackers)


def _hold_release_and_withdraw(
    visit: Visit, vendor: Vendor, shop: Shop, way: str, trackers: Trackers
) -> None:
    page, address = visit.page, shop.address(way, vendor.key)
    page.goto(address)
    visit.wait_for_notice()
    watch_silence(page, trackers, WATCHED_SECONDS)
    assert _stored(visit) == set()
    page.goto(shop.owner.url + "/away")  # libraries send their last when the page goes
    page.goto(address)
    visit.wait_for_notice()
    assert [(one.method, one.full_url) for one in trackers.seen] == []

    page.evaluate("window.__still_here = true")
    visit.decide("accept_all")
    _wait_until_it_runs(vendor, visit, trackers)
    assert page.evaluate("window.__still_here") is True, "it ran without a reload"

    visit.reopen_preferences()
    visit.choose("withdraw")
    visit.wait_for(visit.is_refused, "the withdrawal is kept")
    if way == "declared":  # only a reload ends what ran; the gate holds what is sent, too
        page.wait_for_function("window.__still_here === undefined")
    visit.wait_for_delivery()
    page.wait_for_load_state("load")
    wait_until_settled(page, trackers)
    trackers.clear()
    watch_silence(page, trackers, WATCHED_SECONDS)
    page.goto(address)
    watch_silence(page, trackers, WATCHED_SECONDS)
    _expect_nothing(visit, vendor)
    assert [receipt["method"] for receipt in visit.receipts()] == ["withdraw", "accept_all"]


def _expect_nothing(visit: Visit, vendor: Vendor) -> None:
    own = {("cookie", visit.site.cookie_name), ("cookie", "stand_in_visitor")}
    with suppress(AssertionError):  # what is left says more than that something is
        visit.wait_for(lambda: _stored(visit) <= own, f"nothing of {vendor} is left")
    assert _stored(visit) - own == set()


def test_the_documentation_names_exactly_these_libraries_and_versions() -> None:
    assert PAGE.read_text("utf-8") == vendor_table(), "run: python -m tests.browser.vendors.table"
