"""The ledger: append decisions, once each, and give back receipts; append what was administered."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from consent_server.errors import Conflict
from consent_server.rules.admin_event import Action, AdminEvent, hash_admin_event
from consent_server.rules.canonical import canonical_json
from consent_server.rules.decision import Decision, Grants, Kind, Method, check_decision, kind_of
from consent_server.rules.receipt import (
    SALT_BYTES,
    Event,
    build_receipt,
    commit_subject,
    hash_event,
    subject_key,
)
from consent_server.store.models import (
    AdminEvent as AdminEventRow,
)
from consent_server.store.models import (
    Checkpoint,
    ConsentEvent,
    LedgerQueue,
    NoticeCount,
    Site,
    SubjectData,
)

#: Which daily total a method adds to; the others count by what they amount to.
_COUNTED = {Method.ACCEPT_ALL: "accepted", Method.REJECT_ALL: "refused"}

#: Times are kept in milliseconds.
_TICK = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class ShownVersion:
    """What the ledger must know of the version that a decision names."""

    site_id: int
    site: str
    number: int
    config: Mapping[str, Any]
    config_hash: str
    script_hash: str


@dataclass(frozen=True, slots=True)
class Recorded:
    """The receipt, and whether the decision was new."""

    receipt: dict[str, Any]
    new: bool


def append_event(
    session: Session, shown: ShownVersion, decision: Decision, *, now: datetime
) -> Recorded:
    """Append a decision, or return the receipt it got the first time.

    Raises Conflict when it does not fit the version, or when another decision was
    recorded under its id. It counts as recorded only once the caller committed.
    """
    check_decision(shown.config, decision)
    earlier = session.get(ConsentEvent, (shown.site_id, decision.decision_id))
    key = subject_key(decision.subject_id)
    if earlier is not None:
        return Recorded(_repeat(session, shown, earlier, decision, key), new=False)
    salt = secrets.token_bytes(SALT_BYTES)
    now = _not_before_sealed(session, shown.site_id, now)
    previous, received = _latest(session, shown, key)
    if received is not None:
        # A clock that steps back must not reorder what one visitor said.
        now = max(now, received + _TICK)
    event = _build_event(shown, decision, key, salt, previous, now)
    leaf_hash = hash_event(event)
    session.add(_row(shown, event, leaf_hash))
    _queue(session, shown.site_id, event.event_id, event.received_at, leaf_hash)
    session.add(
        SubjectData(site_id=shown.site_id, event_id=event.event_id, subject_key=key, salt=salt)
    )
    _count(session, shown, event)
    return Recorded(build_receipt(event, leaf_hash, salt), new=True)


def append_admin_event(
    session: Session,
    site: Site,
    action: Action,
    *,
    actor: str,
    details: dict[str, Any],
    now: datetime,
) -> AdminEvent:
    """Append what an administrator did to a site, as a leaf among its records.

    `details` must name no visitor: leaves stay when people are erased.
    """
    event = AdminEvent(
        site=site.key,
        event_id=uuid4(),
        action=action,
        actor=actor,
        details=details,
        happened_at=_not_before_sealed(session, site.id, now),
    )
    leaf_hash = hash_admin_event(event)
    session.add(
        AdminEventRow(
            site_id=site.id,
            event_id=event.event_id,
            action=event.action,
            actor=event.actor,
            details=canonical_json(details).decode(),
            happened_at=event.happened_at,
            leaf_hash=leaf_hash,
        )
    )
    _queue(session, site.id, event.event_id, event.happened_at, leaf_hash)
    return event


def admin_event_of(row: AdminEventRow, site: str) -> AdminEvent:
    """Return the hashed form of a stored row."""
    return AdminEvent(
        site=site,
        event_id=row.event_id,
        action=Action(row.action),
        actor=row.actor,
        details=json.loads(row.details),
        happened_at=row.happened_at,
    )


def event_of(row: ConsentEvent, site: str, version_hash: str) -> Event:
    """Return the hashed form of a stored row."""
    return Event(
        site=site,
        event_id=row.event_id,
        kind=Kind(row.kind),
        method=row.method,
        layer=row.layer,
        version=row.version,
        version_hash=version_hash,
        script_hash=row.script_hash,
        language=row.language,
        regime=row.regime,
        region=row.region,
        signals=row.signals,
        grants=row.grants,
        decided_at=row.decided_at,
        received_at=row.received_at,
        valid_until=row.valid_until,
        subject_commitment=row.subject_commitment,
    )


def _not_before_sealed(session: Session, site_id: int, now: datetime) -> datetime:
    """Return the time to record: never before the last checkpoint, whatever the clock says.

    So what claims to be older than a checkpoint that does not hold it was put in later.
    """
    sealed = session.scalar(
        select(Checkpoint.sealed_at)
        .where(Checkpoint.site_id == site_id)
        .order_by(Checkpoint.size.desc())
        .limit(1)
    )
    return now if sealed is None else max(now, sealed)


def _queue(
    session: Session, site_id: int, event_id: UUID, received_at: datetime, leaf_hash: bytes
) -> None:
    """Let the sealer know of an event in the transaction that writes it."""
    session.add(
        LedgerQueue(
            site_id=site_id, received_at=received_at, event_id=event_id, leaf_hash=leaf_hash
        )
    )


def _build_event(
    shown: ShownVersion,
    decision: Decision,
    key: bytes,
    salt: bytes,
    previous: Grants | None,
    now: datetime,
) -> Event:
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


def _row(shown: ShownVersion, event: Event, leaf_hash: bytes) -> ConsentEvent:
    return ConsentEvent(
        site_id=shown.site_id,
        event_id=event.event_id,
        kind=event.kind,
        method=event.method,
        layer=event.layer,
        version=event.version,
        script_hash=event.script_hash,
        language=event.language,
        regime=event.regime,
        region=event.region,
        signals=event.signals,
        grants=event.grants,
        decided_at=event.decided_at,
        received_at=event.received_at,
        valid_until=event.valid_until,
        subject_commitment=event.subject_commitment,
        leaf_hash=leaf_hash,
    )


def _repeat(
    session: Session, shown: ShownVersion, row: ConsentEvent, decision: Decision, key: bytes
) -> dict[str, Any]:
    """Return the first receipt again; refuse another decision under the same id."""
    same = (
        row.grants == dict(decision.grants)
        and row.method == decision.method
        and row.layer == decision.layer
        and row.version == decision.version
        and row.script_hash == shown.script_hash
        and row.language == decision.language
        and row.decided_at == decision.decided_at
    )
    subject = session.get(SubjectData, (row.site_id, row.event_id))
    if not same or (subject is not None and subject.subject_key != key):
        raise Conflict(
            "Another decision was recorded under this decision_id. "
            "Make a new id (UUID version 4) for each decision."
        )
    event = event_of(row, shown.site, shown.config_hash)
    return build_receipt(event, row.leaf_hash, subject.salt if subject else None)


def _latest(
    session: Session, shown: ShownVersion, key: bytes
) -> tuple[Grants | None, datetime | None]:
    """Return what the subject said last, and when it was received."""
    found = session.execute(
        select(ConsentEvent.grants, ConsentEvent.received_at)
        .join(
            SubjectData,
            (SubjectData.site_id == ConsentEvent.site_id)
            & (SubjectData.event_id == ConsentEvent.event_id),
        )
        .where(SubjectData.site_id == shown.site_id, SubjectData.subject_key == key)
        .order_by(ConsentEvent.received_at.desc(), ConsentEvent.event_id.desc())
        .limit(1)
    ).first()
    return (found.grants, found.received_at) if found else (None, None)


def _count(session: Session, shown: ShownVersion, event: Event) -> None:
    """Add one to the day's total; the row holds no person."""
    place = (shown.site_id, event.received_at.date(), event.version, event.language, event.regime)
    total = session.get(NoticeCount, place, with_for_update=True)
    if total is None:
        names = ("site_id", "day", "version", "language", "regime")
        zeros = dict.fromkeys(("shown", "accepted", "refused", "saved", "withdrawn"), 0)
        total = NoticeCount(**dict(zip(names, place, strict=True)), **zeros)
        session.add(total)
    name = (
        "withdrawn" if event.kind is Kind.WITHDRAWN else _COUNTED.get(Method(event.method), "saved")
    )
    setattr(total, name, getattr(total, name) + 1)
