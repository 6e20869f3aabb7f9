"""Record rows: what makes up a record, from all the tables that hold a part of it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, and_, func, select
from sqlalchemy.orm import contains_eager

from consent_server.store.models import (
    Answer,
    ConsentEvent,
    LedgerLeaf,
    LedgerQueue,
    SiteVersion,
    SubjectData,
)

#: Which row of each table belongs to a record.
SAME_LINK = and_(
    SubjectData.site_id == ConsentEvent.site_id, SubjectData.event_id == ConsentEvent.event_id
)
SAME_ANSWER = and_(
    Answer.site_id == ConsentEvent.site_id, Answer.number == ConsentEvent.answer_number
)
SAME_VERSION = and_(SiteVersion.site_id == Answer.site_id, SiteVersion.number == Answer.version)
SAME_LEAF = and_(
    LedgerLeaf.site_id == ConsentEvent.site_id, LedgerLeaf.event_id == ConsentEvent.event_id
)
SAME_PLACE = and_(
    LedgerQueue.site_id == ConsentEvent.site_id,
    LedgerQueue.received_at == ConsentEvent.received_at,
    LedgerQueue.event_id == ConsentEvent.event_id,
)


def select_records(*, linked: bool = False) -> Select[Any]:
    """Select `ConsentEvent`, `salt`, `config_hash` and `leaf_hash` as it was recorded.

    `linked` leaves out whose subject was erased. What is gone of a record though it must
    not be is None: nothing is left out silently.
    """
    query = _select(func.coalesce(LedgerLeaf.leaf_hash, LedgerQueue.leaf_hash))
    if linked:
        query = query.select_from(SubjectData).join(ConsentEvent, SAME_LINK)
    else:
        query = query.select_from(ConsentEvent).outerjoin(SubjectData, SAME_LINK)
    query = query.outerjoin(LedgerLeaf, SAME_LEAF).outerjoin(LedgerQueue, SAME_PLACE)
    return query.outerjoin(Answer, SAME_ANSWER).outerjoin(SiteVersion, SAME_VERSION)


def select_sealed_records() -> Select[Any]:
    """Select the same and `leaf_index`, of records that are sealed, from their leaves on."""
    query = _select(LedgerLeaf.leaf_hash).add_columns(LedgerLeaf.leaf_index)
    query = query.select_from(LedgerLeaf).join(ConsentEvent, SAME_LEAF)
    query = query.outerjoin(SubjectData, SAME_LINK).outerjoin(Answer, SAME_ANSWER)
    return query.outerjoin(SiteVersion, SAME_VERSION)


def _select(leaf_hash: Any) -> Select[Any]:
    columns = SubjectData.salt, SiteVersion.config_hash, leaf_hash.label("leaf_hash")
    return select(ConsentEvent, *columns).options(contains_eager(ConsentEvent.answer))
