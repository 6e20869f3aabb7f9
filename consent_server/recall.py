"""Recall: what the database knows of decisions that are about to be recorded."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from consent_server.ledger import ask_not_before_sealed
from consent_server.rules.decision import Grants
from consent_server.store.answers import Said, ask_answers
from consent_server.store.decision_rows import find_events, find_subjects
from consent_server.store.models import Answer, ConsentEvent, SubjectData
from consent_server.store.record_rows import SAME_ANSWER, SAME_LINK, select_records
from consent_server.webhooks import ask_webhook


@dataclass(frozen=True, slots=True)
class Known:
    """What the database says of the decisions and subjects of one site."""

    #: Rows of `select_records`.
    events: Mapping[UUID, Any]
    keys: Mapping[UUID, bytes]
    latest: Mapping[bytes, tuple[datetime, UUID, Grants]]
    #: Of those answers that were asked for and have one.
    numbers: Mapping[Said, int]
    #: What `ask_webhook` read.
    told: Mapping[int, bool]
    #: The time to record.
    now: datetime


def recall(
    session: Session,
    site_id: int,
    *,
    ids: Sequence[UUID],
    keys: Sequence[bytes],
    answers: Collection[Said],
    now: datetime,
) -> Known:
    """Return what is known of decisions by their ids, their subjects' keys and what they say.

    What most decisions need is asked for at once, since each question may be a long way. Most
    are a visitor's first: two short questions tell.
    """
    session.flush()  # the connection sees only what is written
    connection = session.connection()
    moment = ask_not_before_sealed(connection, site_id, now)
    events = find_events.ask(connection, site_id, ids)
    subjects = find_subjects.ask(connection, site_id, keys)
    numbers = ask_answers(connection, site_id, answers)
    told = ask_webhook(connection, site_id)
    now, has_events, has_subjects = moment(), bool(events()), bool(subjects())
    return Known(
        events=_known_events(session, site_id, ids) if has_events else {},
        keys=_known_keys(session, site_id, ids) if has_events else {},
        latest=_latest(session, site_id, keys) if has_subjects else {},
        numbers=numbers(),
        told=told(),
        now=now,
    )


def _known_events(session: Session, site_id: int, ids: Sequence[UUID]) -> dict[UUID, Any]:
    """Return what is recorded under these ids."""
    # A row may be on the primary alone, if that was cut off while its commit waited for a
    # standby. Locking it makes this transaction one that waits, too: nothing is acknowledged
    # a second time before it is as safe as it should have been the first.
    events = session.execute(
        select_records()
        .where(ConsentEvent.site_id == site_id, ConsentEvent.event_id.in_(ids))
        .with_for_update(read=True, key_share=True, of=ConsentEvent)
    )
    return {row.ConsentEvent.event_id: row for row in events}


def _known_keys(session: Session, site_id: int, ids: Sequence[UUID]) -> dict[UUID, bytes]:
    """Return whose is what is recorded under these ids."""
    links = session.execute(
        select(SubjectData.event_id, SubjectData.subject_key).where(
            SubjectData.site_id == site_id, SubjectData.event_id.in_(ids)
        )
    )
    return {event_id: key for event_id, key in links}  # noqa: C416 (typed rows)


def _latest(
    session: Session, site_id: int, keys: Sequence[bytes]
) -> dict[bytes, tuple[datetime, UUID, Grants]]:
    """Return what each subject said last, and when it was received."""
    said = session.execute(
        select(
            SubjectData.subject_key,
            ConsentEvent.received_at,
            ConsentEvent.event_id,
            Answer.grants,
        )
        .join(ConsentEvent, SAME_LINK)
        .join(Answer, SAME_ANSWER)
        .where(SubjectData.site_id == site_id, SubjectData.subject_key.in_(keys))
    ).all()
    # The last of each stays. Asked for in this order, SQLite would read the whole ledger
    # of the site along its index of times.
    said = sorted(said, key=lambda row: row[1:3])
    return {key: (received, event_id, grants) for key, received, event_id, grants in said}
