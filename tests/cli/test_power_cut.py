"""Power cuts: at any moment, with any part of what was not synced, nothing acknowledged is lost."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from consent_server.ledger_check import check_ledger
from consent_server.sealing import origins_of, seal_waiting
from consent_server.signing import Signer, open_signer
from consent_server.sites import find_site
from consent_server.store.database import Database
from consent_server.store.models import ConsentEvent
from tests.browser.running_server import UNLIMITED, RunningServer
from tests.soak.power import CALLS, Disk, Event, Sync, Write, read_trace
from tests.soak.soak_log import SoakLog
from tests.soak.writers import Load

from .serving import wait_until
from .test_killed import read_template
from .test_run import free_port

WRITERS = 8
#: Left to SQLite: it makes this file anew from the journal.
_SHARED = "-shm"


def record(folder: Path, decisions: int) -> tuple[list[Event], Load]:
    """Let a server under strace take decisions, and end; return what it did."""
    port, trace = free_port(), folder / "trace"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CONSENT_")}
    settings = {
        "CONSENT_DATABASE_URL": f"sqlite:///{folder / 'data' / 'consent.sqlite'}",
        "CONSENT_KEY_FOLDER": str(folder / "keys"),
        **UNLIMITED,
    }
    command = ["strace", "-f", "-qq", "-xx", "-y", "-s", "1000000", "-e", f"trace={CALLS}"]
    command += ["-e", "signal=none", "-o", str(trace), sys.executable, "-m", "consent_server"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "run", "--port", str(port)],
            env=kept | settings,
            cwd=folder,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    server = RunningServer(folder, port=port, settings=settings)
    try:
        wait_until(lambda: process.poll() is not None or server.is_ready())
        assert process.poll() is None, (folder / "log").read_text("utf-8")
        load = Load(port, read_template(server), WRITERS, decisions=decisions // WRITERS)
        load.start()
        load.wait(600)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text("utf-8")
        os.kill(int(children.split()[0]), signal.SIGTERM)
        process.wait(60)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(30)
    return read_trace(trace, folder / "data"), load


def look(files: dict[str, bytes], folder: Path, signer: Signer, acknowledged: set[str]) -> int:
    """Open what a power cut left; everything acknowledged is there, and it verifies."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, content in files.items():
        if not name.endswith(_SHARED):
            (folder / name).write_bytes(content)
    connection = sqlite3.connect(folder / "consent.sqlite")
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()
    database = Database(f"sqlite:///{folder / 'consent.sqlite'}")
    try:
        seal_waiting(database, signer, now=datetime.now(UTC))
        with database.read() as session:
            site = find_site(session, "smilee")
            found = {
                str(one)
                for one in session.scalars(
                    select(ConsentEvent.event_id).where(ConsentEvent.site_id == site.id)
                )
            }
            keys = [key for name in origins_of(session, site) for key in signer.verifiers(name)]
            leaves = check_ledger(session, site, keys).leaves
    finally:
        database.close()
    assert acknowledged <= found, f"lost: {acknowledged - found}"
    # Beside the decisions stand the publication of the site and the key of the ledger.
    assert leaves == len(found) + 2
    return len(found)


@pytest.mark.parametrize(
    ("decisions", "cuts"),
    [
        pytest.param(40, 25, id="25"),
        pytest.param(1_600, 500, id="500", marks=pytest.mark.soak),
    ],
)
def test_whatever_the_disk_kept_of_what_was_not_synced_nothing_acknowledged_is_lost(
    published_file: Path, tmp_path: Path, decisions: int, cuts: int
) -> None:
    log = SoakLog("power_cut", "Power cuts while decisions are taken")
    chance = random.Random(decisions)
    (tmp_path / "data").mkdir()
    shutil.copyfile(published_file, tmp_path / "data" / "consent.sqlite")
    before = {"consent.sqlite": bytearray(published_file.read_bytes())}
    events, load = record(tmp_path, decisions)
    writes = [one for one in events if isinstance(one, Write)]
    syncs = [one for one in events if isinstance(one, Sync)]
    log.say(
        f"{len(load.receipts)} decisions acknowledged; {len(writes)} writes, {len(syncs)} syncs, "
        f"{len({one.file for one in writes})} files"
    )
    assert len(syncs) > WRITERS / 2
    # The journal is brought into the database now and then, when it has grown.
    assert cuts <= 25 or {one.file for one in writes} >= {"consent.sqlite", "consent.sqlite-wal"}
    disk = Disk(before)
    places = set(chance.sample(range(len(events)), min(cuts, len(events))))
    looked = found = most = 0
    for place, event in enumerate(events):
        disk.take(place, event)
        if place in places:
            # What was published later is forgotten here: the keys of then sign at any time.
            keys = tmp_path / "cut-keys"
            shutil.rmtree(keys, ignore_errors=True)
            shutil.copytree(tmp_path / "keys", keys)
            shutil.rmtree(keys / "published")
            signer = open_signer(keys, now=datetime.now(UTC))
            found += look(disk.cut(chance), tmp_path / "cut", signer, disk.acknowledged)
            looked += 1
            most = max(most, len(disk.pending))
    assert disk.acknowledged == set(load.receipts), "an answer was not seen"
    log.say(
        f"{looked} cuts, up to {most} writes not synced: 0 acknowledged decisions lost, every "
        f"database whole, every ledger verifies ({found} records looked at)"
    )
    if cuts > 25:
        log.keep()
