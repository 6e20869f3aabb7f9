"""Copies: a visitor's decision, recorded once more where it follows them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from consent_server.ledger import ShownVersion
from consent_server.rules.decision import Decision, Layer, Method
from consent_server.rules.sight import signal_in
from consent_server.rules.times import parse_time
from consent_server.sites import find_version, read_config
from consent_server.store.models import ConsentEvent, Site, SubjectData
from consent_server.wanted import CopyOf, Wanted


def latest_event(
    session: Session, site: Site, subject_keys: Collection[bytes]
) -> ConsentEvent | None:
    """Return what these subjects, who are one person, decided last.

    The order is that in which the server first heard of it: clocks of devices differ,
    and a copy is as old as what it was copied from.
    """
    events = session.scalars(
        select(ConsentEvent)
        .join(
            SubjectData,
            (SubjectData.site_id == ConsentEvent.site_id)
            & (SubjectData.event_id == ConsentEvent.event_id),
        )
        .where(SubjectData.site_id == site.id, SubjectData.subject_key.in_(subject_keys))
    )
    return max(events, key=lambda event: (first_received(event), event.event_id), default=None)


def first_received(event: ConsentEvent) -> datetime:
    """Return when the server first heard of the decision that an event records."""
    first = event.signals.get("first_received_at")
    return parse_time(first) if first else event.received_at


def copy_event(
    session: Session,
    site: Site,
    event: ConsentEvent,
    *,
    subject_id: str,
    method: Method,
    decided_at: datetime,
) -> Wanted:
    """Return the same decision for another browser: it says no more and holds no longer."""
    said = event.said
    version = find_version(session, site, said.version)
    shown = ShownVersion(
        site_id=site.id,
        site=site.key,
        number=version.number,
        config=read_config(version),
        config_hash=version.config_hash,
        script_hash=said.script_hash,
        regime=said.regime,
    )
    decision = Decision(
        decision_id=uuid4(),
        subject_id=subject_id,
        method=method,
        layer=Layer.API,
        version=said.version,
        script="",
        language=said.language,
        grants=said.grants,
        decided_at=decided_at,
        signal=signal_in(event.signals),
    )
    copied = CopyOf(event.event_id, first_received(event), event.valid_until)
    return Wanted(shown, decision, copy_of=copied)
