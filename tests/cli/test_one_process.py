"""One process: the server is one process, which ends when it is told, and holds what it needs."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from consent_server.cli import one_process
from tests.cli.serving import wait_until

from .test_drain import port_of
from .test_run import run_server

#: What an idle server on SQLite has no use for: 8 MB, 2 MB, and 1 MB of our own and Babel's.
_NOT_LOADED = (
    *("cryptography", "sqlalchemy.dialects.postgresql", "alembic", "psycopg"),
    *("babel.messages", "consent_server.catalogue.reading", "consent_server.site_check"),
    *("consent_server.bundle.export", "consent_server.diagnosis"),
    "consent_server.cli.demo_sites",
)
#: One that seals and one for another job: each that is opened stays, with a quarter of a megabyte.
_CONNECTIONS = 2


def test_the_server_inside_serves_in_the_process_that_was_started(
    environment: dict[str, str], tmp_path: Path
) -> None:
    assert one_process.is_tested(), "look at the new version, and say that it was tested"
    with run_server(environment, tmp_path) as server:
        own = server.process.pid
        tasks = Path(f"/proc/{own}/task").iterdir()
        assert not any((task / "children").read_text("ascii") for task in tasks)


def test_a_signal_before_the_server_listens_ends_it(
    environment: dict[str, str], tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "consent_server", "run", "--port", "0"]
    for wait in (0.1, 0.3, 0.5):
        with subprocess.Popen(
            command,
            env=environment,
            cwd=tmp_path,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            time.sleep(wait)
            process.terminate()
            assert process.wait(20) in {0, -signal.SIGTERM}


def test_a_request_that_never_ends_is_cut_off(environment: dict[str, str], tmp_path: Path) -> None:
    head = b"POST /w/smilee/decisions HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{"
    with (
        run_server(environment, tmp_path) as server,
        socket.create_connection(("127.0.0.1", port_of(server))) as client,
    ):
        client.sendall(head)
        wait_until(server.is_served)
        began = time.monotonic()
        assert server.stop(signal.SIGTERM) == 0
        assert time.monotonic() - began < 15


def test_an_idle_server_keeps_few_connections(environment: dict[str, str], tmp_path: Path) -> None:
    with run_server(environment, tmp_path) as server:
        time.sleep(2)
        files = [one.readlink().name for one in Path(f"/proc/{server.process.pid}/fd").iterdir()]
    opened = [one for one in files if one.endswith(".sqlite")]
    assert 1 <= len(opened) <= _CONNECTIONS, files


def test_a_server_loads_what_it_needs(environment: dict[str, str], tmp_path: Path) -> None:
    load = "from consent_server.config import load_settings; import consent_server.cli.run, sys"
    make = "from consent_server.app import create_app; create_app(load_settings())"
    tell = f"print([one for one in {_NOT_LOADED!r} if one in sys.modules])"
    with run_server(environment, tmp_path):
        pass  # the database is there
    command = [sys.executable, "-c", f"{load}; {make}; {tell}"]
    told = subprocess.check_output(command, env=environment, cwd=tmp_path, text=True)
    assert told == "[]\n"
