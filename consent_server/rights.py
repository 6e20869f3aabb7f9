"""Rights: what a visitor may see of their own, by their secret subject id only."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from consent_server.ledger import event_of
from consent_server.rules.receipt import build_receipt, subject_key
from consent_server.store.models import ConsentEvent, Site, SiteVersion, SubjectData


def decisions_of(session: Session, site_key: str, subject_id: str) -> list[dict[str, Any]]:
    """Return the receipts of one visitor on one site, newest first."""
    query = (
        select(ConsentEvent, SubjectData.salt, SiteVersion.config_hash)
        .join(Site, Site.id == ConsentEvent.site_id)
        .join(
            SubjectData,
            (SubjectData.site_id == ConsentEvent.site_id)
            & (SubjectData.event_id == ConsentEvent.event_id),
        )
        .join(
            SiteVersion,
            (SiteVersion.site_id == ConsentEvent.site_id)
            & (SiteVersion.number == ConsentEvent.version),
        )
        .where(Site.key == site_key, SubjectData.subject_key == subject_key(subject_id))
        .order_by(ConsentEvent.received_at.desc(), ConsentEvent.event_id.desc())
    )
    return [
        build_receipt(event_of(row, site_key, version_hash), row.leaf_hash, salt)
        for row, salt, version_hash in session.execute(query)
    ]
