"""How soon the page answers a press: beside a notice written by hand, on a slowed processor."""

from __future__ import annotations

import pytest

from tests.bench.inp import ACTIONS, prepared, ratio

from .browsers import Browsers
from .running_server import RunningServer
from .trackers import Trackers

_ROUNDS = 3
#: The aim is 1.25, which `python -m tests.bench.inp` measures over many rounds; so few of them on
#: a busy machine can only tell that something has become slow.
_ALLOWED = 2.5


@pytest.fixture(params=["chromium"])
def browser_name(request: pytest.FixtureRequest) -> str:
    """Only Chromium can be slowed down."""
    return str(request.param)


@pytest.mark.soak
def test_no_answer_takes_much_longer_than_in_a_notice_written_by_hand(
    browsers: Browsers, server: RunningServer, trackers: Trackers
) -> None:
    with prepared(server, browsers, trackers) as bench:
        found = bench.run(_ROUNDS)
    assert list(found) == list(ACTIONS)
    ratios = {action: round(ratio(times), 2) for action, times in found.items()}
    assert max(ratios.values()) <= _ALLOWED, ratios
