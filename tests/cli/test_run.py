"""Run: the server comes up by itself, goes down in order, and never holds on to its port."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.conftest import Process
from tests.cli.serving import Serving, serving, wait_until


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port


@contextmanager
def run_server(
    environment: dict[str, str], tmp_path: Path, port: int | None = None
) -> Iterator[Serving]:
    with serving(
        "run", environment=environment, folder=tmp_path, port=port or free_port()
    ) as started:
        yield started


def test_a_server_begins_with_an_empty_database_and_is_ready(
    environment: dict[str, str], tmp_path: Path
) -> None:
    environment["CONSENT_DATABASE_URL"] = "sqlite:///new/consent.sqlite"
    with run_server(environment, tmp_path) as server:
        assert json.loads(server.fetch("/readyz")) == {"status": "ok"}
        assert f"Serving on {server.url}\n" in server.said()
        assert "CONSENT_API_TOKEN is not set" in server.said()
    assert (tmp_path / "new" / "consent.sqlite").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_server_in_order(
    environment: dict[str, str], tmp_path: Path, number: signal.Signals
) -> None:
    with run_server(environment, tmp_path) as server:
        assert server.fetch("/w/smilee.js")
        assert server.stop(number) == 0
        assert server.said().endswith("Stopped.\n")
        assert not server.is_served()


def test_a_connection_kept_open_does_not_keep_the_server(
    environment: dict[str, str], tmp_path: Path
) -> None:
    with run_server(environment, tmp_path) as server:
        host, _, port = server.url.removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port))) as idle:
            idle.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert idle.recv(100).startswith(b"HTTP/1.1 200")
            assert server.stop(signal.SIGTERM) == 0


def test_a_killed_server_leaves_its_port_to_the_next(
    environment: dict[str, str], tmp_path: Path
) -> None:
    with run_server(environment, tmp_path) as server:
        # Only the parent dies, as with the out-of-memory killer.
        server.stop(signal.SIGKILL)
        wait_until(lambda: not server.is_served(), 10)
        port = int(server.url.rpartition(":")[2])
        with run_server(environment, tmp_path, port) as next_one:
            assert next_one.fetch("/healthz")


def test_a_taken_port_is_told_in_one_line(process: Process) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        done = process("run", "--port", port)
    assert done.returncode == 1
    assert done.stderr == (
        f"Error: Cannot listen on 127.0.0.1, port {port}: Address already in use. "
        "Choose another with --port or --host.\n"
    )


def test_two_servers_never_share_a_port(
    process: Process, environment: dict[str, str], tmp_path: Path
) -> None:
    with run_server(environment, tmp_path) as server:
        done = process("run", "--port", server.url.rpartition(":")[2])
        assert (done.returncode, "already in use" in done.stderr) == (1, True)


def test_an_address_of_no_machine_is_told(process: Process) -> None:
    done = process("run", "--host", "192.0.2.1", "--port", "0")
    assert (done.returncode, "Cannot listen on 192.0.2.1" in done.stderr) == (1, True)


def test_requests_are_answered_at_the_same_time(
    environment: dict[str, str], tmp_path: Path
) -> None:
    with run_server(environment, tmp_path) as server:
        answers: list[bytes] = []
        visitors = [
            threading.Thread(target=lambda: answers.append(server.fetch("/w/ujet.js")))
            for _ in range(16)
        ]
        for visitor in visitors:
            visitor.start()
        for visitor in visitors:
            visitor.join(30)
        assert len(answers) == 16
        assert len(set(answers)) == 1


def test_the_module_and_the_script_are_the_same_command() -> None:
    script = Path(sys.executable).with_name("consent-server")
    commands = ([str(script), "--help"], [sys.executable, "-m", "consent_server", "--help"])
    said = [
        subprocess.run(command, capture_output=True, text=True, check=True).stdout
        for command in commands
    ]
    assert said[0] == said[1]
    assert "Usage: consent-server [OPTIONS] COMMAND" in said[0]
