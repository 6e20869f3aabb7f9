"""Closed tabs: however soon a tab goes after the answer, the choice is in the record later."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.soak.soak_log import SoakLog

from .browsers import Browsers
from .running_server import UNLIMITED, RunningServer
from .sites import SITES
from .trackers import Trackers
from .visit import Visit

SITE = SITES["smilee"]
#: From the answer to the end of the tab, in milliseconds.
DELAYS = (0, 5, 50, 500)


@pytest.mark.parametrize(
    "rounds", [pytest.param(1, id="4"), pytest.param(50, id="200", marks=pytest.mark.soak)]
)
def test_a_tab_that_closes_after_the_answer_leaves_its_record_with_the_next_visit(
    browsers: Browsers, trackers: Trackers, tmp_path: Path, rounds: int
) -> None:
    log = SoakLog("closed_tabs", "Tabs closed soon after the answer")
    server = RunningServer(tmp_path, settings=UNLIMITED)
    server.start()
    late: dict[int, int] = dict.fromkeys(DELAYS, 0)
    try:
        for number in range(rounds * len(DELAYS)):
            delay = DELAYS[number % len(DELAYS)]
            action = "accept_all" if number // len(DELAYS) % 2 else "reject_all"
            late[delay] += _close_after(browsers, trackers, server, action, delay)
        log.say(f"{rounds * len(DELAYS)} tabs closed, {rounds} after each of {DELAYS} ms")
        log.say(f"left for the next visit to send, by the delay: {late}")
        exported = server.export("jsonl", SITE.key).splitlines()
    finally:
        server.stop()
    assert len(exported) == rounds * len(DELAYS)
    log.say(f"{len(exported)} records, one each: 0 lost, 0 doubled")
    if rounds > 1:
        log.keep()


def _close_after(
    browsers: Browsers, trackers: Trackers, server: RunningServer, action: str, delay: int
) -> bool:
    """Decide, close the tab, come back; tell whether it was the next visit that sent it."""
    context = browsers.new_profile("chromium", trackers)
    try:
        visit = Visit(context.new_page(), SITE, server)
        visit.go()
        visit.wait_for_notice()
        visit.choose(action)
        visit.page.wait_for_timeout(delay)
        visit.page.close()
        back = Visit(context.new_page(), SITE, server)
        decision = back.decision()
        assert decision is not None, "the cookie is there before the tab can close"
        was_late = not back.receipts()
        back.go("contact")
        back.wait_for_delivery()
        assert not back.notice_is_shown
        assert [one["method"] for one in back.receipts()] == [action]
    finally:
        context.close()
    return was_late
