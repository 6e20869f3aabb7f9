"""Selection: which part of a ledger a bundle holds, and where it begins and ends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from consent_server.audit import Record
from consent_server.ledger import admin_event_of, append_admin_event, receipt_of_row
from consent_server.rules.admin_event import Action, admin_entry
from consent_server.rules.times import spell_time
from consent_server.store.models import (
    AdminEvent,
    Answer,
    ConsentEvent,
    LedgerLeaf,
    Site,
    SubjectData,
)
from consent_server.store.record_rows import select_sealed_records

#: Leaves that are read at once: the memory of an export does not grow with the ledger.
_AT_ONCE = 2048


@dataclass(frozen=True, slots=True)
class Selection:
    """Records by period, version and subject; the empty one is everything."""

    since: datetime | None = None
    until: datetime | None = None
    versions: tuple[int, ...] = ()
    #: SHA-256 of the subject id.
    subject: bytes | None = None

    @property
    def is_whole(self) -> bool:
        """Whether nothing is left out."""
        return self == Selection()

    def to_filters(self) -> dict[str, Any]:
        """Return the selection as the manifest has it."""
        return {
            "from": spell_time(self.since) if self.since else None,
            "to": spell_time(self.until) if self.until else None,
            "versions": sorted(self.versions),
            "subject": self.subject.hex() if self.subject else None,
        }

    def to_details(self) -> dict[str, Any]:
        """Return the same for the ledger, which must name no visitor."""
        return {**self.to_filters(), "subject": self.subject is not None}


def read_records(session: Session, site: Site, size: int, selection: Selection) -> Iterator[Record]:
    """Give the records among the first `size` leaves, in their order, with their index."""
    query = select_sealed_records().where(*_of_records(selection)).order_by(LedgerLeaf.leaf_index)
    for part in _parts(site, size):
        for row in session.execute(query.where(part)):
            yield {**receipt_of_row(row, site.key), "leaf_index": row.leaf_index}


def read_admin_events(
    session: Session, site: Site, size: int, selection: Selection, export: UUID
) -> Iterator[Record]:
    """Give the administrators' events of the period, and that of the export, in their order."""
    query = (
        select(AdminEvent, LedgerLeaf.leaf_index)
        .join(
            LedgerLeaf,
            (LedgerLeaf.site_id == AdminEvent.site_id)
            & (LedgerLeaf.event_id == AdminEvent.event_id),
        )
        .where(
            AdminEvent.site_id == site.id,
            LedgerLeaf.leaf_index < size,
            or_(AdminEvent.event_id == export, _in_period(selection)),
        )
        .order_by(LedgerLeaf.leaf_index)
    )
    for row, index in session.execute(query.execution_options(yield_per=_AT_ONCE)):
        yield {
            **admin_entry(admin_event_of(row, site.key)),
            "leaf_hash": row.leaf_hash.hex(),
            "leaf_index": index,
        }


def read_leaves(session: Session, site: Site, size: int) -> Iterator[bytes]:
    """Give the hash of each of the first `size` leaves."""
    query = select(LedgerLeaf.leaf_hash).order_by(LedgerLeaf.leaf_index)
    for part in _parts(site, size):
        yield from session.scalars(query.where(part))


def note_export(
    session: Session, site: Site, form: str, selection: Selection, *, actor: str, now: datetime
) -> UUID:
    """Write into the ledger that it is being exported; return the event's id."""
    details = {"format": form, "filters": selection.to_details()}
    event = append_admin_event(session, site, Action.EXPORT, actor=actor, details=details, now=now)
    return event.event_id


def _parts(site: Site, size: int) -> Iterator[ColumnElement[bool]]:
    for first in range(0, size, _AT_ONCE):
        last = min(first + _AT_ONCE, size) - 1
        yield (LedgerLeaf.site_id == site.id) & LedgerLeaf.leaf_index.between(first, last)


def _of_records(selection: Selection) -> Iterator[ColumnElement[bool]]:
    if selection.since is not None:
        yield ConsentEvent.received_at >= selection.since
    if selection.until is not None:
        yield ConsentEvent.received_at < selection.until
    if selection.versions:
        yield Answer.version.in_(selection.versions)
    if selection.subject is not None:
        yield SubjectData.subject_key == selection.subject


def _in_period(selection: Selection) -> ColumnElement[bool]:
    found: ColumnElement[bool] = AdminEvent.site_id.is_not(None)
    if selection.since is not None:
        found &= AdminEvent.happened_at >= selection.since
    if selection.until is not None:
        found &= AdminEvent.happened_at < selection.until
    return found
