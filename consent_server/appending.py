"""Appending: decisions become events, once each, many in one transaction."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from consent_server.errors import Conflict
from consent_server.ledger import Recorded, ShownVersion, event_of, not_before_sealed
from consent_server.rules.decision import Decision, Grants, check_decision, kind_of
from consent_server.rules.receipt import (
    SALT_BYTES,
    Event,
    build_receipt,
    commit_subject,
    hash_event,
    subject_key,
)
from consent_server.store.models import ConsentEvent, LedgerQueue, SubjectData
from consent_server.totals import add_to_totals

#: Times are kept in milliseconds.
_TICK = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A decision that asks to be recorded, with the version that it names."""

    shown: ShownVersion
    decision: Decision

    @property
    def place(self) -> tuple[int, UUID]:
        """The key of its row."""
        return self.shown.site_id, self.decision.decision_id

    @property
    def subject(self) -> tuple[int, bytes]:
        """Whose it is, as the database keeps it."""
        return self.shown.site_id, subject_key(self.decision.subject_id)


@dataclass(frozen=True, slots=True)
class _New:
    """An event that is about to be written, with what is kept beside it."""

    site_id: int
    event: Event
    leaf_hash: bytes
    key: bytes
    salt: bytes


@dataclass(frozen=True, slots=True)
class _Known:
    """What the database says of the decisions and subjects of one site."""

    events: Mapping[UUID, ConsentEvent]
    links: Mapping[UUID, SubjectData]
    latest: Mapping[bytes, tuple[datetime, UUID, Grants]]
    now: datetime


def append_event(
    session: Session, shown: ShownVersion, decision: Decision, *, now: datetime
) -> Recorded:
    """Append a decision, or return the receipt it got the first time.

    Raises Conflict when it does not fit the version, or when another decision was
    recorded under its id. It counts as recorded only once the caller committed.
    """
    (outcome,) = append_together(session, [Wanted(shown, decision)], now=now)
    if isinstance(outcome, Conflict):
        raise outcome
    return outcome


def append_together(
    session: Session, wanted: Sequence[Wanted], *, now: datetime
) -> list[Recorded | Conflict]:
    """Append many decisions; each gets its receipt, or the Conflict that it alone meets.

    They count as recorded only once the caller committed.
    """
    outcomes: dict[int, Recorded | Conflict] = {}
    waiting = list(enumerate(wanted))
    while waiting:
        # Twins, and what one subject says twice, must each see the one before.
        together, waiting = _apart(waiting)
        outcomes.update(_append_apart(session, together, now))
    return [outcomes[number] for number in range(len(wanted))]


def _apart(
    waiting: Iterable[tuple[int, Wanted]],
) -> tuple[list[tuple[int, Wanted]], list[tuple[int, Wanted]]]:
    """Part what may be looked up and written at once from what has to come after it."""
    together, later = [], []
    seen: set[object] = set()
    for number, one in waiting:
        if one.place in seen or one.subject in seen:
            later.append((number, one))
        else:
            together.append((number, one))
        seen.update((one.place, one.subject))
    return together, later


def _append_apart(
    session: Session, wanted: Sequence[tuple[int, Wanted]], now: datetime
) -> dict[int, Recorded | Conflict]:
    outcomes: dict[int, Recorded | Conflict] = {}
    new: list[_New] = []
    for site_id in sorted({one.shown.site_id for _, one in wanted}):
        of_site = [(number, one) for number, one in wanted if one.shown.site_id == site_id]
        known = _look_up(session, site_id, [one for _, one in of_site], now)
        for number, one in of_site:
            try:
                outcomes[number] = _append(known, one, new)
            except Conflict as conflict:
                outcomes[number] = conflict
    _write(session, new)
    return outcomes


def _append(known: _Known, one: Wanted, new: list[_New]) -> Recorded:
    check_decision(one.shown.config, one.decision)
    key = one.subject[1]
    earlier = known.events.get(one.decision.decision_id)
    if earlier is not None:
        return Recorded(_repeat(earlier, known.links.get(earlier.event_id), one, key), new=False)
    received, _, previous = known.latest.get(key, (None, None, None))
    # A clock that steps back must not reorder what one visitor said.
    now = known.now if received is None else max(known.now, received + _TICK)
    salt = secrets.token_bytes(SALT_BYTES)
    event = _build_event(one, key, salt, previous, now)
    leaf_hash = hash_event(event)
    new.append(_New(one.shown.site_id, event, leaf_hash, key, salt))
    return Recorded(build_receipt(event, leaf_hash, salt), new=True)


