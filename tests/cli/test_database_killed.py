"""The database killed: PostgreSQL ends at once under many writers, and nothing is lost or twice."""

from __future__ import annotations

import os
import random
import time
import urllib.request
from pathlib import Path

import pytest

from consent_server.cli.demo_sites import publish_demo_sites
from consent_server.cli.opening import prepare_database
from consent_server.config import Settings
from tests.browser.running_server import UNLIMITED, RunningServer
from tests.soak.soak_log import SoakLog
from tests.soak.writers import Load
from tests.store.postgresql import running_postgresql

from .serving import serving
from .test_killed import audit, read_template
from .test_run import free_port

WRITERS = 32


@pytest.mark.parametrize(
    "crashes", [pytest.param(2, id="2"), pytest.param(20, id="20", marks=pytest.mark.soak)]
)
def test_what_was_acknowledged_outlives_a_database_that_ends_at_once(
    tmp_path: Path, crashes: int
) -> None:
    log = SoakLog("database_killed", "PostgreSQL stopped at once, again and again, under load")
    port = free_port()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CONSENT_")}
    with running_postgresql() as database:
        url = database.make_database()
        settings = {
            "CONSENT_DATABASE_URL": url,
            "CONSENT_KEY_FOLDER": str(tmp_path / "keys"),
            **UNLIMITED,
        }
        prepare_database(Settings(database_url=url))
        publish_demo_sites(Settings(database_url=url, port=port))
        server = RunningServer(tmp_path, port=port, settings=settings)
        with serving("run", environment=kept | settings, folder=tmp_path, port=port) as process:
            load = Load(port, read_template(server), WRITERS)
            load.start()
            try:
                for _ in range(crashes):
                    time.sleep(random.uniform(0.2, 1.0))
                    database.crash()
                    time.sleep(random.uniform(0.0, 0.5))
                    crashed = time.monotonic()
                    database.start()
                    while load.latest() < crashed:
                        assert time.monotonic() - crashed < 30, "decisions were never taken again"
                        time.sleep(0.02)
                    log.say(f"taken again {time.monotonic() - crashed:.1f} s after the start")
            finally:
                load.finish(60)
            assert process.process.poll() is None
            with urllib.request.urlopen(f"{process.url}/readyz", timeout=10) as answer:
                assert answer.status == 200
            exported = audit(server)
    log.say(f"{crashes} crashes; {dict(load.answers)}; {len(load.retried)} sent more than once")
    assert load.strange == []
    assert load.retried, "nobody ever noticed"
    assert len(exported) == len(load.receipts) > WRITERS
    assert {record["event_id"]: record for record in exported} == load.receipts
    log.say(f"{len(exported)} acknowledged = stored = exported; the ledger verifies")
    if crashes > 2:
        log.keep()
