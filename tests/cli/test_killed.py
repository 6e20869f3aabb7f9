"""Killed: kill -9 at random moments under many writers loses nothing and doubles nothing."""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from consent_server.cli.opening import now
from consent_server.rules.times import spell_time
from tests.browser.running_server import RunningServer
from tests.visitor import fetch_proof

WRITERS = 64
_RETRY_SECONDS = 0.05


@dataclass
class Writer:
    """One client that sends each decision until it is acknowledged, as the widget's outbox does."""

    port: int
    template: dict[str, Any]
    stop: threading.Event
    #: Id of each decision with the receipt it got.
    acknowledged: dict[str, dict[str, Any]] = field(default_factory=dict)
    retries: int = 0
    #: Asked for once: it outlives the server.
    proof: str = ""

    def run(self) -> None:
        """Decide until told to stop; the last decision is still brought home."""
        while not self.stop.is_set():
            decision = {
                **self.template,
                "decision_id": str(uuid4()),
                "subject_id": f"{random.getrandbits(128):032x}",
                "decided_at": spell_time(now()),
            }
            self.acknowledged[decision["decision_id"]] = self._bring(decision)

    def _bring(self, decision: dict[str, Any]) -> dict[str, Any]:
        while True:
            try:
                return self._send(decision)
            except (OSError, http.client.HTTPException):
                self.retries += 1
                time.sleep(_RETRY_SECONDS)

    def _send(self, decision: dict[str, Any]) -> dict[str, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            headers = {"Content-Type": "application/json"}
            if not self.proof:
                self.proof = fetch_proof(f"http://127.0.0.1:{self.port}/w/smilee")
            path = f"/w/smilee/decisions?proof={self.proof}"
            connection.request("POST", path, json.dumps(decision), headers)
            answer = connection.getresponse()
            body = answer.read()
            if answer.status not in {200, 201}:
                assert answer.status >= 500, body
                raise ConnectionError(body.decode())
            receipt: dict[str, Any] = json.loads(body)
            return receipt
        finally:
            connection.close()


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
    "kills", [pytest.param(4, id="4"), pytest.param(50, id="50", marks=pytest.mark.soak)]
)
def test_what_was_acknowledged_is_stored_exported_and_verified_once(
    tmp_path: Path, kills: int
) -> None:
    server = RunningServer(
        tmp_path,
        settings={
            "CONSENT_DECISIONS_PER_MINUTE": "10000000",
            "CONSENT_SITE_DECISIONS_PER_MINUTE": "10000000",
        },
    )
    server.start()
    stop = threading.Event()
    template = read_template(server)
    writers = [Writer(server.port, template, stop) for _ in range(WRITERS)]
    threads = [threading.Thread(target=writer.run, daemon=True) for writer in writers]
    try:
        for thread in threads:
            thread.start()
        for _ in range(kills):
            time.sleep(random.uniform(0.05, 1.0))
            server.kill()
            server.start()
        time.sleep(0.5)
        stop.set()
        for thread in threads:
            thread.join(60)
            assert not thread.is_alive(), "a writer never got its answer"
    finally:
        stop.set()
        server.kill()
    receipts = {key: value for writer in writers for key, value in writer.acknowledged.items()}
    assert sum(writer.retries for writer in writers) > 0, "no writer was ever cut off"
    exported = audit(server)
    assert len(exported) == len(receipts) > WRITERS
    assert {record["event_id"]: record for record in exported} == receipts
