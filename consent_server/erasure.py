"""Erasure: delete what links records to a visitor; the records and their hashes stay."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, func, select
from sqlalchemy.orm import Session

from consent_server.errors import Conflict
from consent_server.ledger import append_admin_event
from consent_server.reasons import read_reason
from consent_server.rules.admin_event import Action
from consent_server.rules.receipt import subject_key
from consent_server.store.models import Site, SubjectData
from consent_server.store.outside_models import Identity, WebhookDelivery
from consent_server.webhooks import TELLS_ERASURE, queue_erasure


def check_reason(reason: str, subject_id: str) -> str:
    """Return the reason as it is kept; raises Conflict as `read_reason`, and for whom it names."""
    reason = read_reason(reason, "Say why the records are erased")
    if subject_id in reason.lower():
        raise Conflict("The reason stays in the ledger for ever: leave the subject id out of it.")
    return reason


def count_subject(session: Session, site: Site, subject_id: str) -> int:
    """Return how many records of a site are still linked to a visitor."""
    query = select(func.count()).select_from(SubjectData)
    found = session.scalar(query.where(_rows_of(site, subject_id)))
    return found or 0


def erase_subject(
    session: Session, site: Site, subject_id: str, *, actor: str, reason: str, now: datetime
) -> int:
    """Delete the link from a visitor to their records on a site; return how many it joined.

    Appends an `erase` event, where there was anything to erase. Raises Conflict as
    `check_reason` does.
    """
    reason = check_reason(reason, subject_id)
    records = _delete(session, _rows_of(site, subject_id))
    key = subject_key(subject_id)
    session.execute(
        delete(Identity).where(Identity.site_id == site.id, Identity.subject_key == key)
    )
    if records:
        # No ids: they would join the records of one person again.
        details = {"reason": reason, "records": records}
        append_admin_event(session, site, Action.ERASE, actor=actor, details=details, now=now)
        queue_erasure(session, site, key, now=now)
    return records


def count_untold(session: Session) -> tuple[int, int]:
    """Return how many erasures wait for being told to sites' servers, and were given up.

    Each of these deliveries names a visitor who was erased.
    """
    given_up = func.count(WebhookDelivery.delivery_id).filter(WebhookDelivery.due_at.is_(None))
    query = select(func.count(WebhookDelivery.due_at), given_up)
    told = WebhookDelivery.body.like(f"{TELLS_ERASURE}%")
    waiting, left = session.execute(query.where(told)).one()
    return waiting, left


def _delete(session: Session, rows: ColumnElement[bool]) -> int:
    session.flush()
    return session.connection().execute(delete(SubjectData).where(rows)).rowcount


def _rows_of(site: Site, subject_id: str) -> ColumnElement[bool]:
    same_site = SubjectData.site_id == site.id
    return and_(same_site, SubjectData.subject_key == subject_key(subject_id))
