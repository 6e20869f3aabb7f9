"""Keys of a ledger: what the ledger itself says of who may sign it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from consent_server.errors import Unavailable
from consent_server.rules.admin_event import Action
from consent_server.rules.note import NotANote, VerifierKey, parse_verifier_key
from consent_server.sealing import origins_of
from consent_server.signing import Signer
from consent_server.store.models import AdminEvent, Site


@dataclass(frozen=True, slots=True)
class Trusted:
    """Keys that may have signed a ledger, by who says so."""

    #: Those of the key folder, under every name that the ledger ever had.
    own: tuple[VerifierKey, ...]
    #: Those that only the database knows; whoever can write there can announce one.
    announced: tuple[VerifierKey, ...]


def trusted_keys(
    session: Session, site: Site, signer: Signer | None, *, lost: bool = False
) -> Trusted:
    """Return the keys to check a ledger with, where it lies.

    The name that it has now is signed by keys of the folder. Names that it gave up may have
    been signed by keys that were lost, and so may all where there is no folder, or where
    `lost` says that it need not be the one that signed.
    """
    names = origins_of(session, site)
    own = [key for name in names for key in signer.verifiers(name)] if signer is not None else []
    given_up = set(names if lost or signer is None else names[:-1])
    announced = [key for key in keys_of(session, site) if key.name in given_up and key not in own]
    return Trusted(tuple(own), tuple(announced))


def keys_of(session: Session, site: Site) -> list[VerifierKey]:
    """Return every key that was ever announced in the ledger, oldest first.

    It is the operator's word: whoever wants to be sure compares them with keys that
    they were given before.
    """
    query = (
        select(AdminEvent.event_id, AdminEvent.details)
        .where(AdminEvent.site_id == site.id, AdminEvent.action == Action.KEY_CHANGE)
        .order_by(AdminEvent.happened_at, AdminEvent.event_id)
    )
    return [_added(event_id, details) for event_id, details in session.execute(query)]


def _added(event_id: UUID, details: str) -> VerifierKey:
    try:
        return parse_verifier_key(json.loads(details)["added"])
    except (ValueError, TypeError, KeyError, AttributeError, NotANote) as error:
        raise Unavailable(
            f"The administrator's event {event_id} was changed: it announces no key that can be "
            f"read ({error!r}). Restore a backup."
        ) from error