def _look_up(session: Session, site_id: int, wanted: Sequence[Wanted], now: datetime) -> _Known:
    ids = [one.decision.decision_id for one in wanted]
    keys = [one.subject[1] for one in wanted]
    events = session.scalars(
        select(ConsentEvent).where(ConsentEvent.site_id == site_id, ConsentEvent.event_id.in_(ids))
    ).all()
    links = (
        session.scalars(
            select(SubjectData).where(
                SubjectData.site_id == site_id,
                SubjectData.event_id.in_([event.event_id for event in events]),
            )
        ).all()
        if events
        else ()
    )
    return _Known(
        events={event.event_id: event for event in events},
        links={link.event_id: link for link in links},
        latest=_latest(session, site_id, keys),
        now=not_before_sealed(session, site_id, now),
    )


def _latest(
    session: Session, site_id: int, keys: Sequence[bytes]
) -> dict[bytes, tuple[datetime, UUID, Grants]]:
    """Return what each subject said last, and when it was received."""
    said = session.execute(
        select(
            SubjectData.subject_key,
            ConsentEvent.received_at,
            ConsentEvent.event_id,
            ConsentEvent.grants,
        )
        .join(
            ConsentEvent,
            (SubjectData.site_id == ConsentEvent.site_id)
            & (SubjectData.event_id == ConsentEvent.event_id),
        )
        .where(SubjectData.site_id == site_id, SubjectData.subject_key.in_(keys))
        .order_by(ConsentEvent.received_at, ConsentEvent.event_id)
    )
    # The last of each stays.
    return {key: (received, event_id, grants) for key, received, event_id, grants in said}


def _build_event(
    one: Wanted, key: bytes, salt: bytes, previous: Grants | None, now: datetime
) -> Event:
    shown, decision = one.shown, one.decision
    return Event(
        site=shown.site,
        event_id=decision.decision_id,
        kind=kind_of(decision.grants, previous),
        method=decision.method,
        layer=decision.layer,
        version=shown.number,
        version_hash=shown.config_hash,
        script_hash=shown.script_hash,
        language=decision.language,
        regime=shown.config["regime"],
        region="",
        signals={},
        grants=dict(decision.grants),
        decided_at=decision.decided_at,
        received_at=now,
        valid_until=now + timedelta(days=shown.config["valid_days"]),
        subject_commitment=commit_subject(salt, key),
    )


def _write(session: Session, new: Sequence[_New]) -> None:
    if not new:
        return
    links = [
        {
            "site_id": one.site_id,
            "event_id": one.event.event_id,
            "subject_key": one.key,
            "salt": one.salt,
        }
        for one in new
    ]
    # The sealer hears of them in the transaction that writes them.
    queued = [
        {
            "site_id": one.site_id,
            "received_at": one.event.received_at,
            "event_id": one.event.event_id,
            "leaf_hash": one.leaf_hash,
        }
        for one in new
    ]
    connection = session.connection()
    connection.execute(insert(ConsentEvent), [_row(one) for one in new])
    connection.execute(insert(SubjectData), links)
    connection.execute(insert(LedgerQueue), queued)
    add_to_totals(session, [(one.site_id, one.event) for one in new])


def _row(one: _New) -> dict[str, Any]:
    event = one.event
    return {
        "site_id": one.site_id,
        "event_id": event.event_id,
        "kind": event.kind,
        "method": event.method,
        "layer": event.layer,
        "version": event.version,
        "script_hash": event.script_hash,
        "language": event.language,
        "regime": event.regime,
        "region": event.region,
        "signals": event.signals,
        "grants": event.grants,
        "decided_at": event.decided_at,
        "received_at": event.received_at,
        "valid_until": event.valid_until,
        "subject_commitment": event.subject_commitment,
        "leaf_hash": one.leaf_hash,
    }


def _repeat(
    row: ConsentEvent, subject: SubjectData | None, one: Wanted, key: bytes
) -> dict[str, Any]:
    """Return the first receipt again; refuse another decision under the same id."""
    shown, decision = one.shown, one.decision
    same = (
        row.grants == dict(decision.grants)
        and row.method == decision.method
        and row.layer == decision.layer
        and row.version == decision.version
        and row.script_hash == shown.script_hash
        and row.language == decision.language
        and row.decided_at == decision.decided_at
    )
    if not same or (subject is not None and subject.subject_key != key):
        raise Conflict(
            "Another decision was recorded under this decision_id. "
            "Make a new id (UUID version 4) for each decision."
        )
    event = event_of(row, shown.site, shown.config_hash)
    return build_receipt(event, row.leaf_hash, subject.salt if subject else None)
