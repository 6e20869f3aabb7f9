"""Unasked: what only ran where nobody is asked is no consent where visitors are asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from .browsers import Browsers
from .running_server import RunningServer
from .signals import Signalling, signalling
from .test_regimes import UJET, categories_asked
from .trackers import Trackers
from .visit import Visit, watch_silence

MARKS = "~!asked~!asked-any"


@pytest.fixture(params=["chromium"])
def browser_name(request: pytest.FixtureRequest) -> str:
    """Nothing here depends on the browser."""
    name: str = request.param
    return name


class Traveller:
    """A browser that goes from region to region, and keeps what it stored."""

    def __init__(self, new: Signalling, server: RunningServer, trackers: Trackers) -> None:
        self.new, self.server, self.trackers = new, server, trackers
        self.signal = ""
        self.state: Any = None

    def arrive(self, region: str) -> Visit:
        """Arrive with no script in the cache: those of two regions are two."""
        kept = {"storage_state": self.state} if self.state else {}
        context = self.new(self.signal, region=region, url=self.server.url, **kept)
        self.trackers.clear()
        visit = Visit(context.new_page(), UJET, self.server)
        visit.go()
        return visit

    def leave(self, visit: Visit) -> None:
        """Take what the browser stored along."""
        self.state = visit.page.context.storage_state()
        visit.page.close()


@pytest.fixture
def traveller(
    browsers: Browsers, browser_name: str, server: RunningServer, trackers: Trackers
) -> Iterator[Traveller]:
    with signalling(browsers, browser_name, trackers) as new:
        yield Traveller(new, server, trackers)


def cookie_of(visit: Visit) -> str:
    return visit.cookies()[UJET.cookie_name]


def assert_asked(visit: Visit, trackers: Trackers) -> None:
    """Everything is asked, and nothing optional runs."""
    visit.wait_for_notice()
    watch_silence(visit.page, trackers, 1.0)
    assert visit.page.evaluate("consent.decided") is False
    optional = [*UJET.optional_services, *UJET.optional_services.values()]
    granted = visit.page.evaluate("keys => keys.filter((key) => consent.grants[key])", optional)
    assert granted == []


def assert_settled(visit: Visit, trackers: Trackers, *categories: str) -> None:
    """Nothing is asked, and services of exactly these categories run."""
    visit.page.wait_for_function("window.consent?.decided")
    assert categories_asked(visit, trackers) == set(categories)
    assert not visit.notice_is_shown


@pytest.mark.parametrize("signal", ["", "gpc"])
def test_what_an_opt_out_left_running_in_california_is_asked_for_in_germany(
    traveller: Traveller, trackers: Trackers, signal: str
) -> None:
    traveller.signal = signal
    visit = traveller.arrive("US-CA")
    if not signal:
        visit.wait_for_notice()
        visit.choose("opt_out")
    visit.wait_for(lambda: visit.decision() is not None, "it is kept")
    visit.wait_for_delivery()
    assert MARKS in cookie_of(visit)
    assert visit.page.evaluate("Object.keys(consent.grants).filter(k => /^asked/.test(k))") == []
    assert visit.page.evaluate("consent.grants.analytics") is True
    first = visit.decision()
    traveller.leave(visit)

    visit = traveller.arrive("US-CA")
    assert_settled(visit, trackers, "analytics")
    traveller.leave(visit)

    visit = traveller.arrive("DE")
    assert_asked(visit, trackers)
    assert visit.decision() == first, "nothing is written before the answer"
    visit.decide("reject_all" if not signal else "accept_all")
    visit.wait_for_delivery()
    assert "asked" not in cookie_of(visit)
    second = visit.decision()
    assert first is not None
    assert second is not None
    assert second.subject_id == first.subject_id
    assert [one["regime"] for one in visit.receipts()] == ["opt_in", "opt_out"]
    traveller.leave(visit)

    # The answer holds everywhere.
    for region in ("US-CA", "DE"):
        visit = traveller.arrive(region)
        assert_settled(visit, trackers, *(["analytics"] if signal else []))
        assert visit.decision() == second
        traveller.leave(visit)


@pytest.mark.parametrize("answer", ["reject_all", "accept_all"])
def test_an_answer_to_everything_in_california_is_one_in_germany(
    traveller: Traveller, trackers: Trackers, answer: str
) -> None:
    visit = traveller.arrive("US-CA")
    visit.wait_for_notice()
    visit.open_preferences()
    visit.preferences.locator(f"[data-consent-action={answer}]").click()
    visit.wait_for(lambda: visit.decision() is not None, "it is kept")
    visit.wait_for_delivery()
    assert "asked" not in cookie_of(visit)
    traveller.leave(visit)
    visit = traveller.arrive("DE")
    visit.page.wait_for_function("window.consent?.decided")
    assert ("analytics" in categories_asked(visit, trackers)) == (answer == "accept_all")
    assert not visit.notice_is_shown


def test_the_server_spells_it_as_the_script_does_also_when_it_comes_from_another_region(
    traveller: Traveller, trackers: Trackers
) -> None:
    visit = traveller.arrive("US-CA")
    visit.wait_for_notice()
    visit.page.context.route("**/decisions?*", lambda route: route.abort())
    visit.open_preferences()
    visit.preferences.locator("#switch-marketing").click()
    visit.choose("save")
    visit.wait_for(lambda: visit.decision() is not None, "it is kept")
    written = cookie_of(visit)
    assert written.endswith(MARKS)
    traveller.leave(visit)

    visit = traveller.arrive("DE")  # which sends what waits
    visit.wait_for_delivery()
    assert_asked(visit, trackers)
    assert cookie_of(visit) == written
    (receipt,) = visit.receipts()
    assert (receipt["method"], receipt["regime"]) == ("save", "opt_out")
    assert not receipt["grants"].keys() & {"asked", "asked-any"}


def test_in_the_kingdom_only_measurement_runs_until_it_is_answered_there(
    traveller: Traveller, trackers: Trackers
) -> None:
    visit = traveller.arrive("US-CA")
    visit.wait_for_notice()
    visit.choose("opt_out")
    visit.wait_for(lambda: visit.decision() is not None, "it is kept")
    visit.wait_for_delivery()
    traveller.leave(visit)

    visit = traveller.arrive("GB")
    visit.wait_for_notice()
    assert categories_asked(visit, trackers) == {"analytics"}
    assert visit.page.evaluate("[consent.decided, !!consent.grants.functional]") == [False, False]
    visit.open_preferences()
    visit.choose("save")
    visit.wait_for_delivery()
    assert "~!asked" in cookie_of(visit)
    assert "asked-any" not in cookie_of(visit)
    traveller.leave(visit)

    for region in ("GB", "US-CA"):
        visit = traveller.arrive(region)
        assert_settled(visit, trackers, "analytics")
        traveller.leave(visit)
    assert_asked(traveller.arrive("DE"), trackers)
