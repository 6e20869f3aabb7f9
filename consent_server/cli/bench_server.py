"""Server of the bench: the real command on a scratch database, gone afterwards."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import tomllib
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, inspect, select, text

from consent_server.cli.opening import bring_up_to_date, now
from consent_server.config import load_settings, sqlite_path
from consent_server.demo import site_files
from consent_server.errors import ConfigError
from consent_server.site_form import load_site_form
from consent_server.sites import publish_version
from consent_server.store.database import Database
from consent_server.store.models import ConsentEvent

#: The site of the demo that has five services: a usual one.
SITE = "smilee"
_START_SECONDS = 30.0
_UNLIMITED = "1000000000"


@dataclass(frozen=True, slots=True)
class BenchServer:
    """A running server and its database."""

    port: int
    process: subprocess.Popen[bytes]
    database: Database
    #: Where its keys are.
    folder: Path

    def memory_bytes(self) -> int:
        """Return what the server's processes use, shared pages counted once (PSS); 0 if unknown."""
        return sum(map(_memory, [self.process.pid, *_children(self.process.pid)]))

    def stored(self) -> int:
        """Return how many decisions the database holds."""
        with self.database.read() as session:
            return session.scalar(select(func.count()).select_from(ConsentEvent)) or 0

    def disk_bytes(self) -> int:
        """Return the size of the database, what waits in its journal written to it first."""
        with self.database.engine.connect() as connection:
            if self.database.is_sqlite:
                connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
                pages = connection.scalar(text("PRAGMA page_count")) or 0
                return int(pages * (connection.scalar(text("PRAGMA page_size")) or 0))
            return int(connection.scalar(text("SELECT pg_database_size(current_database())")) or 0)


@contextmanager
def bench_server(database_url: str | None) -> Iterator[BenchServer]:
    """Serve one site from a scratch database.

    Without an address a SQLite file beside the one of the settings, since disks differ; an
    address must lead to an empty database. Raises ConfigError where it is not empty.
    """
    with _scratch_folder() as folder:
        database = Database(database_url or f"sqlite:///{folder}/bench.sqlite")
        try:
            if inspect(database.engine).get_table_names():
                raise ConfigError(
                    "The database is not empty, and the bench would mix with what is there. "
                    "Make one for it: createdb consent_bench"
                )
            try:
                _publish(database)
                with serving(database, folder) as server:
                    yield server
            finally:
                if not database.is_sqlite:
                    _empty(database)
        finally:
            database.close()


@contextmanager
def _scratch_folder() -> Iterator[Path]:
    path = sqlite_path(load_settings().database_url)
    beside = path.parent if path is not None and path.parent.is_dir() else None
    folder = Path(tempfile.mkdtemp(prefix="consent-bench-", dir=beside)).absolute()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _publish(database: Database) -> None:
    bring_up_to_date(database)
    source = next(one for one in site_files() if one.stem == SITE).read_text("utf-8")
    form = load_site_form(tomllib.loads(source))
    with database.write() as session:
        publish_version(session, form, source=source, author="bench", now=now())


def _empty(database: Database) -> None:
    """Take away what the bench made: nothing was there before it."""
    with database.writing.connect() as connection, connection.begin():
        schema = connection.scalar(text("SELECT quote_ident(current_schema())"))
        connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
        connection.execute(text(f"CREATE SCHEMA {schema}"))


@contextmanager
def serving(database: Database, folder: Path) -> Iterator[BenchServer]:
    """Serve a database without limits, with the keys of a folder. Raises ConfigError."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("CONSENT_")},
        # Spelled out: the address is hidden where it is printed.
        "CONSENT_DATABASE_URL": database.engine.url.render_as_string(hide_password=False),
        "CONSENT_KEY_FOLDER": str(folder / "keys"),
        "CONSENT_DECISIONS_PER_MINUTE": _UNLIMITED,
        "CONSENT_SITE_DECISIONS_PER_MINUTE": _UNLIMITED,
    }
    command = [sys.executable, "-m", "consent_server", "run", "--port", str(port)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 (this program itself)
            command, env=environment, cwd=folder, stdout=log, stderr=log
        )
    try:
        _wait(port, process, folder / "log")
        yield BenchServer(port, process, database, folder)
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(15)
        process.kill()
        process.wait()


def _wait(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5):
                return
        except OSError:
            time.sleep(0.05)
    raise ConfigError(f"The server did not start: {log.read_text('utf-8')[-500:]}")


def _children(pid: int) -> list[int]:
    try:
        found = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii")
    except OSError:
        return []
    return [int(one) for one in found.split()]


def _memory(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
