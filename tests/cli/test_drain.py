"""Draining: a server that is told to stop answers what it has taken, and loses nothing."""

from __future__ import annotations

import http.client
import json
import signal
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from threading import Thread
from typing import Any
from uuid import uuid4

import pytest

from consent_server.cli.opening import now
from consent_server.config import Settings, sqlite_path
from consent_server.rules.times import spell_time
from tests.browser.running_server import RunningServer
from tests.visitor import fetch_proof

from .serving import Serving, held, wait_until
from .test_killed import read_template
from .test_run import run_server

#: More than are answered at once, so that some wait for their turn.
CLIENTS = 24


class Client:
    """Sends one decision on a connection of its own and keeps what it heard."""

    def __init__(self, server: Serving, template: dict[str, Any]) -> None:
        self.decision = {
            **template,
            "decision_id": str(uuid4()),
            "subject_id": uuid4().hex,
            "decided_at": spell_time(now()),
        }
        self.path = f"/w/smilee/decisions?proof={fetch_proof(f'{server.url}/w/smilee')}"
        self.status = 0
        self.retry_after: str | None = None
        self.cut_off = False
        self.connection = http.client.HTTPConnection("127.0.0.1", port_of(server), timeout=30)
        self.connection.connect()

    def send(self) -> None:
        """Send it and wait for the answer."""
        headers = {"Content-Type": "application/json"}
        body = json.dumps(self.decision)
        try:
            self.connection.request("POST", self.path, body, headers)
            answer = self.connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            self.cut_off = True
        else:
            self.status, self.retry_after = answer.status, answer.headers["Retry-After"]
        finally:
            self.connection.close()


def port_of(server: Serving) -> int:
    """Return where it listens."""
    return int(server.url.rpartition(":")[2])


@pytest.fixture
def file(settings: Settings) -> Path:
    """The server's database."""
    found = sqlite_path(settings.database_url)
    assert found is not None
    return found


def stored(file: Path) -> set[str]:
    """Return the ids of every decision in the database."""
    connection = sqlite3.connect(file)
    found = connection.execute("SELECT event_id FROM consent_event").fetchall()
    connection.close()
    return {one.hex() if isinstance(one, bytes) else one.replace("-", "") for (one,) in found}


def acknowledged(clients: Iterable[Client]) -> set[str]:
    """Return the ids of every decision that was answered with a receipt."""
    done = [client.decision["decision_id"] for client in clients if client.status == 201]
    return {one.replace("-", "") for one in done}


@pytest.mark.parametrize(("held_seconds", "answers"), [(1.5, {201}), (60.0, {503})])
def test_what_waits_is_written_or_refused_before_the_server_ends(
    environment: dict[str, str],
    tmp_path: Path,
    file: Path,
    held_seconds: float,
    answers: set[int],
) -> None:
    with run_server(environment, tmp_path) as server:
        template = read_template(RunningServer(tmp_path, port=port_of(server)))
        clients = [Client(server, template) for _ in range(CLIENTS)]
        threads = [threading.Thread(target=client.send) for client in clients]
        with held(file):  # every decision waits in the queue
            for thread in threads:
                thread.start()
            time.sleep(1.0)
            server.process.send_signal(signal.SIGTERM)
            began = time.monotonic()
            while time.monotonic() - began < held_seconds and any(map(Thread.is_alive, threads)):
                time.sleep(0.05)
        for thread in threads:
            thread.join(30)
            assert not thread.is_alive()
        assert server.process.wait(30) == 0
    heard = Counter(client.status for client in clients)
    assert set(heard) == answers, heard
    refused = [client for client in clients if client.status == 503]
    assert all(int(client.retry_after or 0) > 0 for client in refused)
    assert acknowledged(clients) <= stored(file)


def test_under_load_none_that_was_acknowledged_is_lost(
    environment: dict[str, str], tmp_path: Path, file: Path
) -> None:
    environment["CONSENT_DECISIONS_PER_MINUTE"] = "1000000"
    heard: list[Client] = []
    stop = threading.Event()
    with run_server(environment, tmp_path) as server:
        template = read_template(RunningServer(tmp_path, port=port_of(server)))

        def work() -> None:
            while not stop.is_set():
                try:
                    client = Client(server, template)
                except OSError:
                    return  # nobody listens any more
                client.send()
                heard.append(client)

        threads = [threading.Thread(target=work) for _ in range(CLIENTS)]
        for thread in threads:
            thread.start()
        wait_until(lambda: sum(client.status == 201 for client in heard) > CLIENTS)
        assert server.stop(signal.SIGTERM) == 0
        stop.set()
        for thread in threads:
            thread.join(30)
    assert acknowledged(heard) <= stored(file)
    assert {client.status for client in heard} <= {201, 503, 0}
