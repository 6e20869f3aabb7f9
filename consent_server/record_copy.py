"""Record copy: the lines of records as PostgreSQL itself makes them, with COPY.

Its own processes read, sort and spell the rows, several at a time where they can; here they are
only passed on. What SQL cannot spell, which is signals, is marked in its lines and spelled here.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Sequence
from itertools import islice
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Integer,
    Select,
    String,
    Text,
    and_,
    case,
    column,
    func,
    literal,
    literal_column,
    select,
    tuple_,
    type_coerce,
    values,
)
from sqlalchemy.orm import Session

from consent_server.record_forms import NO_SIGNALS, Forms
from consent_server.rules.receipt import Template
from consent_server.rules.times import parse_time
from consent_server.store.driver import copying
from consent_server.store.models import ConsentEvent, LedgerLeaf, LedgerQueue, SubjectData
from consent_server.store.record_rows import SAME_LEAF, SAME_LINK, SAME_PLACE

#: With more, finding the form of a row takes as long as reading it.
_MAX_FORMS: Final = 256
_ROWS_AT_ONCE: Final = 500
#: No line has these: what comes to us as text is refused with them, and JSON escapes them.
_SIGNALS, _SIGNALS_END, _ODD = b"\x01", b"\x02", b"\x03"
_MARKED: Final = re.compile(rb"\x01([^\x02]*)\x02")
_ESCAPED: Final = re.compile(rb"\\(.)", re.DOTALL)
#: PostgreSQL, COPY, "Text Format".
_ESCAPES: Final = dict(zip(b"bfnrtv\\", b"\b\f\n\r\t\v\\", strict=True))
_TIME: Final = 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'

_Rows = list[ColumnElement[bool]]
_Lines = Generator[tuple[int, bytes], None, _Rows | None]


class _Odd(Exception):
    """A row that SQL has no form for: when it was received, and its id."""


def copy_lines(session: Session, forms: Forms, wanted: Sequence[ColumnElement[bool]]) -> _Lines:
    """Give the lines of the records wanted, oldest first; how many, and their bytes.

    Returns None after the last, or which rows are left to be read one by one: from the first
    that is neither sealed nor waiting on, or all where there are too many forms. Raises
    Unavailable where an answer is gone.
    """
    places = _places(session, forms, wanted)
    if places is None:
        return []
    if not places:
        return None
    try:
        with copying(session.connection(), _query(places, wanted)) as rows:
            yield from _pass_on(rows, forms)
    except _Odd as odd:
        return _rest(str(odd))
    return None


def _pass_on(rows: Iterator[bytes], forms: Forms) -> Iterator[tuple[int, bytes]]:
    while some := b"".join(islice(rows, _ROWS_AT_ONCE)):
        yield from _finish(some, forms)


def _finish(lines: bytes, forms: Forms) -> Iterator[tuple[int, bytes]]:
    """Give lines as they are exported; raises _Odd after those before an odd row."""
    lines, odd, rest = lines.partition(_ODD)
    # Each end of a row is one, and none besides: within them it is escaped.
    number = lines.count(b"\n")
    if forms.line_end != b"\n":
        lines = lines.replace(b"\n", forms.line_end)
    if b"\\" in lines:
        lines = _ESCAPED.sub(lambda found: bytes([_ESCAPES[found[1][0]]]), lines)
    if _SIGNALS in lines:
        lines = _MARKED.sub(lambda found: forms.signals(found[1].decode()).encode(), lines)
    if lines:
        yield number, lines
    if odd:
        raise _Odd(rest.partition(b"\n")[0].decode())


def _rest(place: str) -> _Rows:
    """Return which rows come from one on."""
    received, event_id = place.split()
    columns = ConsentEvent.received_at, ConsentEvent.event_id
    first = literal(parse_time(received), columns[0].type), literal(UUID(event_id), columns[1].type)
    return [tuple_(*columns) >= tuple_(*first)]


def _places(
    session: Session, forms: Forms, wanted: Sequence[ColumnElement[bool]]
) -> list[tuple[int, str, bool, Template]] | None:
    """Return what tells forms apart, and each form, the most frequent first; None for too many."""
    event = ConsentEvent
    query = (
        select(event.answer_number, event.region, func.min(func.encode(_id(event), "hex")))
        .where(*wanted)
        .group_by(event.answer_number, event.region)
        .order_by(func.count().desc())
        .limit(_MAX_FORMS + 1)
    )
    found = session.execute(query).all()
    if len(found) > _MAX_FORMS:
        return None
    return [
        (number, region, linked, forms.of(number, region, bytes.fromhex(any_id), linked=linked))
        for linked in (True, False)
        for number, region, any_id in found
    ]


def _id(event: Any) -> Any:
    return func.uuid_send(event.event_id)


def _query(
    places: Sequence[tuple[int, str, bool, Template]], wanted: Sequence[ColumnElement[bool]]
) -> Select[Any]:
    event = ConsentEvent
    leaf = func.coalesce(LedgerLeaf.leaf_hash, LedgerQueue.leaf_hash)
    columns = column("number", Integer), column("region", String), column("linked", Boolean)
    place = values(*columns, column("form", Integer), name="place").data(
        [(*key, at) for at, (*key, _) in enumerate(places)]
    )
    same = and_(
        place.c.number == event.answer_number,
        place.c.region == event.region,
        place.c.linked == SubjectData.salt.is_not(None),
        leaf.is_not(None),
    )
    # Sorted before they are spelled: lines are long.
    rows = (
        select(
            *(event.event_id, event.decided_at, event.received_at, event.valid_until),
            *(event.subject_commitment, type_coerce(event.signals, Text).label("signals")),
            *(leaf.label("leaf_hash"), SubjectData.salt, place.c.form),
        )
        .select_from(event)
        .outerjoin(SubjectData, SAME_LINK)
        .outerjoin(LedgerLeaf, SAME_LEAF)
        .outerjoin(LedgerQueue, SAME_PLACE)
        .outerjoin(place, same)
        .where(*wanted)
        .order_by(event.received_at, event.event_id)
        .subquery("record")
    )
    spelling = _spelling(rows.c)
    lines = {at: _line(form, spelling) for at, (*_, form) in enumerate(places)}
    odd = func.concat(_mark(_ODD), spelling["received_at"], " ", rows.c.event_id)
    return select(case(lines, value=rows.c.form, else_=odd)).select_from(rows)


def _line(form: Template, spelling: dict[str, Any]) -> Any:
    filled = [spelling[name] for name in form.names]
    *pieces, last = form.pieces
    # COPY ends the line itself.
    texts = [literal(piece, Text) for piece in (*pieces, last.rstrip("\r\n"))]
    both = [one for pair in zip(texts, filled, strict=False) for one in pair]
    return func.concat(*both, texts[-1])


def _spelling(row: Any) -> dict[str, Any]:
    """Return how SQL spells what differs between records."""
    times = ("decided_at", "received_at", "valid_until")
    signals = func.concat(_mark(_SIGNALS), row.signals, _mark(_SIGNALS_END))
    return {
        "event_id": row.event_id,
        # Whatever zone the session is in: a pooler may have dropped the one that we ask for.
        **{
            name: func.to_char(func.timezone(literal("UTC", Text), row[name]), literal(_TIME, Text))
            for name in times
        },
        **{
            name: func.encode(row[name], literal_column("'hex'"))
            for name in ("subject_commitment", "leaf_hash", "salt")
        },
        "signals": case((row.signals == literal(NO_SIGNALS, Text), "{}"), else_=signals),
    }


def _mark(mark: bytes) -> Any:
    return func.chr(literal_column(str(mark[0])))
