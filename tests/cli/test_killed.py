"""Killed: kill -9 at random moments under many writers loses nothing and doubles nothing."""

from __future__ import annotations

import http.client
import json
import os
import random
import sqlite3
import statistics
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.browser.running_server import UNLIMITED, RunningServer
from tests.soak.posting import Posting, digests
from tests.soak.soak_log import SoakLog

from .serving import Serving, serving

CONNECTIONS = 64
#: Of a server that was killed, until a client hears from it again.
_START_SECONDS = 60.0
_EXPORT = ("audit", "export", "--site", "smilee")


def read_template(server: RunningServer, site: str = "smilee") -> dict[str, Any]:
    """Return a decision that a site takes, without its ids and time."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request("GET", f"/w/{site}.js")
    text = connection.getresponse().read().decode()
    script = json.loads(text.rpartition("})(")[2].removesuffix(");"))
    connection.request("GET", f"/w/{site}/versions/{script['version']}")
    config = json.loads(connection.getresponse().read())["config"]
    connection.close()
    keys = [
        key
        for category in config["categories"]
        if category["key"] != "necessary"
        for key in (category["key"], *category["services"])
    ]
    return {
        "method": "reject_all",
        "layer": "notice",
        "version": script["version"],
        "script": script["script"],
        "language": config["languages"][-1],
        "grants": dict.fromkeys(keys, False),
    }


def audit(server: RunningServer) -> list[dict[str, Any]]:
    """Seal the rest, let the ledger be recomputed, and return what is exported."""
    server.run_command("ledger", "seal")
    verified = server.run_command("ledger", "verify", "--site", "smilee").stdout
    assert "are as they were sealed" in verified
    return [json.loads(line) for line in server.export("jsonl", "smilee").splitlines()]


@pytest.mark.parametrize(
    ("kills", "posts"),
    [
        pytest.param(4, 500, id="4"),
        pytest.param(50, 20_000, id="50", marks=pytest.mark.soak),
    ],
)
def test_what_was_acknowledged_is_stored_exported_and_verified_once(
    published_file: Path, tmp_path: Path, kills: int, posts: int
) -> None:
    log = SoakLog("killed", "Killed at random under many clients")
    (tmp_path / "consent.sqlite").write_bytes(published_file.read_bytes())
    server = RunningServer(
        tmp_path,
        settings={
            "CONSENT_DATABASE_URL": f"sqlite:///{tmp_path / 'consent.sqlite'}",
            **UNLIMITED,
        },
    )
    posting = _kill_while_posting(server, kills, posts, log)
    assert posting.retried > 0, "nobody was ever cut off"
    assert posting.answers["200"] > 0 or kills < 50, "nothing was ever kept and not told"
    assert len(posting.told) == kills * posts
    _audit_told(server, posting.told, log)
    if kills >= 50:
        _audit_bundle(server, posting.told, log)
        log.say(f"{len(posting.told)} acknowledged: 0 missing, 0 doubled, 0 not verifiable")
        log.keep()


def _kill_while_posting(server: RunningServer, kills: int, posts: int, log: SoakLog) -> Posting:
    """Kill once at a random moment of each so many posts, and let the last be brought home."""
    posting = Posting(server.port, {}, kills * posts, CONNECTIONS)
    began, ready, taken, worked = time.monotonic(), [], [], []
    try:
        for number in range(kills + 1):
            known, started = len(posting.told), time.monotonic()
            with _served(server) as running:  # which ends with kill -9
                ready.append(time.monotonic() - started)
                worked.append(_processor_seconds(running.process.pid))
                if number == 0:
                    posting.template = read_template(server)
                    posting.start()
                # The last kill may come when all is told.
                more = min(known + 1, kills * posts)
                taken.append(ready[-1] + posting.wait_for(more, _START_SECONDS))
                if number < kills:
                    posting.wait_for(number * posts + random.randrange(posts), 600)
                else:
                    posting.wait(600)
            log.say(
                f"{len(posting.told)} acknowledged; ready {ready[-1]:.1f} s after the start, the "
                f"first taken after {taken[-1]:.1f} s; load {os.getloadavg()[0]:.1f}"
            )
    finally:
        posting.give_up()
    seconds = time.monotonic() - began
    log.say(
        f"{kills * posts} decisions on {CONNECTIONS} connections, {kills} kills, {seconds:.0f} s: "
        f"{kills * posts / (seconds - sum(taken)):.0f} a second while it ran; "
        f"{dict(posting.answers)}; {posting.retried} sent more than once"
    )
    told = {"ready": ready, "the first was taken": taken, "ready, of a processor's time": worked}
    for what, (_, *times) in told.items():
        log.say(
            f"from a start after a kill until {what}: median {statistics.median(times):.1f} s, "
            f"longest {max(times):.1f} s"
        )
    return posting


def _processor_seconds(process: int) -> float:
    """Return the time of a processor that it took so far (proc(5))."""
    fields = Path(f"/proc/{process}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def _served(server: RunningServer) -> Iterator[Serving]:
    """Run it as an operator does, not as a demonstration."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CONSENT_")}
    environment = kept | server.settings
    with serving(
        "run", environment=environment, folder=server.data_dir, port=server.port
    ) as running:
        yield running


def _audit_told(server: RunningServer, told: dict[str, bytes], log: SoakLog) -> None:
    """Compare what clients were told with what is stored, verified and exported."""
    server.run_command("ledger", "seal")
    verified = server.run_command("ledger", "verify", "--site", "smilee").stdout
    assert "are as they were sealed" in verified
    log.say(f"sealed and verified: {verified.splitlines()[0]}")
    with sqlite3.connect(server.data_dir / "consent.sqlite") as connection:
        [stored] = connection.execute("SELECT count(*) FROM consent_event").fetchone()
    assert stored == len(told)
    lines = server.data_dir / "records.jsonl"
    server.run_command(*_EXPORT, "--format", "jsonl", "-o", str(lines))
    with lines.open("rb") as exported:
        _compare(exported, told)
    log.say("stored and exported: each that was acknowledged, once, as it was told")


def _audit_bundle(server: RunningServer, told: dict[str, bytes], log: SoakLog) -> None:
    """Compare it with a bundle, too, and let both verifiers read that."""
    bundle = server.data_dir / "bundle.zip"
    server.run_command(*_EXPORT, "-o", str(bundle))
    with zipfile.ZipFile(bundle) as archive:
        with archive.open("records.jsonl") as bundled:
            _compare(bundled, told)
        archive.extract("verify.py", server.data_dir)
    log.say("bundled: the same")
    said = server.run_command("audit", "verify", str(bundle)).stdout.splitlines()
    log.say(f"audit verify: {len(said)} lines, no error; {said[0]}")
    alone = [sys.executable, "-I", str(server.data_dir / "verify.py"), str(bundle)]
    done = subprocess.run(alone, check=True, capture_output=True, text=True)
    log.say(f"verify.py: {done.stdout.splitlines()[-1]}")


def _compare(lines: Iterable[bytes], told: dict[str, bytes]) -> None:
    """Fail at the first record that nobody was told of, and when one is not there."""
    left = dict(told)
    for key, found in digests(lines):
        assert left.pop(key, None) == found, f"{key} is doubled, or nobody was told of it"
    assert left == {}, "acknowledged and not there"
