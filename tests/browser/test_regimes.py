"""Regimes: what runs, what is shown and what is recorded, where the visitor is and as they ask."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from consent_server.catalogue import get_service

from .browsers import Browsers
from .running_server import RunningServer
from .signals import Signalling, SwitchedSignal, property_of, signalling
from .sites import SITES, belongs_to
from .trackers import Trackers
from .visit import Visit, wait_until_settled, watch_silence

UJET = SITES["ujet"]
OPT_OUT = "Do Not Sell or Share My Personal Information"
HONOURED = "Opt-out request honoured: Marketing."

#: Firefox's settings are those of a whole browser: nobody can change them for a page.
in_chromium = pytest.mark.parametrize("browser_name", ["chromium"], indirect=True)


@pytest.fixture
def visitors(browsers: Browsers, browser_name: str, trackers: Trackers) -> Iterator[Signalling]:
    """Makes visitors in a region, whose browser may send a signal."""
    with signalling(browsers, browser_name, trackers) as new:
        yield new


@pytest.fixture
def arrive(visitors: Signalling, server: RunningServer) -> Any:
    """Lets a visitor arrive on the site that asks by region."""

    def arrive(region: str = "", signal: str = "") -> Visit:
        context = visitors(signal, region=region, url=server.url)
        visit = Visit(context.new_page(), UJET, server)
        visit.go()
        return visit

    return arrive


def services_asked(trackers: Trackers) -> set[str]:
    """The services whose own hosts were reached."""
    return {
        key
        for key in UJET.optional_services
        for seen in trackers.requests
        if belongs_to(seen.full_url, get_service(key))
    }


def categories_asked(visit: Visit, trackers: Trackers) -> set[str]:
    wait_until_settled(visit.page, trackers)
    return {UJET.optional_services[key] for key in services_asked(trackers)}


def only_record(visit: Visit) -> dict[str, Any]:
    """The one record of this visitor, as an auditor gets it."""
    visit.wait_for_delivery()
    decision = visit.decision()
    assert decision is not None
    (receipt,) = visit.receipts()
    exported = map(json.loads, visit.server.export("jsonl", "ujet").splitlines())
    record: dict[str, Any]
    (record,) = [one for one in exported if one["event_id"] == receipt["event_id"]]
    assert record["leaf_hash"] == receipt["leaf_hash"]
    return record


def told(record: dict[str, Any]) -> tuple[str, str, str, str]:
    return record["regime"], record["region"], record["method"], record["kind"]


def signal_told(visit: Visit, signal: str) -> str:
    """How the ledger calls it: every engine here sends the header too."""
    return str(visit.receipts()[0]["signals"].get(signal))


def test_must_show_6_california_with_gpc_germany_london_and_nowhere(
    arrive: Any, trackers: Trackers
) -> None:
    # California, with GPC: no nag, all runs but what is sold or shared, and a record at once.
    visit = arrive("US-CA", "gpc")
    entry = visit.page.locator("consent-notice > button.choices")
    entry.wait_for(state="visible")
    assert not visit.notice_is_shown
    assert "Your Privacy Choices" in entry.inner_text()
    assert HONOURED in entry.inner_text()
    assert categories_asked(visit, trackers) == {"analytics"}
    record = only_record(visit)
    assert told(record) == ("opt_out", "US-CA", "gpc", "refused")
    assert record["signals"] == {"gpc": "header", "region": "demo"}
    assert record["grants"]["analytics"] is True
    assert not any(record["grants"][key] for key in ("marketing", "hubspot", "meta-pixel"))
    california = record["script_hash"]
    trackers.clear()

    # Germany, without: nothing runs, everything is asked.
    visit = arrive("DE")
    visit.wait_for_notice()
    watch_silence(visit.page, trackers, 1.0)
    assert visit.decision() is None
    assert visit.notice.get_by_role("button", name=OPT_OUT).count() == 0
    visit.decide("reject_all")
    record = only_record(visit)
    assert told(record) == ("opt_in", "DE", "reject_all", "refused")
    assert record["signals"] == {"region": "demo"}
    germany = record["script_hash"]
    watch_silence(visit.page, trackers, 1.0)

    # London: measured until objected to, and told so.
    visit = arrive("GB")
    visit.wait_for_notice()
    assert "you can object at any time" in visit.notice.inner_text()
    assert categories_asked(visit, trackers) == {"analytics"}
    visit.decide("object")
    record = only_record(visit)
    assert told(record) == ("exempt_analytics", "GB", "object", "refused")
    assert not any(record["grants"].values())
    london = record["script_hash"]
    trackers.clear()
    visit.go()
    visit.page.wait_for_timeout(500)
    watch_silence(visit.page, trackers, 1.0)

    # From nowhere: as strictly as anywhere.
    visit = arrive()
    visit.wait_for_notice()
    watch_silence(visit.page, trackers, 1.0)
    visit.decide("accept_all")
    assert categories_asked(visit, trackers) >= {"analytics", "marketing"}
    record = only_record(visit)
    assert told(record) == ("opt_in", "", "accept_all", "given")
    assert record["signals"] == {}
    assert record["script_hash"] == germany
    assert len({california, germany, london}) == 3


@pytest.mark.parametrize("signal", ["gpc", "dnt"])
def test_section_1_3_in_the_eea_a_signal_keeps_marketing_off_and_the_rest_is_asked(
    arrive: Any, trackers: Trackers, signal: str
) -> None:
    visit = arrive("DE", signal)
    visit.wait_for_notice()
    assert HONOURED in visit.notice.inner_text()
    watch_silence(visit.page, trackers, 0.5)
    assert visit.decision() is None, "nothing is stored before a decision"
    visit.decide("accept_all")
    assert categories_asked(visit, trackers) == {"analytics"}
    visit.wait_for_delivery()
    (receipt,) = visit.receipts()
    assert (receipt["method"], receipt["grants"]["marketing"]) == ("accept_all", False)
    assert receipt["signals"][signal] in {"header", "property"}


@pytest.mark.parametrize("signal", ["gpc", "dnt"])
def test_section_8_7_an_explicit_choice_wins_over_the_signal_and_is_recorded(
    arrive: Any, trackers: Trackers, signal: str
) -> None:
    visit = arrive("US-CA", signal)
    visit.wait_for(lambda: visit.decision() is not None, "the signal is kept")
    visit.reopen_preferences()
    assert HONOURED in visit.preferences.inner_text()
    assert not visit.preferences.locator("#switch-marketing").is_checked()
    visit.preferences.locator("#switch-marketing").click()
    visit.decide("save")
    visit.wait_for_delivery()
    assert "marketing" in categories_asked(visit, trackers)
    visit.go()
    visit.page.wait_for_timeout(500)
    decision = visit.decision()
    assert decision is not None
    assert decision.signal == signal
    assert decision.grants["marketing"], "the same signal takes it back once only"
    methods = [(one["method"], one["grants"]["marketing"]) for one in visit.receipts()]
    assert methods == [("save", True), (signal, False)]
    visit.reopen_preferences()
    assert HONOURED not in visit.preferences.inner_text()


def test_section_1_3_a_signal_is_recorded_once_however_often_pages_are_loaded(
    arrive: Any,
) -> None:
    visit = arrive("US-CA", "gpc")
    for _ in range(3):
        visit.wait_for(lambda: visit.decision() is not None, "the signal is kept")
        visit.wait_for_delivery()
        visit.go()
    assert [one["method"] for one in visit.receipts()] == ["gpc"]
    assert not visit.notice_is_shown


def test_the_opt_out_is_one_click_and_covers_what_is_sold_or_shared(
    arrive: Any, trackers: Trackers
) -> None:
    visit = arrive("US-CA")
    visit.wait_for_notice()
    assert "marketing" in categories_asked(visit, trackers)
    visit.choose("opt_out")
    visit.wait_for_delivery()
    visit.page.wait_for_load_state()
    (receipt,) = visit.receipts()
    assert (receipt["method"], receipt["regime"]) == ("opt_out", "opt_out")
    assert receipt["grants"]["analytics"]
    assert not receipt["grants"]["marketing"]
    trackers.clear()
    visit.go()
    assert categories_asked(visit, trackers) == {"analytics"}


def test_a_notice_that_asks_nothing_is_closed_without_a_decision(arrive: Any) -> None:
    visit = arrive("US-CA")
    visit.wait_for_notice()
    visit.choose("close")
    visit.notice.wait_for(state="detached")
    assert visit.decision() is None
    visit.go()
    entry = visit.page.locator("consent-notice > button.choices")
    entry.wait_for(state="visible")
    assert not visit.notice_is_shown
    entry.click()
    visit.preferences.wait_for(state="visible")
    assert visit.preferences.locator("#switch-marketing").is_checked()


@in_chromium
def test_a_signal_that_comes_later_takes_back_what_was_allowed_before(
    visitors: Signalling, server: RunningServer, trackers: Trackers
) -> None:
    context = visitors("", region="DE", url=server.url)
    visit = Visit(context.new_page(), UJET, server)
    visit.go()
    visit.wait_for_notice()
    visit.decide("accept_all")
    visit.wait_for_delivery()
    wait_until_settled(visit.page, trackers)
    context.set_extra_http_headers({"Sec-GPC": "1"})
    context.add_init_script(property_of("gpc"))
    trackers.clear()
    visit.go()
    visit.wait_for(lambda: len(visit.receipts()) == 2, "the signal is recorded")
    newest = visit.receipts()[0]
    assert (newest["method"], newest["kind"], newest["regime"]) == ("gpc", "changed", "opt_in")
    assert categories_asked(visit, trackers) == {"analytics"}


@in_chromium
def test_a_signal_that_only_the_request_carries_is_followed(
    visitors: Signalling, server: RunningServer, trackers: Trackers
) -> None:
    context = visitors("", region="US-CA", url=server.url, extra_http_headers={"Sec-GPC": "1"})
    visit = Visit(context.new_page(), UJET, server)
    visit.go()
    visit.wait_for(lambda: visit.decision() is not None, "the signal is kept")
    assert categories_asked(visit, trackers) == {"analytics"}
    visit.wait_for_delivery()
    assert visit.receipts()[0]["signals"]["gpc"] == "header"


@in_chromium
def test_what_was_allowed_against_a_signal_stays_when_the_signal_goes_and_comes_back(
    visitors: Signalling, server: RunningServer, trackers: Trackers
) -> None:
    context = visitors("", region="US-CA", url=server.url)
    signal = SwitchedSignal(context, server.url)
    signal.turn(on=True)
    visit = Visit(context.new_page(), UJET, server)
    visit.go()
    visit.wait_for(lambda: visit.decision() is not None, "the signal is kept")
    visit.reopen_preferences()
    visit.preferences.locator("#switch-marketing").click()
    visit.decide("save")
    visit.wait_for_delivery()
    for on in (False, True):
        signal.turn(on=on)
        trackers.clear()
        visit.go()
        assert "marketing" in categories_asked(visit, trackers)
    assert [one["method"] for one in visit.receipts()] == ["save", "gpc"]
    signal.turn(on=False)
    context.add_init_script(property_of("dnt"))
    visit.go()
    visit.wait_for(lambda: len(visit.receipts()) == 3, "another signal takes it back")
