"""Record lines: the records of a site as lines of text, as fast as a database gives its rows.

Records of one answer differ in ids, times and hashes. The first of them is read and spelled with
care; its line is then filled in for the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, Text, cast, func, select, type_coerce
from sqlalchemy.orm import Session
from sqlalchemy.types import NullType

from consent_server.audit import COLUMNS, Record, in_period, spell_csv, spell_jsonl
from consent_server.ledger import receipt_of_row
from consent_server.rules.receipt import VARYING, Template
from consent_server.store.models import ConsentEvent, LedgerLeaf, LedgerQueue, Site, SubjectData
from consent_server.store.record_rows import SAME_LEAF, SAME_LINK, SAME_PLACE, select_records

_ROWS_AT_ONCE: Final = 1_000
_MAX_FORMS: Final = 4_096
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTE: Final = 60_000
_SPELL: Final = {"csv": spell_csv, "jsonl": spell_jsonl}


def export_lines(
    session: Session,
    site: Site,
    form: str,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Iterator[tuple[int, bytes]]:
    """Give the lines of `export_records` in `form` (`csv` or `jsonl`): how many, and their bytes.

    The header of CSV comes first, with no record. Raises Unavailable as `export_records` does.
    """
    if form == "csv":
        yield 0, spell_csv(dict(zip(COLUMNS, COLUMNS, strict=True)), is_header=True).encode()
    lines = _Lines(session, site, form)
    query = (
        _columns(session.get_bind().dialect.name)
        .where(*in_period(site, since, until))
        .order_by(ConsentEvent.received_at, ConsentEvent.event_id)
        .execution_options(yield_per=_ROWS_AT_ONCE)
    )
    for rows in session.connection().execute(query).partitions():
        yield len(rows), "".join([lines.line_of(row) for row in rows]).encode()


class _Lines:
    """Spells one row after the other."""

    def __init__(self, session: Session, site: Site, form: str) -> None:
        self._session, self._site = session, site
        self._spell = _SPELL[form]
        is_sqlite = session.get_bind().dialect.name == "sqlite"
        self._id: Callable[[Any], str] = _spell_id if is_sqlite else str
        self._forms: dict[tuple[Any, ...], Template] = {}

    def line_of(self, row: Any) -> str:
        """Return the line of a row of `_columns`."""
        event_id, *times, commitment, number, region, signals, leaf_hash, salt = row
        if leaf_hash is None:  # neither sealed nor waiting: only a careful look can tell
            return self._spell(self._read(event_id))
        place = (number, region, signals, salt is None)
        form = self._forms.get(place)
        if form is None:
            form = self._add_form(place, event_id)
        decided, received, valid = times
        return form.fill(
            {
                "decided_at": spell_milliseconds(decided),
                "event_id": self._id(event_id),
                "received_at": spell_milliseconds(received),
                "subject_commitment": commitment.hex(),
                "valid_until": spell_milliseconds(valid),
                "leaf_hash": leaf_hash.hex(),
                "salt": "" if salt is None else salt.hex(),
            }
        )

    def _add_form(self, place: tuple[Any, ...], event_id: Any) -> Template:
        record = self._read(event_id)
        own = [*VARYING, "leaf_hash", *(["salt"] if record["salt"] is not None else [])]
        if len(self._forms) >= _MAX_FORMS:
            self._forms.clear()
        form = self._forms[place] = Template(self._spell, record, own)
        return form

    def _read(self, event_id: Any) -> Record:
        """Return a record, read as `export_records` reads it."""
        key = UUID(self._id(event_id))
        query = select_records().where(
            ConsentEvent.site_id == self._site.id, ConsentEvent.event_id == key
        )
        return receipt_of_row(self._session.execute(query).one(), self._site.key)


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
        spelled = [cast(event.event_id, Text), *ticks]
    plain = [
        type_coerce(column, NullType())
        for column in (
            *(event.subject_commitment, event.answer_number, event.region, event.signals),
            *(func.coalesce(LedgerLeaf.leaf_hash, LedgerQueue.leaf_hash), SubjectData.salt),
        )
    ]
    query = select(*spelled, *plain).select_from(event).outerjoin(SubjectData, SAME_LINK)
    return query.outerjoin(LedgerLeaf, SAME_LEAF).outerjoin(LedgerQueue, SAME_PLACE)
