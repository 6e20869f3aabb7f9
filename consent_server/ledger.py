"""The ledger: what its rows mean, and what administrators add to it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from consent_server.rules.admin_event import Action, AdminEvent, hash_admin_event
from consent_server.rules.canonical import canonical_json
from consent_server.rules.decision import Kind
from consent_server.rules.receipt import (
    Event,
)
from consent_server.store.models import (
    AdminEvent as AdminEventRow,
)
from consent_server.store.models import (
    Checkpoint,
    ConsentEvent,
    LedgerQueue,
    Site,
)


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
        happened_at=not_before_sealed(session, site.id, now),
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
    # The sealer hears of it in the transaction that writes it.
    session.add(
        LedgerQueue(
            site_id=site.id,
            received_at=event.happened_at,
            event_id=event.event_id,
            leaf_hash=leaf_hash,
        )
    )
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


def not_before_sealed(session: Session, site_id: int, now: datetime) -> datetime:
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
