"""Upkeep: what a server does by itself about old and erased records, and by whom of many."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from sqlalchemy import func, select

from consent_server.cli.opening import now
from consent_server.retention import Outlived, announce_erasure, erase_batch, find_outlived
from consent_server.rules.admin_event import Action
from consent_server.store.database import Database
from consent_server.store.leases import release_lease, take_lease
from consent_server.store.models import AdminEvent
from consent_server.store.scrubbing import scrub

#: Much longer than the clocks of two servers may differ; it is renewed at every batch.
_LEASE = timedelta(minutes=5)
_RETENTION, _SCRUBBING = "retention", "scrubbing"


def run_retention(database: Database) -> list[Outlived] | None:
    """Erase the links that sites keep no longer; None where another server is at it."""
    with holding(database, _RETENTION) as renew:
        if renew is None:
            return None
        with database.read() as session:
            due = [one for one in find_outlived(session, now=now()) if one.records]
        for outlived in due:
            with database.write() as session:
                announce_erasure(session, outlived, now=now())
            place = None
            while renew():
                with database.write() as session:
                    place = erase_batch(session, outlived, place)
                if place is None:
                    break
    return due


class Scrubber:
    """Takes erased rows out of the files, when there was an erasure since it last did."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._done: datetime | None = None

    def run(self) -> bool:
        """Tell whether there was anything to do for this server."""
        with self._database.read() as session:
            erasures = select(func.max(AdminEvent.happened_at)).where(
                AdminEvent.action == Action.ERASE
            )
            latest = session.scalar(erasures)
        if latest is None or (self._done is not None and latest < self._done):
            return False
        with holding(self._database, _SCRUBBING) as renew:
            if renew is None:
                return False
            began = now()
            scrub(self._database)
            self._done = began
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
