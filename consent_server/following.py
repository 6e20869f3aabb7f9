"""Following: an export is noted in one database and read from another that follows it.

So a standby carries the load of an export, and the ledger tells of it all the same.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from uuid import UUID

from sqlalchemy.orm import Session

from consent_server.errors import NotFound, Unavailable
from consent_server.proofs import newest_checkpoint
from consent_server.sites import find_site
from consent_server.store.database import Database
from consent_server.store.models import AdminEvent

#: A standby is milliseconds behind, or does not follow.
_PATIENCE_SECONDS = 30.0
_PAUSE_SECONDS = 0.05


def await_event(follower: Database, site_key: str, event_id: UUID) -> None:
    """Wait until a follower has an administrator's event; raises Unavailable."""

    def is_there(session: Session) -> bool:
        site = find_site(session, site_key)
        return session.get(AdminEvent, (site.id, event_id)) is not None

    _await(follower, is_there)


def await_sealed(database: Database, follower: Database, site_key: str) -> None:
    """Wait until a follower has what is sealed by now; raises Unavailable."""
    with database.read() as session:
        sealed = newest_checkpoint(session, find_site(session, site_key)).size

    def is_there(session: Session) -> bool:
        return newest_checkpoint(session, find_site(session, site_key)).size >= sealed

    _await(follower, is_there)


def _await(follower: Database, is_there: Callable[[Session], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        # A follower may not have heard of the site yet.
        with suppress(NotFound), follower.read() as session:
            if is_there(session):
                return
        if time.monotonic() > deadline:
            raise Unavailable(
                "What was just written to CONSENT_DATABASE_URL did not arrive within "
                f"{_PATIENCE_SECONDS:.0f} seconds in the database that is to be read from. Is it "
                "a standby of that one, and does it follow? Nothing was exported; the ledger "
                "notes that it was tried."
            )
        time.sleep(_PAUSE_SECONDS)
