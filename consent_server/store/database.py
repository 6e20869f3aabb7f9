"""The database: engine, durability, and the two ways to open a session."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.orm import Session

from consent_server.config import sqlite_path
from consent_server.errors import Unavailable
from consent_server.store.dialects import read_address
from consent_server.store.driver import SENDS_ON, raising_as_ours
from consent_server.store.postgresql import (
    DISK_FULL,
    LOCKED,
    TAKEN_BACK,
    Commits,
    Watch,
    connect_arguments,
    prepare_postgresql,
)

#: Long enough for another process's commit, short enough for a visitor's retry.
_BUSY_MILLISECONDS = 5_000
#: Where a connection's `info` says how often the database had been closed when it was opened.
_OF_POOL = "consent_server.of_pool"
#: A connection that was used so shortly ago is believed to be alive.
_REST_SECONDS = 0.25


class Database:
    """One engine; `read()` and `write()` give sessions, `write()` commits at its end."""

    def __init__(self, place: str | Path) -> None:
        """Open a database by its address, or a file of SQLite by its name."""
        url = place if isinstance(place, str) else "sqlite://"
        self._path = path = sqlite_path(url) if isinstance(place, str) else place
        #: Device and number of the SQLite file that the connections have open.
        self._opened: tuple[int, int] | None = None
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        address = read_address(url)
        self.is_sqlite = url.startswith("sqlite")
        arguments = {} if self.is_sqlite else connect_arguments(url, _BUSY_MILLISECONDS)
        self.engine: Engine = create_engine(
            # As it is written: some releases of SQLAlchemy read `%20` as a space, others do not.
            address if path is None else address.set(database=str(path)),
            pool_size=8,
            max_overflow=64,
            pool_timeout=10,
            # What fails is logged; whose decision it was must not stand there.
            hide_parameters=True,
            connect_args=arguments,
        )
        self._closed = 0  # times
        event.listen(self.engine, "connect", self._note_pool)
        event.listen(self.engine, "checkin", self._close_late)
        self._commits = Commits()
        if self.is_sqlite:
            _prepare_sqlite(self.engine)
            event.listen(self.engine, "connect", self._remember_file)
        else:
            prepare_postgresql(self.engine, self._commits)
            _ping_after_a_rest(self.engine)
            _wait_for_answers(self.engine)
            Watch(self.engine, arguments)
        # SQLite takes one writer at a time: waiting here is fair, waiting in
        # its busy handler is not.
        self._turn = threading.Lock() if self.is_sqlite else None
        self.writing = self.engine.execution_options(write=True)
        self._sends_on = not self.is_sqlite and _can_send_on(self.engine)
        #: Of PostgreSQL: the driver begins no transaction by itself.
        self.sending = self.engine if self.is_sqlite else _sending(self.engine)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Open a session that only looks."""
        self.check_file()
        with Session(self.engine) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Open a session that is committed at the end, or rolled back on an error.

        Raises Unavailable when it is not known that the commit will last.
        """
        self.check_file()
        self._commits.begin()
        with self.turn(), Session(self.writing) as session, session.begin():
            yield session
        # Nobody is told that it is kept before it is known where.
        self.check_file()
        self._check_standby()

    @contextmanager
    def write_together(self) -> Iterator[Session]:
        """Open the same as `write` for what is written through `consent_server.store.driver`.

        On PostgreSQL its statements are sent without waiting for each: a transaction is a few
        ways to the server and back. What one of them met is raised by the next that is read, or
        at the end.
        """
        if not self._sends_on:
            with self.write() as session:
                yield session
            return
        self._commits.begin()
        with self.sending.connect() as connection:
            try:
                with _sending_on(connection), Session(connection) as session:
                    yield session
                    session.commit()
            except DBAPIError as error:
                # What the driver raises by itself passes by SQLAlchemy's own care for the pool.
                if error.connection_invalidated and not connection.invalidated:
                    connection.invalidate(error)
                raise
        self._check_standby()

    def _check_standby(self) -> None:
        if self._commits.alone:
            raise Unavailable(
                "The database stopped waiting for its standby. It may be recorded; send it "
                "again: what was recorded is not recorded twice.",
                headers={"Retry-After": "5"},
            )

    def check(self) -> None:
        """Ask the database one question; raises what the driver raises."""
        self.check_file()
        with self.engine.connect() as connection:
            connection.execute(text("SELECT 1"))

    def close(self) -> None:
        """Close every connection; what is in use is closed when it comes back."""
        self._closed += 1
        self.engine.dispose()
        self._opened = None

    def check_file(self) -> None:
        """Refuse to go on with a SQLite file that was moved, removed or replaced.

        SQLite does not notice: it would go on writing to a file without a name, which is
        gone when the process ends, and would make a new, empty one for the next connection.
        """
        if self._opened is not None and _identity(self._path) != self._opened:
            raise Unavailable(
                "The file of the database was moved, removed or replaced while the server ran. "
                "Nothing was recorded. The operator must stop the server, put the file back and "
                "start again.",
                headers={"Retry-After": "5"},
            )

    def _note_pool(self, _connection: Any, record: Any) -> None:
        record.info[_OF_POOL] = self._closed

    def _close_late(self, _connection: Any, record: Any) -> None:
        # The pool that it came from is gone, and would keep it open until nobody knows of it.
        if record.info.get(_OF_POOL) != self._closed:
            record.invalidate()

    def _remember_file(self, _connection: sqlite3.Connection, _record: Any) -> None:
        if self._opened is None:
            self._opened = _identity(self._path)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait until no other writer of this process writes; raises Unavailable.

        `write()` does so itself: only what needs no transaction takes a turn by hand.
        """
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


