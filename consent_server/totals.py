"""Totals: how often each answer was given on a day, with no person in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from consent_server.rules.decision import Kind, Method
from consent_server.rules.receipt import Event
from consent_server.store.models import NoticeCount

#: Which total a method adds to; the others count by what they amount to.
_COUNTED = {Method.ACCEPT_ALL: "accepted", Method.REJECT_ALL: "refused"}
_TOTALS = ("shown", "accepted", "refused", "saved", "withdrawn")
_KEY = ("site_id", "day", "version", "language", "regime")

_Place = tuple[int, date, int, str, str]


def add_to_totals(session: Session, events: Iterable[tuple[int, Event]]) -> None:
    """Add events, each with the id of its site, to the totals of their days.

    The database adds: servers that count at once need not read first.
    """
    added: dict[_Place, Counter[str]] = {}
    for site_id, event in events:
        place = (
            site_id,
            event.received_at.date(),
            event.version,
            event.language,
            event.regime,
        )
        added.setdefault(place, Counter())[_name(event)] += 1
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    columns = NoticeCount.__table__.c
    # In one order for all, or two servers could wait for each other.
    for place in sorted(added):
        totals = {name: added[place][name] for name in _TOTALS}
        row = dialect.insert(NoticeCount).values(**dict(zip(_KEY, place, strict=True)), **totals)
        grown = {name: columns[name] + number for name, number in totals.items() if number}
        session.execute(row.on_conflict_do_update(index_elements=_KEY, set_=grown))


def _name(event: Event) -> str:
    if event.kind is Kind.WITHDRAWN:
        return "withdrawn"
    return _COUNTED.get(Method(event.method), "saved")
