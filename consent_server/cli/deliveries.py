"""Deliveries: what the sites' own servers are told, brought to each by a thread of its own."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from consent_server.cli.opening import now
from consent_server.cli.upkeep import holding
from consent_server.errors import ConsentError
from consent_server.identifying import forget_identities
from consent_server.site_secrets import open_site_secrets
from consent_server.store.database import Database
from consent_server.webhook_deliveries import (
    Due,
    Refused,
    deliver,
    find_due,
    has_due,
    note_delivered,
    note_failed,
    still_waits,
)
from consent_server.webhooks import forget_given_up

_LEASE = "webhooks"
#: Of each site, read at once; the rest comes in the next run, a second later.
_AT_ONCE = 200
#: Slow servers do not wait for each other.
_THREADS = 8
#: Much shorter than the lease, with the longest wait for one answer on top.
_LONGEST_SECONDS = 60.0

log = logging.getLogger(__name__)


class Deliverer:
    """Brings what waits to the sites' servers; of many servers of ours, one at a time does."""

    def __init__(
        self, database: Database, folder: Path, told: Callable[[], object] = lambda: None
    ) -> None:
        """Make one; `told` hears that an erasure was told, and its delivery deleted."""
        self._database = database
        self._folder = folder
        self._told = told

    def run(self) -> int:
        """Deliver what is due; return how many arrived."""
        with self._database.read() as session:
            if not has_due(session, now=now()):
                return 0
        with holding(self._database, _LEASE) as renew:
            if renew is None:
                return 0
            with self._database.read() as session:
                secrets = open_site_secrets(self._folder, now=now())
                due = find_due(session, secrets, now=now(), limit=_AT_ONCE)
            by_site: dict[int, list[Due]] = {}
            for one in due:
                by_site.setdefault(one.site_id, []).append(one)
            serve = partial(self._serve, renew)
            with ThreadPoolExecutor(max_workers=_THREADS) as pool:
                return sum(pool.map(serve, by_site.values()))

    def _serve(self, renew: Callable[[], bool], waiting: Iterable[Due]) -> int:
        """Bring one site's server what waits, until it cannot be reached.

        After a message that it refuses comes the next.
        """
        # Many slow servers together may take longer than the lease lasts.
        if not renew():
            return 0
        arrived, ends = 0, time.monotonic() + _LONGEST_SECONDS
        for one in waiting:
            if time.monotonic() > ends:
                break
            if not self._still_waits(one):
                continue
            try:
                deliver(one, now=now())
            except Refused as error:
                self._note(one, error)
                continue
            except ConsentError as error:
                self._note(one, error)
                break
            with self._database.write() as session:
                note_delivered(session, one)
            if one.tells_erasure:
                self._told()
            arrived += 1
        return arrived

    def _still_waits(self, one: Due) -> bool:
        with self._database.read() as session:
            return still_waits(session, one)

    def _note(self, one: Due, error: ConsentError) -> None:
        with self._database.write() as session:
            given_up = note_failed(session, one, error, now=now())
        if given_up:
            log.error("webhook of %s given up: %s", one.site, error.detail)
        elif not one.attempts:
            log.warning("webhook of %s not delivered, tried again: %s", one.site, error.detail)


def forget_old(database: Database, deleted: Callable[[], object] = lambda: None) -> None:
    """Delete what was given up a month ago, and links of subjects without records.

    `deleted` hears of it, once it is committed, where there was anything to delete.
    """
    with database.write() as session:
        number = forget_given_up(session, now=now()) + forget_identities(session)
    if number:
        deleted()
