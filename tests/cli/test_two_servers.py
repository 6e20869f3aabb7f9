"""Two servers on one SQLite file: no client hears of a lock, and no index is missing."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.browser.running_server import UNLIMITED, RunningServer
from tests.soak.soak_log import SoakLog
from tests.soak.writers import Load

from .serving import serving
from .test_killed import audit, read_template
from .test_run import free_port

#: Of each of the two servers.
WRITERS = 8


@pytest.mark.parametrize(
    "posts",
    [pytest.param(1_600, id="1600"), pytest.param(100_000, id="100000", marks=pytest.mark.soak)],
)
def test_each_decision_gets_an_index_of_its_own_and_none_is_left_out(
    published_file: Path, tmp_path: Path, posts: int
) -> None:
    log = SoakLog("two_servers", "Two servers on one SQLite file")
    file = tmp_path / "consent.sqlite"
    file.write_bytes(published_file.read_bytes())
    settings = {
        "CONSENT_DATABASE_URL": f"sqlite:///{file}",
        "CONSENT_THREADS": "4",
        **UNLIMITED,
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CONSENT_")}
    with ExitStack() as stack:
        ports = free_port(), free_port()
        for port in ports:
            stack.enter_context(
                serving("run", environment=kept | settings, folder=tmp_path, port=port)
            )
        server = RunningServer(tmp_path, port=ports[0], settings=settings)
        template = read_template(server)
        each = posts // len(ports) // WRITERS
        loads = [Load(port, template, WRITERS, decisions=each) for port in ports]
        began = time.monotonic()
        for load in loads:
            load.start()
        for load in loads:
            load.wait(3600)
        seconds = time.monotonic() - began
        exported = audit(server)
    for number, load in enumerate(loads, 1):
        assert load.strange == []
        assert set(load.answers) == {"201"}, "every one was taken the first time"
        log.say(
            f"server {number}: {len(load.receipts)} decisions, p50 "
            f"{load.percentile(0.5) * 1000:.0f} ms, p99 {load.percentile(0.99) * 1000:.0f} ms"
        )
    log.say(f"{posts} decisions in {seconds:.0f} s: {posts / seconds:.0f} a second")
    receipts = loads[0].receipts | loads[1].receipts
    assert len(receipts) == len(exported) == posts
    assert {record["event_id"]: record for record in exported} == receipts
    leaves, first, last, events = _indices(file)
    assert (first, last) == (0, leaves - 1)
    assert events == posts
    log.say(f"{leaves} leaves with the indices {first} to {last}, none missing; it verifies")
    if posts > 1_600:
        log.keep()


def _indices(file: Path) -> tuple[int, int, int, int]:
    """Return number, first and last index of the Smilee site's leaves, and its decisions."""
    connection = sqlite3.connect(file)
    of_site = "WHERE site_id = (SELECT id FROM site WHERE key = 'smilee')"
    leaves = connection.execute(
        f"SELECT count(*), min(leaf_index), max(leaf_index) FROM ledger_leaf {of_site}"
    ).fetchone()
    [events] = connection.execute(f"SELECT count(*) FROM consent_event {of_site}").fetchone()
    connection.close()
    return (*leaves, events)
