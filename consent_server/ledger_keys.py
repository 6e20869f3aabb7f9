"""Keys of a ledger: what the ledger itself says of who may sign it."""

from __future__ import annotations

import json

from sqlalchemy import select
from sqlalchemy.orm import Session

from consent_server.rules.admin_event import Action
from consent_server.rules.note import VerifierKey, parse_verifier_key
from consent_server.store.models import AdminEvent, Site


def keys_of(session: Session, site: Site) -> list[VerifierKey]:
    """Return every key that was ever announced in the ledger, oldest first.

    It is the operator's word: whoever wants to be sure compares them with keys that
    they were given before.
    """
    query = (
        select(AdminEvent.details)
        .where(AdminEvent.site_id == site.id, AdminEvent.action == Action.KEY_CHANGE)
        .order_by(AdminEvent.happened_at, AdminEvent.event_id)
    )
    return [parse_verifier_key(json.loads(details)["added"]) for details in session.scalars(query)]
