"""Totals: how often each answer was given on a day, with no person in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Final

from sqlalchemy import bindparam
from sqlalchemy.orm import Session

from consent_server.rules.decision import Kind, Method
from consent_server.rules.receipt import Event
from consent_server.store.dialects import insert_for
from consent_server.store.driver import Statement
from consent_server.store.models import NoticeCount

#: Which total a method adds to; the others count by what they amount to.
_COUNTED = {Method.ACCEPT_ALL: "accepted", Method.REJECT_ALL: "refused"}
_TOTALS = ("shown", "accepted", "refused", "saved", "withdrawn")
_KEY = ("site_id", "day", "version", "language", "regime")


def _add(name: str) -> Any:
    columns = NoticeCount.__table__.c
    # Spelled for one row, whose columns keep their names as parameters.
    row = insert_for(name, NoticeCount).values(
        {name: bindparam(name, type_=columns[name].type) for name in (*_KEY, *_TOTALS)}
    )
    grown = {name: columns[name] + row.excluded[name] for name in _TOTALS}
    return row.on_conflict_do_update(index_elements=_KEY, set_=grown)


#: How each database adds to what is there.
_ADD: Final = Statement(_add)

_Place = tuple[int, date, int, str, str]


def add_to_totals(session: Session, events: Iterable[tuple[int, Event]]) -> None:
    """Add events, each with the id of its site, to the totals of their days.

    The database adds: servers that count at once need not read first.
    """
    # A copy is no further answer of anybody.
    counted = Counter(
        (
            (site_id, event.received_at.date(), event.version, event.language, event.regime),
            _name(event),
        )
        for site_id, event in events
        if "copy_of" not in event.signals
    )
    added: dict[_Place, dict[str, int]] = {}
    for (place, name), number in counted.items():
        added.setdefault(place, {})[name] = number
    if not added:
        return
    # In one order for all, or two servers could wait for each other.
    rows = [dict(zip(_KEY, place, strict=True)) | _totals(added[place]) for place in sorted(added)]
    _ADD(session.connection(), rows)


def _totals(counted: Mapping[str, int]) -> dict[str, int]:
    return {name: counted.get(name, 0) for name in _TOTALS}


def _name(event: Event) -> str:
    if event.kind is Kind.WITHDRAWN:
        return "withdrawn"
    return _COUNTED.get(Method(event.method), "saved")
