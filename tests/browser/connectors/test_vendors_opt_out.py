"""Where things run first, each advertiser's library hears who opted out of sale and sharing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.browser.owner_pages import OwnerPages
from tests.browser.running_server import RunningServer
from tests.browser.signals import Signalling
from tests.browser.sites import DemoSite
from tests.browser.tracker_answers import Answer
from tests.browser.trackers import Trackers
from tests.browser.visit import Visit, watch_silence

from .conftest import MakeShop
from .vendor_pages import heard, loads, page_of, wait_until_heard
from .vendors import DENIED, GRANTED, VENDORS, Vendor

Calls = list[list[Any]]

_LIMITED: list[Any] = ["dataProcessingOptions", ["LDU"], 0, 0]
_UNLIMITED: list[Any] = ["dataProcessingOptions", []]


def _clarity(ads: str) -> list[Any]:
    return ["consentv2", {"ad_Storage": ads, "analytics_Storage": "granted"}]


@dataclass(frozen=True)
class Told:
    """What a library hears from a Californian, in order."""

    key: str
    #: On the first page, before a word is said.
    first: Calls
    #: When they opt out, and when they allow it again.
    opted_out: Calls
    again: Calls
    #: On the next page of who opted out; nothing where it is held then.
    back: Calls = field(default_factory=list)
    #: On the first page of a browser that sends GPC; likewise.
    signalled: Calls = field(default_factory=list)
    #: Whether the page is loaded again by the opt-out.
    reloads: bool = False

    def __repr__(self) -> str:
        return self.key

    @property
    def vendor(self) -> Vendor:
        """Its snippet and its stand-in."""
        return next(one for one in VENDORS if one.key == self.key)


TOLD = (
    # Limited Data Use before `init`, and withdrawn for who is not opted out
    # (https://developers.facebook.com/docs/meta-pixel/implementation/data-processing-options).
    Told(
        "meta-pixel",
        first=[
            ["consent", "revoke"],
            _LIMITED,
            _UNLIMITED,
            ["consent", "grant"],
            ["init", "123"],
            ["track", "PageView"],
        ],
        opted_out=[_LIMITED, ["consent", "revoke"]],
        again=[_UNLIMITED, ["consent", "grant"]],
    ),
    # The page that comes after the opt-out holds it; allowed there, it hears all that was said.
    Told(
        "microsoft-uet",
        first=[["consent", "default", GRANTED], ["pageLoad"]],
        opted_out=[["consent", "update", DENIED]],
        again=[
            [
                *("consent", "default", GRANTED),
                *("consent", "update", DENIED),
                *("consent", "update", GRANTED),
            ],
            ["pageLoad"],
        ],
        reloads=True,
    ),
    # Not sold or shared by itself: it goes on, and is told of the advertising.
    Told(
        "microsoft-clarity",
        first=[_clarity("granted")],
        opted_out=[_clarity("denied")],
        again=[_clarity("granted")],
        back=[_clarity("granted"), _clarity("denied")],
        signalled=[_clarity("denied"), _clarity("denied")],
    ),
    Told(
        "tiktok-pixel",
        first=[["holdConsent"], ["grantConsent"], ["page"]],
        opted_out=[["revokeConsent"]],
        again=[["grantConsent"]],
    ),
)

#: Gives a Californian, whose browser may send a signal, on the page of the library.
Arrive = Callable[..., Visit]


@pytest.fixture(params=["chromium", pytest.param("firefox", marks=pytest.mark.soak)])
def browser_name(request: pytest.FixtureRequest) -> str:
    """Calls in a page are the same everywhere."""
    name: str = request.param
    return name


@pytest.fixture(params=TOLD, ids=repr)
def told(request: pytest.FixtureRequest, trackers: Trackers) -> Told:
    """Every test that asks for it runs with each."""
    found: Told = request.param
    script = found.vendor.script.encode()
    trackers.answers[found.vendor.library] = Answer(200, "text/javascript", script)
    return found


@pytest.fixture(scope="module")
def shop(make_shop: MakeShop) -> DemoSite:
    """A site that uses all of them and asks by region; each has a page of its own."""
    return make_shop([one.key for one in TOLD], "", regime="by_region")[0]


@pytest.fixture
def arrive(
    visitors: Signalling, server: RunningServer, shop: DemoSite, owner: OwnerPages, told: Told
) -> Arrive:
    address = page_of(told.vendor, shop, owner, server)

    def arrive(signal: str = "") -> Visit:
        context = visitors(signal, region="US-CA", url=server.url)
        visit = Visit(context.new_page(), shop, server)
        visit.page.goto(address)
        return visit

    return arrive


def test_each_hears_of_an_opt_out_and_of_its_end(
    arrive: Arrive, told: Told, trackers: Trackers
) -> None:
    visit = arrive()
    page, address = visit.page, visit.page.url
    visit.wait_for_notice()
    wait_until_heard(visit, told.first)
    assert visit.decision() is None

    page.evaluate("window.__stays = true")
    visit.choose("opt_out")
    visit.wait_for(lambda: visit.decision() is not None, "the opt-out is kept")
    if told.reloads:
        page.wait_for_function("window.__stays === undefined")
        page.wait_for_load_state("load")
    wait_until_heard(visit, told.first + told.opted_out)
    assert page.evaluate("window.__stays === true") is not told.reloads
    assert loads(told.vendor, trackers) == 1

    visit.reopen_preferences()
    visit.preferences.locator("#switch-marketing").click()
    visit.decide("save")
    wait_until_heard(visit, told.first + told.opted_out + told.again)

    visit.reopen_preferences()
    visit.preferences.locator("#switch-marketing").click()
    visit.choose("save")
    visit.wait_for_delivery()
    page.goto(address)
    page.evaluate("sessionStorage.clear()")
    page.goto(address)
    _expect(visit, told.back)
    assert [one["method"] for one in visit.receipts()] == ["save", "save", "opt_out"]


def test_each_hears_of_a_signal_before_it_runs_or_never_runs(
    arrive: Arrive, told: Told, trackers: Trackers
) -> None:
    visit = arrive("gpc")
    if not told.signalled:
        watch_silence(visit.page, trackers, 0.7)
    _expect(visit, told.signalled)
    visit.wait_for_delivery()
    assert [one["method"] for one in visit.receipts()] == ["gpc"]


def _expect(visit: Visit, calls: Calls) -> None:
    if calls:
        wait_until_heard(visit, calls)
    else:
        visit.page.wait_for_timeout(500)
        assert heard(visit.page) == []
