"""A lossy way: answers are lost, requests doubled and late, and each record is one."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from tests.cli.test_killed import audit, read_template
from tests.soak.lossy import LossyWay, lossy_way
from tests.soak.soak_log import SoakLog
from tests.soak.writers import Load

from .browsers import Browsers
from .running_server import UNLIMITED, RunningServer
from .sites import SITES
from .trackers import Trackers
from .visit import Visit

SITE = SITES["smilee"]
#: The outbox waits longer after each failure.
_DELIVERY_SECONDS = 180.0


@pytest.mark.parametrize(
    ("visitors", "people", "clients", "delay"),
    [
        pytest.param(160, 2, 40, 0.2, id="160"),
        pytest.param(10_000, 40, 400, 10.0, id="10000", marks=pytest.mark.soak),
    ],
)
def test_however_lossy_the_way_is_each_decision_is_recorded_once(
    browsers: Browsers,
    trackers: Trackers,
    tmp_path: Path,
    visitors: int,
    people: int,
    clients: int,
    delay: float,
) -> None:
    log = SoakLog("lossy_way", "Answers lost, requests doubled and late")
    server = RunningServer(tmp_path, settings=UNLIMITED)
    server.start()
    try:
        with lossy_way(server.port, delay=delay) as way:
            load = Load(way.port, read_template(server), clients, decisions=visitors // clients)
            began = time.monotonic()
            load.start()
            found = _decide(browsers, trackers, way, tmp_path, people)
            load.wait(3600)
            log.say(f"{time.monotonic() - began:.0f} s; {dict(way.counts)}; {dict(load.answers)}")
    finally:
        server.stop()
    assert load.strange == []
    assert way.counts["lost"] > visitors * 0.1
    assert way.counts["doubled"] > 0
    exported = {record["event_id"]: record for record in audit(server)}
    receipts = load.receipts | {one["event_id"]: one for one in found}
    assert len(load.receipts) == visitors
    assert len(found) == people
    assert exported.keys() == receipts.keys()
    assert {key: exported[key] for key in load.receipts} == load.receipts
    log.say(
        f"{visitors} clients and {people} people in Chromium: {len(exported)} records, each once; "
        "the ledger verifies"
    )
    if visitors > 160:
        log.keep()


def _decide(
    browsers: Browsers, trackers: Trackers, way: LossyWay, folder: Path, people: int
) -> list[dict[str, str]]:
    """Let people decide in a browser; return the record of each."""
    front = RunningServer(folder, port=way.port)
    visits = []
    for number in range(people):
        visit = Visit(browsers.new_profile("chromium", trackers).new_page(), SITE, front)
        visit.go()
        visit.wait_for_notice()
        visit.decide("accept_all" if number % 2 else "reject_all")
        visits.append(visit)
    records = []
    for visit in visits:
        visit.wait_for(
            lambda visit=visit: SITE.outbox_key not in visit.storage().get("local_storage", []),  # type: ignore[misc]
            "delivery",
            _DELIVERY_SECONDS,
        )
        [record] = visit.receipts()
        assert json.dumps(record)
        records.append(record)
        visit.page.context.close()
    return records