def _identity(path: Path | None) -> tuple[int, int] | None:
    """Return what a file is, whatever it is called; None where there is none."""
    if path is None:
        return None
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def disk_is_full(error: DBAPIError) -> bool:
    """Tell whether a database had no room to write."""
    if isinstance(error.orig, sqlite3.Error):
        return getattr(error.orig, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
    return getattr(error.orig, "sqlstate", None) == DISK_FULL


def was_taken_back(error: DBAPIError) -> bool:
    """Tell whether a database ended a transaction for another's sake: the same may go well now."""
    return getattr(error.orig, "sqlstate", None) in TAKEN_BACK


def is_locked(error: DBAPIError) -> bool:
    """Tell whether another transaction held one row, or table, for too long; others may be free."""
    return getattr(error.orig, "sqlstate", None) == LOCKED


def _can_send_on(engine: Engine) -> bool:
    """Tell whether the driver's library has pipeline mode (libpq 14 and later)."""
    dbapi: Any = engine.dialect.dbapi
    return bool(dbapi.Pipeline.is_supported())


def _sending(engine: Engine) -> Engine:
    return engine.execution_options(isolation_level="AUTOCOMMIT")


@contextmanager
def _sending_on(connection: Connection) -> Iterator[None]:
    """Begin a transaction whose statements are not waited for; it is rolled back on an error."""
    raw: Any = connection.connection.driver_connection
    with raising_as_ours(connection), raw.pipeline() as pipeline:
        # The driver's own BEGIN would wait.
        raw.execute("BEGIN")
        info = connection.info  # a connection that was given up has none
        info[SENDS_ON] = pipeline
        try:
            yield
        except BaseException:
            # Both may meet once more what is being raised: the pool tries again.
            dbapi: Any = connection.dialect.dbapi
            with suppress(DBAPIError, dbapi.Error):
                pipeline.sync()
            with suppress(DBAPIError):
                connection.rollback()
            raise
        finally:
            info.pop(SENDS_ON, None)


def _wait_for_answers(engine: Engine) -> None:
    """Let SQLAlchemy's own statements have their rows, also on a connection that sends on."""

    @event.listens_for(engine, "do_execute")
    def execute(cursor: Any, statement: str, parameters: Any, context: Any) -> bool:
        try:
            pipeline = context.root_connection.info.get(SENDS_ON)
        except NotImplementedError:
            return False  # SQLAlchemy looks at the server for the first time
        if pipeline is None:
            return False
        cursor.execute(statement, parameters)
        pipeline.sync()
        return True

    @event.listens_for(engine, "rollback")
    def settle(connection: Connection) -> None:
        """Read what is still under way, or a rollback would meet it in place of its own end."""
        if connection.invalidated:
            return
        try:
            pipeline = connection.info.get(SENDS_ON)
        except NotImplementedError:
            return
        if pipeline is not None:
            dbapi: Any = connection.dialect.dbapi
            with suppress(dbapi.Error):
                pipeline.sync()


def _ping_after_a_rest(engine: Engine) -> None:
    """Ask a connection whether it is alive where it was not used just now: asking is a way, too."""

    @event.listens_for(engine, "checkin")
    def note(_connection: Any, record: Any) -> None:
        record.info["rests_since"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def ping(connection: Any, record: Any, _proxy: Any) -> None:
        since = record.info.get("rests_since")
        if since is not None and time.monotonic() - since > _REST_SECONDS:
            dbapi: Any = engine.dialect.dbapi
            try:
                engine.dialect.do_ping(connection)
            except dbapi.Error as error:
                raise DisconnectionError("The connection broke while nobody used it.") from error


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
