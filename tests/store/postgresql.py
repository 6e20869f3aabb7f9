"""PostgreSQL: a server of its own for the tests, on a free loopback port, gone afterwards."""

from __future__ import annotations

import getpass
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg

#: PostgreSQL refuses to run as root; these accounts exist where that is asked of it.
_ACCOUNTS = ("postgres", "nobody")
_START_SECONDS = 30.0


class PostgresqlServer:
    """A running server; each test takes a database of its own."""

    def __init__(self, port: int, data: Path, account: str | None) -> None:
        self.port = port
        #: The folder with everything that the server keeps.
        self.data = data
        self._account = account
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start and wait until it answers."""
        folder = self.data.parent
        command = [
            find_program("postgres"),
            "-D",
            str(self.data),
            "-p",
            str(self.port),
            "-k",
            str(folder),
        ]
        command += ["-h", "127.0.0.1", "-c", "fsync=off", "-c", "timezone=Pacific/Auckland"]
        with (folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=folder, user=self._account, stdout=log, stderr=log
            )
        _wait_until_ready(self, self._process, folder / "log")

    def stop(self) -> None:
        """End it: what a failed test left open is cut off, not waited for (fast shutdown)."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(20)

    def crash(self) -> None:
        """End it at once, as `pg_ctl stop -m immediate` does: it recovers when it starts again."""
        assert self._process is not None
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait(20)

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Let it be away for a while."""
        self.stop()
        yield
        self.start()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Let it hang for a while: connections stay open, and nothing is answered."""
        assert self._process is not None
        parent = self._process.pid
        found = Path(f"/proc/{parent}/task/{parent}/children").read_text("utf-8").split()
        processes = [parent, *map(int, found)]
        for process in processes:
            os.kill(process, signal.SIGSTOP)
        try:
            yield
        finally:
            for process in processes:
                os.kill(process, signal.SIGCONT)

    @contextmanager
    def followed(self) -> Iterator[PostgresqlServer]:
        """Start a standby: it follows this server, and can only be read from."""
        with _folder_of(self._account) as folder:
            data, here = folder / "data", ("-h", "127.0.0.1", "-p", str(self.port), "-U", "tests")
            _run(self._account, "pg_basebackup", *here, "-D", data, "-R", "-c", "fast", "-N")
            standby = PostgresqlServer(_free_port(), data, self._account)
            try:
                standby.start()
                yield standby
            finally:
                standby.stop()

    def make_database(self, name: str = "") -> str:
        """Create an empty database, perhaps of that name, and return its URL."""
        name = name or f"test_{uuid4().hex}"
        with self.connect("postgres") as connection:
            connection.execute(f'CREATE DATABASE "{name}"'.encode())
        return f"postgresql+psycopg://tests@127.0.0.1:{self.port}/{name}"

    def connect(self, database: str) -> psycopg.Connection[tuple[object, ...]]:
        """Open a connection beside the product's own."""
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user="tests", dbname=database, autocommit=True
        )


@contextmanager
def running_postgresql() -> Iterator[PostgresqlServer]:
    """Start a server in a temporary folder; end it and remove the folder."""
    account = account_to_run()
    with _folder_of(account) as folder:
        data = folder / "data"
        _run(account, "initdb", "-D", data, "-U", "tests", "-A", "trust", "-E", "UTF8", "--no-sync")
        server = PostgresqlServer(_free_port(), data, account)
        try:
            server.start()
            yield server
        finally:
            server.stop()


@contextmanager
def _folder_of(account: str | None) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="consent-pg-"))
    try:
        if account:
            shutil.chown(folder, account)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait_until_ready(
    server: PostgresqlServer, process: subprocess.Popen[bytes], log: Path
) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            server.connect("postgres").close()
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text()}") from None
            time.sleep(0.05)
        else:
            return


def _run(account: str | None, program: str, *arguments: str | Path) -> None:
    done = subprocess.run(
        [find_program(program), *map(str, arguments)],
        check=False,
        user=account,
        cwd="/",
        env={**os.environ, "HOME": "/", "USER": account or getpass.getuser()},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def account_to_run() -> str | None:
    """Return whom PostgreSQL is to run as; None for whoever runs the tests."""
    return next(name for name in _ACCOUNTS if _exists(name)) if os.geteuid() == 0 else None


def find_program(program: str) -> str:
    """Return the path of a server program: Debian keeps them off the PATH."""
    found = shutil.which(program) or next(
        iter(sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"), reverse=True)), None
    )
    assert found, f"{program} is missing: install PostgreSQL (Debian: apt-get install postgresql)"
    return str(found)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _exists(account: str) -> bool:
    try:
        pwd.getpwnam(account)
    except KeyError:
        return False
    return True
