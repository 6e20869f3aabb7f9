"""Answering: decisions that wait for their commit keep no thread from whoever else asks."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from granian.server import mp

from consent_server.cli import answering
from consent_server.config import Settings, sqlite_path
from tests.browser.running_server import RunningServer

from .serving import held
from .test_drain import Client, port_of
from .test_killed import read_template
from .test_run import run_server

THREADS = 2
CLIENTS = 12


def test_the_server_inside_takes_answers_after_the_call() -> None:
    wrap = getattr(mp, answering._WRAP)
    try:
        assert answering.answer_later(), "look at the new version, and say that it was tested"
    finally:
        setattr(mp, answering._WRAP, wrap)


def test_scripts_are_served_while_more_decisions_wait_than_there_are_threads(
    settings: Settings, environment: dict[str, str], tmp_path: Path
) -> None:
    file = sqlite_path(settings.database_url)
    assert file is not None
    environment["CONSENT_THREADS"] = str(THREADS)
    with run_server(environment, tmp_path) as server:
        template = read_template(RunningServer(tmp_path, port=port_of(server)))
        clients = [Client(server, template) for _ in range(CLIENTS)]
        threads = [threading.Thread(target=client.send) for client in clients]
        with held(file):
            for thread in threads:
                thread.start()
            time.sleep(0.5)
            began = time.monotonic()
            for _ in range(10):
                assert server.fetch("/w/smilee.js")
            assert time.monotonic() - began < 2
            assert all(thread.is_alive() for thread in threads), "they wait"
        for thread in threads:
            thread.join(30)
    assert [client.status for client in clients] == [201] * CLIENTS


def test_a_decision_that_the_commit_refuses_is_told_why(
    environment: dict[str, str], tmp_path: Path
) -> None:
    with run_server(environment, tmp_path) as server:
        template = read_template(RunningServer(tmp_path, port=port_of(server)))
        client = Client(server, template)
        client.send()
        again = Client(server, template)
        again.decision |= client.decision | {"decided_at": "2026-11-22T16:47:00.123Z"}
        again.send()
    assert (client.status, again.status) == (201, 409)
