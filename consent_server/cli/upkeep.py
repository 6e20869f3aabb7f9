"""Upkeep: what a server does by itself about old and erased records, and by whom of many."""

from __future__ import annotations

import os
import secrets
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from consent_server.cli.opening import now
from consent_server.errors import ConsentError
from consent_server.retention import Outlived, announce_erasure, erase_batch, outlived_of
from consent_server.rules.admin_event import Action
from consent_server.sites import list_sites
from consent_server.store.database import Database
from consent_server.store.leases import is_held, release_lease, take_lease
from consent_server.store.models import AdminEvent
from consent_server.store.scrubbing import scrub

#: Much longer than the clocks of two servers may differ; it is renewed at every batch.
_LEASE = timedelta(minutes=5)
_RETENTION, _SCRUBBING = "retention", "scrubbing"


def run_retention(
    database: Database, deleted: Callable[[], object] = lambda: None
) -> list[Outlived] | None:
    """Erase the links that sites keep no longer; None where another server is at it.

    `deleted` hears of each batch once it is committed. What one site met is raised when all
    others had their turn.
    """
    with holding(database, _RETENTION) as renew:
        if renew is None:
            return None
        due, failed = _find_due(database)
        for outlived in due:
            # Another server may have taken over, and has announced the rest.
            if not renew():
                break
            try:
                _erase(database, outlived, renew, deleted)
            except DBAPIError as error:
                if error.connection_invalidated:
                    raise
                failed.append(error)
    if failed:
        raise failed[0]
    return due


def _find_due(database: Database) -> tuple[list[Outlived], list[Exception]]:
    """Return what is to be erased, and what sites met of which that cannot be told."""
    due, failed = [], list[Exception]()
    with database.read() as session:
        for site in list_sites(session):
            try:
                outlived = outlived_of(session, site, now=now())
            except ConsentError as error:
                failed.append(error)
            else:
                if outlived is not None and outlived.records:
                    due.append(outlived)
    return due, failed


def _erase(
    database: Database,
    outlived: Outlived,
    renew: Callable[[], bool],
    deleted: Callable[[], object],
) -> None:
    with database.write() as session:
        announce_erasure(session, outlived, now=now())
    place = None
    while renew():
        with database.write() as session:
            place = erase_batch(session, outlived, place)
        deleted()
        if place is None:
            break


class Scrubber:
    """Takes erased rows out of the files, when rows were deleted since it last did."""

    def __init__(self, database: Database) -> None:
        self._database = database
        #: Erasures in the ledger when it last began.
        self._erasures = 0
        self._marked = threading.Event()

    def mark(self) -> None:
        """Let the next run scrub: rows were deleted, and that is committed."""
        self._marked.set()

    def run(self) -> bool:
        """Tell whether there was anything to do for this server."""
        with self._database.read() as session:
            # Counted, since an erasure may be committed later than its time says.
            erasures = (
                session.scalar(
                    select(func.count())
                    .select_from(AdminEvent)
                    .where(AdminEvent.action == Action.ERASE)
                )
                or 0
            )
            # Retention announces first and deletes then: what follows needs another run.
            deleting = is_held(session, _RETENTION, now=now())
        if erasures == self._erasures and not self._marked.is_set():
            return False
        with holding(self._database, _SCRUBBING) as renew:
            if renew is None:
                return False
            self._marked.clear()
            try:
                scrub(self._database)
            except BaseException:
                self.mark()
                raise
        self._erasures = erasures
        if deleting:
            self.mark()
        return True


@contextmanager
def holding(database: Database, job: str) -> Iterator[Callable[[], bool] | None]:
    """Hold the lease of a job; gives what renews it, or None while another server holds it."""
    holder = f"{socket.gethostname()[:32]}:{os.getpid()}:{secrets.token_hex(4)}"

    def renew() -> bool:
        with database.write() as session:
            return take_lease(session, job, holder, now=now(), lasts=_LEASE)

    if not renew():
        yield None
        return
    try:
        yield renew
    finally:
        with database.write() as session:
            release_lease(session, job, holder)
