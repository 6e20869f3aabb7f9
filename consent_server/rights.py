"""Rights: what a visitor may see of their own, by their secret subject id only."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from consent_server.ledger import receipt_of_row
from consent_server.rules.receipt import subject_key
from consent_server.store.models import Site, SubjectData
from consent_server.store.record_rows import select_records


def decisions_of(session: Session, site_key: str, subject_id: str) -> list[dict[str, Any]]:
    """Return the receipts of one visitor on one site, newest first."""
    query = select_records(linked=True).where(
        SubjectData.site_id == select(Site.id).where(Site.key == site_key).scalar_subquery(),
        SubjectData.subject_key == subject_key(subject_id),
    )
    # Asked for in this order, SQLite would read the whole ledger of the site.
    found = sorted(
        session.execute(query), key=lambda one: (one[0].received_at, one[0].event_id), reverse=True
    )
    return [receipt_of_row(row, site_key) for row in found]
