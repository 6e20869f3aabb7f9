"""The database: engine, durability, and the two ways to open a session."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from consent_server.config import sqlite_path
from consent_server.errors import Unavailable

#: Long enough for another process's commit, short enough for a visitor's retry.
_BUSY_MILLISECONDS = 5_000
#: UTC, or a time near year 9999 could not be read back east of Greenwich.
_POSTGRESQL = {
    "connect_timeout": 5,
    "options": f"-c timezone=UTC -c lock_timeout={_BUSY_MILLISECONDS}",
}
#: `disk_full` (PostgreSQL, Appendix A).
_POSTGRESQL_DISK_FULL = "53100"


class Database:
    """One engine; `read()` and `write()` give sessions, `write()` commits at its end."""

    def __init__(self, url: str) -> None:
        path = sqlite_path(url)
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        self.is_sqlite = url.startswith("sqlite")
        self.engine: Engine = create_engine(
            url,
            pool_size=8,
            max_overflow=64,
            pool_timeout=10,
            pool_pre_ping=not self.is_sqlite,
            # What fails is logged; whose decision it was must not stand there.
            hide_parameters=True,
            connect_args={} if self.is_sqlite else _POSTGRESQL,
        )
        if self.is_sqlite:
            _prepare_sqlite(self.engine)
        # SQLite takes one writer at a time: waiting here is fair, waiting in
        # its busy handler is not.
        self._turn = threading.Lock() if self.is_sqlite else None
        self.writing = self.engine.execution_options(write=True)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Open a session that only looks."""
        with Session(self.engine) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Open a session that is committed at the end, or rolled back on an error."""
        with self._take_turn(), Session(self.writing) as session, session.begin():
            yield session

    def check(self) -> None:
        """Ask the database one question; raises what the driver raises."""
        with self.engine.connect() as connection:
            connection.execute(text("SELECT 1"))

    def close(self) -> None:
        """Give back every connection."""
        self.engine.dispose()

    @contextmanager
    def _take_turn(self) -> Iterator[None]:
        if self._turn is None:
            yield
            return
        if not self._turn.acquire(timeout=_BUSY_MILLISECONDS / 1000):
            raise Unavailable(
                "Other writes are still waiting. Nothing was recorded; send it again.",
                headers={"Retry-After": "5"},
            )
        try:
            yield
        finally:
            self._turn.release()


def disk_is_full(error: DBAPIError) -> bool:
    """Tell whether a database had no room to write."""
    if isinstance(error.orig, sqlite3.Error):
        return getattr(error.orig, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
    return getattr(error.orig, "sqlstate", None) == _POSTGRESQL_DISK_FULL


def _prepare_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def set_pragmas(connection: sqlite3.Connection, _record: Any) -> None:
        # The driver's own transaction handling begins late and deferred.
        connection.isolation_level = None
        for pragma in (
            f"busy_timeout={_BUSY_MILLISECONDS}",
            "journal_mode=WAL",
            # An acknowledged decision survives a power cut only with FULL.
            "synchronous=FULL",
            "foreign_keys=ON",
            # Erased subjects must not stay readable in free pages.
            "secure_delete=ON",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A deferred transaction that reads and then writes fails at once when
        # another process wrote in between, whatever the timeout.
        write = connection.get_execution_options().get("write", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
