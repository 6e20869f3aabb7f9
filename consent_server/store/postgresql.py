"""PostgreSQL: how a connection is opened, when it is given up, and when a commit counts.

Written for a primary that may end, hang or become a standby at any time, with another
server taking its place: docs/scale.md.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from contextlib import suppress
from typing import Any

from sqlalchemy import Engine, event, make_url
from sqlalchemy.engine import ExceptionContext

#: `disk_full`, `read_only_sql_transaction` (PostgreSQL, Appendix A).
DISK_FULL, _READ_ONLY = "53100", "25006"
#: `serialization_failure`, `deadlock_detected`: the database asks for the same once more.
TAKEN_BACK = frozenset({"40001", "40P01"})
#: `lock_not_available`.
LOCKED = "55P03"
#: What waits for the standbys at the end of a transaction. The warning's text is translated
#: and its code is that of every warning; its place in the source is its own.
_WAIT_FOR_STANDBY = "SyncRepWaitForLSN"
#: A machine that vanished says nothing: without these its connections hang for a quarter of
#: an hour (libpq, Parameter Key Words). Seconds; the last in milliseconds.
_GIVEN_UP = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 11_000,
}
#: How often it is looked up where the primary is, for addresses with several hosts, in seconds.
_LOOK_EVERY = 5.0


def connect_arguments(url: str, lock_milliseconds: int) -> dict[str, Any]:
    """Return what a connection is opened with beside what the address says itself."""
    own = make_url(url).query
    said = own.get("options") or os.environ.get("PGOPTIONS", "")
    options = " ".join(
        (
            f"-c lock_timeout={lock_milliseconds}",
            # Such as a schema to look in: it would be replaced, not added to.
            said if isinstance(said, str) else " ".join(said),
            # UTC, or a time near year 9999 could not be read back east of Greenwich.
            "-c timezone=UTC",
            # Whoever waited for a lock must see what was committed meanwhile, whatever the
            # database's own default is.
            "-c default_transaction_isolation=read\\ committed",
        )
    )
    return {name: value for name, value in _GIVEN_UP.items() if name not in own} | {
        "options": options,
        # The database's own may lack letters, or none may be known of it (SQL_ASCII).
        "client_encoding": "utf8",
    }


class Commits:
    """Tells whether a commit of this thread is kept by the standbys that must have it.

    A session that is told to stop waiting for a synchronous standby ends its commit as if all
    were well, and warns (PostgreSQL, Synchronous Replication): the row is on the primary alone,
    and gone if that is lost.
    """

    def __init__(self) -> None:
        self._of_thread = threading.local()

    def begin(self) -> None:
        """Forget what was told of earlier commits."""
        self._of_thread.alone = False

    @property
    def alone(self) -> bool:
        """Tell whether the last commit was not waited for."""
        return bool(getattr(self._of_thread, "alone", False))

    def hear(self, notice: Any) -> None:
        """Take a notice of the server; called by the driver in the thread that commits."""
        if notice.source_function == _WAIT_FOR_STANDBY:
            self._of_thread.alone = True


def prepare_postgresql(engine: Engine, commits: Commits) -> None:
    """Let connections be given up that can only be read from, and commits be listened to."""

    @event.listens_for(engine, "connect")
    def listen(connection: Any, _record: Any) -> None:
        connection.add_notice_handler(commits.hear)

    @event.listens_for(engine, "handle_error")
    def give_up(context: ExceptionContext) -> None:
        if leads_nowhere(context.original_exception):
            context.is_disconnect = True


def leads_nowhere(error: BaseException) -> bool:
    """Tell whether an error comes from a standby, or a primary that became one.

    It answers every question, so that the pool would keep the connection for ever; the next
    one may lead to the new primary.
    """
    return getattr(error, "sqlstate", None) == _READ_ONLY


class Watch:
    """Ends connections to a primary that hangs, once another has taken its place.

    A machine that is paused, or whose disk hangs, keeps its connections open and answers
    nothing, so that whoever waits for it would wait for ever. Only addresses with several
    hosts have another place to look.
    """

    def __init__(self, engine: Engine, arguments: dict[str, Any]) -> None:
        """`arguments` are those that connections are opened with beside the address."""
        hosts = engine.url.query.get("host", ())
        self._engine, self._arguments = engine, arguments
        self._errors: type[Exception] = engine.dialect.loaded_dbapi.Error
        self._lock = threading.Lock()
        #: Open connections of the driver, in the pool or in use.
        self._open: dict[int, Any] = {}
        self._watching = False
        if isinstance(hosts, tuple) and len(hosts) > 1:
            event.listen(engine, "connect", self._take)
            for name in ("close", "close_detached"):
                event.listen(engine, name, self._give_back)

    def _take(self, connection: Any, _record: Any) -> None:
        with self._lock:
            self._open[id(connection)] = connection
            if not self._watching:
                self._watching = True
                threading.Thread(target=self._watch, name="primary-watch", daemon=True).start()

    def _give_back(self, connection: Any, _record: Any = None) -> None:
        with self._lock:
            self._open.pop(id(connection), None)

    def _watch(self) -> None:
        """Look now and then, for as long as anything is open."""
        while True:
            time.sleep(_LOOK_EVERY)
            with self._lock:
                if not self._open:
                    self._watching = False
                    return
                found = list(self._open.values())
            self._end_those_elsewhere(found)

    def _end_those_elsewhere(self, found: list[Any]) -> None:
        try:
            # Beside the pool, which may be used up by what hangs.
            places, names = self._engine.dialect.create_connect_args(self._engine.url)
            primary: Any = self._engine.dialect.connect(*places, **{**names, **self._arguments})
        except self._errors:
            return  # nobody takes writes yet
        with primary:
            place = primary.info.host, primary.info.port
        for connection in found:
            with suppress(OSError, self._errors):
                if (connection.info.host, connection.info.port) != place:
                    _end(connection)


def _end(connection: Any) -> None:
    """Let whoever waits for an answer on it hear that there is none."""
    with socket.socket(fileno=os.dup(connection.fileno())) as wire:
        # The number may have gone to another connection meanwhile.
        if wire.getpeername()[1] == connection.info.port:
            wire.shutdown(socket.SHUT_RDWR)
