"""Each vendor's own library hears the calls that its documentation names, in their order."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.browser.conftest import NewProfile
from tests.browser.owner_pages import OwnerPages
from tests.browser.running_server import RunningServer
from tests.browser.sites import DemoSite
from tests.browser.tracker_answers import Answer
from tests.browser.trackers import Trackers
from tests.browser.visit import Visit, watch_silence

from .conftest import MakeShop
from .vendor_pages import loads, page_of, wait_until_heard
from .vendors import SILENT, VENDORS, Vendor


@pytest.fixture
def browser_name() -> str:
    """Chromium alone: calls in a page are the same everywhere."""
    return "chromium"


@pytest.fixture(params=(*VENDORS, *SILENT), ids=repr)
def vendor(request: pytest.FixtureRequest, trackers: Trackers) -> Vendor:
    """Every test that asks for it runs with each vendor."""
    found: Vendor = request.param
    trackers.answers[found.library] = Answer(200, "text/javascript", found.script.encode())
    return found


@pytest.fixture(scope="module")
def shop(make_shop: MakeShop) -> DemoSite:
    """A site that uses every one of them; each has a page of its own."""
    return make_shop([vendor.key for vendor in (*VENDORS, *SILENT)], "")[0]


def test_each_hears_its_calls_from_the_first_visit_to_a_withdrawal_and_back(
    new_profile: NewProfile,
    server: RunningServer,
    trackers: Trackers,
    shop: DemoSite,
    owner: OwnerPages,
    vendor: Vendor,
) -> None:
    visit = Visit(new_profile().new_page(), shop, server)
    address = page_of(vendor, shop, owner, server)
    page = visit.page
    page.goto(address)
    visit.wait_for_notice()
    watch_silence(page, trackers, 0.5)

    visit.decide("reject_all")
    watch_silence(page, trackers, 0.5)
    visit.reopen_preferences()
    visit.decide("accept_all")
    # Told no by the first answer where the vendor is told each answer, before it is there.
    granted = vendor.granted
    if vendor.key in {"microsoft-uet", "microsoft-clarity"}:
        granted = _with_first_refusal(vendor)
    wait_until_heard(visit, granted)
    assert loads(vendor, trackers) == 1

    page.evaluate("window.__stays = true")
    visit.reopen_preferences()
    visit.choose("withdraw")
    visit.wait_for(visit.is_refused, "the withdrawal is kept")
    if not vendor.stops:
        page.wait_for_function("window.__stays === undefined")
        page.wait_for_load_state("load")
    wait_until_heard(visit, granted + vendor.revoked)
    assert loads(vendor, trackers) == 1
    if vendor.stops:
        assert page.evaluate("window.__stays") is True
        visit.reopen_preferences()
        visit.decide("accept_all")
        wait_until_heard(visit, granted + vendor.revoked + vendor.again)
        assert page.evaluate("window.__stays") is True
        assert loads(vendor, trackers) == 1


def _with_first_refusal(vendor: Vendor) -> list[list[object]]:
    refusal = vendor.revoked[0]
    first, *rest = vendor.granted
    if vendor.key == "microsoft-uet":  # its queue is one flat list
        return [[*first[:3], *refusal, *first[3:]], *rest]
    return [first, refusal, *rest]


def test_a_visitor_who_comes_back_is_told_before_the_tag_runs(
    new_profile: NewProfile,
    server: RunningServer,
    trackers: Trackers,
    shop: DemoSite,
    owner: OwnerPages,
    vendor: Vendor,
) -> None:
    visit = Visit(new_profile().new_page(), shop, server)
    address = page_of(vendor, shop, owner, server)
    visit.page.goto(address)
    visit.wait_for_notice()
    visit.decide("accept_all")
    wait_until_heard(visit, vendor.granted)
    visit.page.evaluate("sessionStorage.clear()")
    visit.page.goto(address)
    wait_until_heard(visit, vendor.granted)
    assert loads(vendor, trackers) == 2


def test_a_snippet_that_finishes_its_function_by_its_global_name_runs_to_its_end(
    new_profile: NewProfile,
    server: RunningServer,
    trackers: Trackers,
    shop: DemoSite,
    owner: OwnerPages,
) -> None:
    own = """window.fbq = window.fbq || function () { fbq.queue.push(arguments); };
fbq.queue = fbq.queue || [];
fbq('init', '123');
fbq('track', 'PageView');
document.head.append(Object.assign(document.createElement('script'), {
  src: 'https://connect.facebook.net/en_US/fbevents.js'
}));"""
    fake = """fbq.queue.splice(0).forEach((call) => record(...call));
fbq.queue.push = (call) => record(...call);"""
    pixel = replace(next(one for one in VENDORS if one.key == "meta-pixel"), snippet=own, fake=fake)
    trackers.answers[pixel.library] = Answer(200, "text/javascript", pixel.script.encode())
    visit = Visit(new_profile().new_page(), shop, server)
    visit.page.goto(page_of(pixel, shop, owner, server))
    visit.wait_for_notice()
    visit.decide("accept_all")
    wait_until_heard(visit, pixel.granted)
    assert loads(pixel, trackers) == 1
