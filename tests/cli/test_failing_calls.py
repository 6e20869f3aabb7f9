"""Failing calls: each write, sync and rename of a real server fails or kills it, in turn."""

from __future__ import annotations

import http.client
import json
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from consent_server.cli.opening import now
from consent_server.rules.times import spell_time
from tests.browser.running_server import RunningServer
from tests.soak.soak_log import SoakLog
from tests.soak.writers import post_decision

from .serving import wait_until
from .test_killed import audit, read_template

#: How a call fails. SIGKILL comes before it is carried out.
EFFECTS = ("error=EIO", "error=ENOSPC", "signal=SIGKILL")
#: Calls to the files of the database, and the one that puts a file of the key folder in place.
CALLS = ("pwrite64", "fdatasync", "rename")
ALL = tuple((call, effect) for call in CALLS for effect in EFFECTS)
#: One of each kind, with one restart.
SOME = (
    ("pwrite64", "error=ENOSPC"),
    ("pwrite64", "signal=SIGKILL"),
    ("fdatasync", "error=EIO"),
    ("rename", "error=EIO"),
)
#: More calls of one kind than one decision makes.
MANY = 60


@dataclass
class Client:
    """Sends decisions and keeps every receipt."""

    server: RunningServer
    template: dict[str, Any]
    receipts: dict[str, dict[str, Any]] = field(default_factory=dict)
    proof: str = ""

    def decision(self) -> dict[str, Any]:
        return {
            **self.template,
            "decision_id": str(uuid4()),
            "subject_id": uuid4().hex,
            "decided_at": spell_time(now()),
        }

    def send(self, decision: dict[str, Any]) -> int:
        """Return the status; 0 when the connection broke."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=30)
        try:
            answer, body = post_decision(connection, decision, self.proof)
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            connection.close()
        if answer.status == 403 and "proof" in json.loads(body):
            self.proof = json.loads(body)["proof"]  # as the widget does
            return self.send(decision)
        if answer.status in {200, 201}:
            self.receipts[decision["decision_id"]] = json.loads(body)
        else:
            assert answer.status in {503, 507}, body
            assert answer.headers["Retry-After"]
        return answer.status


@contextmanager
def failing(server: RunningServer, call: str, nth: int, effect: str) -> Iterator[Path]:
    """Let the n-th call of each thread of the server fail; gives the file with what was seen."""
    seen = server.data_dir / f"trace-{time.monotonic_ns()}"
    # Nothing but the key folder is renamed into; of the other calls those to the database.
    ends = () if call == "rename" else ("", "-wal", "-journal")
    files = [server.data_dir / f"consent.sqlite{end}" for end in ends]
    processes = server.processes()
    command = ["strace", "-f", "-qq", "-o", str(seen), "-e", f"trace={call}"]
    command += ["-e", f"inject={call}:{effect}:when={nth}"]
    command += [one for file in files for one in ("-P", str(file))]
    command += [one for process in processes for one in ("-p", str(process))]
    strace = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        wait_until(lambda: strace.poll() is not None or all(map(_is_traced, processes)))
        # It may have met its call already, in the server's own work, and killed what it followed.
        ended_early = strace.poll() is not None and "killed by SIGKILL" not in _read(seen)
        assert not ended_early, strace.stderr.read() if strace.stderr else ""
        yield seen
    finally:
        strace.send_signal(signal.SIGINT)
        try:
            strace.communicate(timeout=5)
        except subprocess.TimeoutExpired:
            # It may wait for threads that it has killed; whoever is left goes on without it.
            strace.kill()
            strace.communicate()


def _read(seen: Path) -> str:
    return seen.read_text("utf-8", "replace") if seen.exists() else ""


def _is_traced(process: int) -> bool:
    try:
        tasks = list(Path(f"/proc/{process}/task").iterdir())
        return all("TracerPid:\t0\n" not in (task / "status").read_text() for task in tasks)
    except OSError:
        return True


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningServer]:
    assert shutil.which("strace"), "strace is missing: python -m tests.install strace"
    budgets = ("CONSENT_DECISIONS_PER_MINUTE", "CONSENT_SITE_DECISIONS_PER_MINUTE")
    running = RunningServer(tmp_path, settings=dict.fromkeys(budgets, "10000000"))
    running.start()
    yield running
    running.kill()


@pytest.mark.parametrize(
    "deep", [pytest.param(1, id="first"), pytest.param(MANY, id="each", marks=pytest.mark.soak)]
)
def test_whichever_call_fails_a_decision_is_acknowledged_once_it_is_kept(
    server: RunningServer, deep: int
) -> None:
    log = SoakLog("failing_calls", "Every write, sync and rename fails, or kills the server")
    client = Client(server, read_template(server))
    assert client.send(client.decision()) == 201
    wait_until(lambda: any((server.data_dir / "keys").glob("published/*.json")), 30)
    hit: dict[str, int] = {}
    for call, effect in ALL if deep > 1 else SOME:
        reached = _fail_each(server, client, call, effect, deep)
        hit[f"{call} {effect}"] = reached
        log.say(f"{call} {effect}: {reached} calls hit, in turn")
    if deep > 1:
        assert max(hit.values()) < deep, "a decision makes more calls than were tried"
    assert all(hit.values()), hit
    exported = audit(server)
    assert {one["event_id"]: one for one in exported} == client.receipts
    assert len(exported) == len(client.receipts)
    log.say(f"{len(exported)} acknowledged = stored = exported; the ledger verifies")
    if deep > 1:
        log.keep()


def _fail_each(server: RunningServer, client: Client, call: str, effect: str, deep: int) -> int:
    """Let the first, second, ... call fail until a decision passes untouched; return how many."""
    for nth in range(1, deep + 1):
        decision = client.decision()
        with failing(server, call, nth, effect) as seen:
            client.send(decision)
            if call == "rename":
                time.sleep(1.2)  # sealing renames, a moment after the answer
        text = _read(seen)
        killed = "killed by SIGKILL" in text or not server.is_ready()
        if killed:
            server.kill()
            server.start()
        wait_until(lambda decision=decision: client.send(decision) in {200, 201}, 30)  # type: ignore[misc]
        assert client.send(decision) == 200
        if "INJECTED" not in text and not killed:
            return nth - 1
        seen.unlink()
    return deep
