"""Outage: however long the server is away, each choice holds and becomes one record."""

from __future__ import annotations

import datetime as dt
import json
import statistics
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from tests.soak.soak_log import SoakLog

from .browsers import Browsers
from .outage import AWAY, KEY, Times, Visitor, publish_page
from .owner_pages import OwnerPages
from .running_server import UNLIMITED, RunningServer
from .sites import DemoSite
from .trackers import Trackers

#: How much later a page may have loaded than with the server there.
_DELAY_MS = 50
_A_WHILE = 3600.0


@dataclass(frozen=True)
class Crowd:
    """So many browsers side by side, each with so many visitors in each outage."""

    browser: str
    browsers: int
    visitors: int
    outages: int
    #: Of each browser in each outage, before it: they do the same with the server there.
    served: int

    @property
    def people(self) -> int:
        """How many visitors there are in all."""
        return self.browsers * self.visitors * self.outages

    def numbers(self, browser: int, outage: int) -> range:
        """Whose turn it is in one of the browsers."""
        first = (outage * self.browsers + browser) * self.visitors
        return range(first, first + self.visitors)


CROWDS = [
    pytest.param(Crowd("chromium", 1, 6, 1, 2), id="6"),
    pytest.param(Crowd("firefox", 1, 3, 1, 1), id="3-firefox"),
    pytest.param(Crowd("chromium", 5, 10, 20, 3), id="1000", marks=pytest.mark.soak),
]


@dataclass
class Outages:
    """A server that is gone once all have come, and back once all have chosen."""

    crowd: Crowd
    server: RunningServer
    site: DemoSite
    address: str
    trackers: Trackers
    log: SoakLog
    times: Times = field(default_factory=Times)
    chosen: list[Visitor] = field(default_factory=list)
    #: How many chose while it was there.
    served: int = 0

    def __post_init__(self) -> None:
        self._gone = threading.Barrier(self.crowd.browsers, self.server.kill, _A_WHILE)
        self._back = threading.Barrier(self.crowd.browsers, self._start, _A_WHILE)

    def run(self, browsers: Browsers) -> None:
        """Let everybody come: in one browser, or in several, each in a thread."""
        if self.crowd.browsers == 1:
            # Of its own: a Firefox that had shown hundreds of pages no longer kept the script.
            own = Browsers(browsers.playwright, self.trackers)
            self._attend(own, 0)
            own.close()
            return
        with ThreadPoolExecutor(self.crowd.browsers) as pool:
            for done in [pool.submit(self._launch, one) for one in range(self.crowd.browsers)]:
                done.result()

    def _launch(self, number: int) -> None:
        try:
            with sync_playwright() as playwright:
                browsers = Browsers(playwright, self.trackers)
                self._attend(browsers, number)
                browsers.close()
        except BaseException:
            self._gone.abort()  # nobody waits for this one
            self._back.abort()
            raise

    def _attend(self, browsers: Browsers, number: int) -> None:
        for outage in range(self.crowd.outages):
            visitors = [self._invite(browsers, one) for one in self.crowd.numbers(number, outage)]
            for visitor in visitors:
                visitor.arrive()
            for one in range(self.crowd.served):
                # Even numbers: a tab that was just opened is not compared.
                self._serve(self._invite(browsers, 2 * (one + outage * self.crowd.served)))
            self._gone.wait()
            for visitor in visitors:
                visitor.choose()
                visitor.go_on()
                visitor.pass_time()
            self._back.wait()
            for visitor in visitors:
                visitor.come_again()
            self.chosen += visitors

    def _serve(self, visitor: Visitor) -> None:
        visitor.is_served = True
        visitor.arrive()
        visitor.choose()
        visitor.go_on()
        visitor.pass_time()
        visitor.come_again()
        self.served += 1

    def _invite(self, browsers: Browsers, number: int) -> Visitor:
        context = browsers.new_profile(self.crowd.browser, self.trackers)
        context.set_default_timeout(60_000)
        return Visitor(number, context, self.site, self.server, self.address, self.times)

    def _start(self) -> None:
        self.server.start()
        self.log.say(f"back; {len(self.chosen)} visitors of earlier outages came again")


@pytest.mark.parametrize("crowd", CROWDS)
def test_however_long_the_server_is_away_each_choice_holds_and_is_recorded_once(
    browsers: Browsers, trackers: Trackers, owner: OwnerPages, tmp_path: Path, crowd: Crowd
) -> None:
    log = SoakLog("server_away", "The server is away: half a minute, five minutes, a day")
    server = RunningServer(tmp_path, settings=UNLIMITED)
    server.start()
    try:
        site = publish_page(server, owner)
        outages = Outages(crowd, server, site, f"{owner.url}/", trackers, log)
        outages.run(browsers)
    finally:
        server.stop()
    assert len(outages.chosen) == crowd.people
    _audit(outages, log)
    _compare(outages.times, log, strict=crowd.outages > 1)
    if crowd.outages > 1:
        log.keep()


def _audit(outages: Outages, log: SoakLog) -> None:
    """Each choice is one record: what was chosen, and when by both clocks."""
    server, chosen = outages.server, outages.chosen
    server.run_command("ledger", "seal")
    verified = server.run_command("ledger", "verify", "--site", KEY).stdout
    assert "are as they were sealed" in verified
    lines = [json.loads(line) for line in server.export("jsonl", KEY).splitlines()]
    records = {line["event_id"]: line for line in lines}
    assert len(lines) == len(records) == len(chosen) + outages.served
    for visitor in chosen:
        message = visitor.message
        record = records.pop(message["decision_id"])
        assert (record["method"], record["grants"]) == (visitor.method, visitor.grants)
        decided, received, claimed = (
            dt.datetime.fromisoformat(moment)
            for moment in (record["decided_at"], record["received_at"], message["decided_at"])
        )
        assert decided == claimed, "as their clock had it"
        # The server's clock is that of this machine, whatever theirs says.
        assert visitor.arrived < received < visitor.left
        early = (received - decided).total_seconds()
        assert early > (0 if visitor.is_late else visitor.away)
    assert len(records) == outages.served
    log.say(
        f"{len(chosen)} chose while it was away: one record each, as chosen, 0 lost, 0 doubled; "
        f"{len(records)} to compare with chose while it was there; {verified.strip()}"
    )
    for away in AWAY:
        some = [visitor for visitor in chosen if visitor.away == away]
        late = sum(visitor.is_late for visitor in some)
        tabs = sum(visitor.keeps_tab for visitor in some)
        log.say(
            f"away {away} s: {len(some)} visitors, {late} whose clock was that much ahead when "
            f"they came again; {tabs} kept the tab open"
        )


def _compare(times: Times, log: SoakLog, strict: bool) -> None:
    """State how long pages took; where there are enough of them, hold them to the promise."""
    late: dict[str, float] = {}
    for event, found in {"DOMContentLoaded": times.ready, "load": times.loaded}.items():
        medians = {what: statistics.median(some) for what, some in found.items()}
        for kept in ("kept", "gone"):
            there, away = (f"{where}, script {kept}" for where in ("there", "away"))
            if there in medians and away in medians:
                late[f"{event}, script {kept}"] = medians[away] - medians[there]
                log.say(
                    f"{event}, median: {away} {medians[away]:.0f} ms ({len(found[away])} pages); "
                    f"{there} {medians[there]:.0f} ms ({len(found[there])} pages)"
                )
    assert late
    assert not strict or max(late.values()) <= _DELAY_MS, late
