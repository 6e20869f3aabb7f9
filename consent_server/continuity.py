"""Continuity: what was published of a ledger, held against what the database has of it."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from consent_server.errors import Conflict
from consent_server.rules.times import spell_time
from consent_server.signing import Published, Signer
from consent_server.store.database import Database
from consent_server.store.models import Checkpoint as CheckpointRow
from consent_server.store.models import Ledger, Site


class CannotSeal(Conflict):
    """The ledger must not be signed as it is; the message says why and what to do."""

    code, title = "cannot_seal", "The ledger cannot be sealed"


def check_continuity(
    session: Session, site: Site, signer: Signer, origin: str, last: CheckpointRow
) -> None:
    """Refuse to sign what does not continue that which was published; raises CannotSeal."""
    check_published(session, site, signer.last_published(origin), last)
    check_key(site, signer, origin, last)


def check_key(site: Site, signer: Signer, origin: str, last: CheckpointRow) -> None:
    """Refuse to go on under a key that is not there; raises CannotSeal."""
    if last.key_id not in {key.key_id.hex() for key in signer.verifiers(origin)}:
        raise CannotSeal(
            f"The ledger of {site.key!r} was signed by the key {last.key_id}, which is not in "
            f"{signer.folder}. Bring the key folder back. If the key is lost, begin under a new "
            f"name: consent-server ledger begin-anew --site {site.key} --reason TEXT"
        )


def check_published(
    session: Session, site: Site, published: Published | None, last: CheckpointRow
) -> None:
    """Refuse a ledger that lacks what was published under its name; raises CannotSeal.

    What was published must be known from before the session read anything: a server that
    runs publishes more meanwhile.
    """
    if published is None:
        return
    is_last = published.size == last.size
    row = last if is_last else session.get(CheckpointRow, (site.id, published.size))
    if last.size < published.size or row is None:
        raise CannotSeal(
            f"The ledger of {site.key!r} has {last.size} sealed leaves, but "
            f"{published.size} were published on {spell_time(published.sealed_at)}: the "
            "database is older than what others have seen. Restore the newest backup. If "
            "the records are lost, say so in the ledger: consent-server ledger begin-anew "
            f"--site {site.key} --reason TEXT"
        )
    if row.root != published.root:
        raise CannotSeal(
            f"The ledger of {site.key!r} was published with another root at "
            f"{published.size} leaves: the database was changed. Restore a backup and find "
            "out who did it. `consent-server ledger verify` names the first bad record."
        )


def list_published(database: Database, signer: Signer) -> Mapping[str, Published]:
    """Return what was last published of each ledger under the name that it has now, by name.

    Ask before the session in which the ledgers are read, for `check_published`.
    """
    newest = select(func.max(Ledger.number)).where(Ledger.site_id == Site.id).scalar_subquery()
    names = select(Ledger.origin).join(
        Site, (Site.id == Ledger.site_id) & (Ledger.number == newest.correlate(Site))
    )
    with database.read() as session:
        origins = session.scalars(names).all()
    found = ((origin, signer.last_published(origin)) for origin in origins)
    return {origin: published for origin, published in found if published is not None}
