"""Readiness: can this server record a decision and seal it, right now."""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from consent_server.config import Settings, sqlite_path
from consent_server.doctor import Finding
from consent_server.errors import ConsentError
from consent_server.rules.times import spell_time
from consent_server.store.database import Database, disk_is_full
from consent_server.store.leases import take_lease
from consent_server.store.models import LedgerQueue
from consent_server.store.schema import schema_is_current

#: With less, SQLite cannot even be sure of its journal.
MIN_FREE_BYTES = 16 * 1024 * 1024
#: A commit takes milliseconds; waiting for another process, five seconds at most.
MAX_COMMIT_SECONDS = 6.0
#: Sealed every half second; found out within ten seconds, the next look included.
MAX_UNSEALED = timedelta(seconds=8)
#: What was found holds for so long: whoever asks more often costs the database nothing.
_FRESH_SECONDS = 1.5
#: A database that hangs is as good as none.
_PATIENCE_SECONDS = 6.0

log = logging.getLogger(__name__)

Look = Callable[[], Finding]
Clock = Callable[[], datetime]


@dataclass
class _Round:
    """All looks, done once in a thread of their own."""

    began: float
    findings: list[Finding] = field(default_factory=list)
    done: threading.Event = field(default_factory=threading.Event)
    ended: float = 0.0


_NO_THREAD = Finding(
    "writer",
    False,
    "The system has no thread to give to look with.",
    "Look at the limits of threads and memory of the service.",
)


class Readiness:
    """Looks when somebody asks, at most once in a while and never twice at a time.

    What hangs is told as hanging: nobody who asks waits for longer than the patience,
    and however many ask, one thread looks.
    """

    def __init__(self, looks: Iterable[tuple[str, Look]]) -> None:
        self._looks = tuple(looks)
        self._lock = threading.Lock()
        self._round: _Round | None = None

    def findings(self) -> Sequence[Finding]:
        """Return what was found, one for each thing that was looked at."""
        now = time.monotonic()
        with self._lock:
            current = self._round
            if current is None or (current.done.is_set() and now - current.ended > _FRESH_SECONDS):
                current = _Round(now)
                looking = threading.Thread(
                    target=self._look, args=(current,), name="readiness", daemon=True
                )
                try:
                    looking.start()
                except RuntimeError:  # the next who asks tries again
                    return [_NO_THREAD]
                self._round = current
        if current.done.wait(max(0.0, current.began + _PATIENCE_SECONDS - now)):
            return current.findings
        found = list(current.findings)
        name = self._looks[len(found)][0] if len(found) < len(self._looks) else "database"
        hanging = Finding(
            name,
            False,
            f"No answer within {_PATIENCE_SECONDS:.0f} seconds.",
            "Look whether the database runs and answers, and what holds it.",
        )
        return [*found, hanging]

    def _look(self, current: _Round) -> None:
        try:
            for name, look in self._looks:
                current.findings.append(_guarded(name, look))
        finally:
            current.ended = time.monotonic()
            current.done.set()


def looks_of(
    settings: Settings, database: Database, busy_seconds: Callable[[], float], now: Clock
) -> list[tuple[str, Look]]:
    """Return what must be right for a server to record decisions and to seal them."""
    return [
        # First what asks no database, and so cannot hang with it.
        ("space", lambda: _space(settings)),
        ("writer", lambda: _writer(busy_seconds())),
        ("database", lambda: _database(database)),
        ("writing", lambda: _writing(database, now())),
        ("sealing", lambda: _sealing(database, now())),
    ]


def _guarded(name: str, look: Look) -> Finding:
    """Return what a look finds; one that fails is a finding too.

    Anybody may read it: what a driver says of hosts and files stays in the log.
    """
    try:
        return look()
    except ConsentError as error:
        return Finding(name, False, error.detail)
    except DBAPIError as error:
        if disk_is_full(error):
            return Finding(name, False, "The disk of the database is full.", "Make room.")
        return Finding(
            name,
            False,
            "The database did not answer, or took no writes.",
            "Look whether it runs, and whether this server may write to it: consent-server doctor",
        )
    except Exception:
        log.exception("%s could not be looked at", name)
        return Finding(name, False, "It could not be looked at.", "The server's log says why.")


def _space(settings: Settings) -> Finding:
    path = sqlite_path(settings.database_url)
    if path is None:
        return Finding("space", True, "The database keeps its own disk.")
    if shutil.disk_usage(path.parent).free < MIN_FREE_BYTES:
        return Finding(
            "space",
            False,
            f"Less than {MIN_FREE_BYTES // 1024 // 1024} MiB is free on the database's disk.",
            "Make room: a full disk takes no decisions.",
        )
    return Finding("space", True, "There is room on the disk.")


def _writer(seconds: float) -> Finding:
    if seconds > MAX_COMMIT_SECONDS:
        return Finding(
            "writer",
            False,
            f"Decisions have been waiting for one commit for {seconds:.0f} seconds.",
            "Look what holds the database: another process, a backup, a slow disk.",
        )
    return Finding("writer", True, "Decisions are written as they come.")


def _database(database: Database) -> Finding:
    database.check()
    if not schema_is_current(database):
        return Finding(
            "database",
            False,
            "The database has another release's schema.",
            "Run: consent-server database upgrade",
        )
    return Finding("database", True, "It answers, with this release's schema.")


def _writing(database: Database, now: datetime) -> Finding:
    """Write a row for real: a read-only file system and missing rights show only so."""
    with database.write() as session:
        take_lease(session, "readiness", "readiness", now=now, lasts=timedelta(seconds=1))
    return Finding("writing", True, "It takes writes.")


def _sealing(database: Database, now: datetime) -> Finding:
    with database.read() as session:
        oldest = session.scalar(select(func.min(LedgerQueue.received_at)))
    if oldest is not None and now - oldest > MAX_UNSEALED:
        return Finding(
            "sealing",
            False,
            f"Records wait to be sealed since {spell_time(oldest)}.",
            "The log says why they cannot be. For each site: consent-server doctor",
        )
    return Finding("sealing", True, "What was recorded is sealed.")
