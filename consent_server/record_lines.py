"""Record lines: the records of a site as lines of text, as fast as a database gives its rows."""

from __future__ import annotations

from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, cast, func, select, type_coerce
from sqlalchemy.orm import Session
from sqlalchemy.types import NullType

from consent_server.audit import in_period
from consent_server.record_copy import copy_lines
from consent_server.record_forms import Forms
from consent_server.store.models import ConsentEvent, LedgerLeaf, LedgerQueue, Site, SubjectData
from consent_server.store.record_rows import SAME_LEAF, SAME_LINK, SAME_PLACE

#: More at once are no faster, and take memory.
_ROWS_AT_ONCE: Final = 250
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTE: Final = 60_000


def export_lines(
    session: Session,
    site: Site,
    form: str,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Generator[tuple[int, bytes], None, None]:
    """Give the lines of `export_records` in `form` (`csv` or `jsonl`): how many, and their bytes.

    The header of CSV comes first, with no record. Raises Unavailable as `export_records` does.
    """
    forms = Forms(session, site, form)
    if forms.header:
        yield 0, forms.header
    wanted = list(in_period(site, since, until))
    if session.get_bind().dialect.name == "postgresql":
        rest = yield from copy_lines(session, forms, wanted)
        if rest is None:
            return
        wanted += rest
    query = (
        _columns(session.get_bind().dialect.name)
        .where(*wanted)
        .order_by(ConsentEvent.received_at, ConsentEvent.event_id)
        .execution_options(yield_per=_ROWS_AT_ONCE)
    )
    for rows in session.connection().execute(query).partitions():
        yield len(rows), "".join([_line_of(row, forms) for row in rows]).encode()


def _line_of(row: Any, forms: Forms) -> str:
    """Return the line of a row of `_columns`."""
    event_id, decided, received, valid, commitment, number, region, signals, leaf, salt = row
    if leaf is None:  # neither sealed nor waiting: only a careful look can tell
        return forms.line_of(UUID(bytes=event_id))
    form = forms.of(number, region, event_id, linked=salt is not None)
    return form.fill(
        {
            "decided_at": spell_milliseconds(decided),
            "event_id": _spell_id(event_id),
            "received_at": spell_milliseconds(received),
            "signals": forms.signals(signals),
            "subject_commitment": commitment.hex(),
            "valid_until": spell_milliseconds(valid),
            "leaf_hash": leaf.hex(),
            "salt": "" if salt is None else salt.hex(),
        }
    )


def spell_milliseconds(moment: int) -> str:
    """Spell a time in milliseconds since 1970 as `spell_time` does."""
    minute, rest = divmod(moment, _MINUTE)
    return f"{_spell_minute(minute)}{rest // 1_000:02}.{rest % 1_000:03}Z"


@lru_cache(4_096)
def _spell_minute(minute: int) -> str:
    return (_EPOCH + timedelta(minutes=minute)).isoformat()[: len("2026-11-22T16:47:")]


def _spell_id(event_id: bytes) -> str:
    digits = event_id.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def _columns(dialect: str) -> Any:
    """Select what differs between records, and what tells their answers apart, as it is kept."""
    event = ConsentEvent
    times = event.decided_at, event.received_at, event.valid_until
    spelled: list[ColumnElement[Any]]
    if dialect == "sqlite":
        spelled = [type_coerce(column, NullType()) for column in (event.event_id, *times)]
    else:
        ticks = [cast(func.extract("epoch", column) * 1_000, BigInteger) for column in times]
        spelled = [func.uuid_send(event.event_id), *ticks]
    plain = [
        type_coerce(column, NullType())
        for column in (
            *(event.subject_commitment, event.answer_number, event.region, event.signals),
            *(func.coalesce(LedgerLeaf.leaf_hash, LedgerQueue.leaf_hash), SubjectData.salt),
        )
    ]
    query = select(*spelled, *plain).select_from(event).outerjoin(SubjectData, SAME_LINK)
    return query.outerjoin(LedgerLeaf, SAME_LEAF).outerjoin(LedgerQueue, SAME_PLACE)
