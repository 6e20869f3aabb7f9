"""Identifying: a decision follows a visitor who signs in on another device.

The site's server vouches for who it is; what is kept of that is a keyed hash. The newest
decision of all the visitor's browsers is copied to the one that asks.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session

from consent_server.copies import copy_event, first_received, latest_event
from consent_server.errors import Conflict, NotAuthorised
from consent_server.rules.decision import Method
from consent_server.rules.receipt import subject_key
from consent_server.site_secrets import SiteSecrets
from consent_server.sites import find_version, read_config
from consent_server.store.models import Site, SubjectData
from consent_server.store.outside_models import Identity
from consent_server.wanted import Wanted

#: How long a signature may be good: a page's life, not an address that is kept.
LONGEST_LIFE = timedelta(hours=1)
_TICK = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Claim:
    """Who the site's server says is signed in: its own reference, until when, and its signature."""

    ref: str
    expires: int
    signature: str


@dataclass(frozen=True, slots=True)
class Identified:
    """What follows for the browser that asks."""

    #: The copy to record for it; None where its own decision is the newest, or there is none.
    wanted: Wanted | None
    #: The subject that it goes by from now on.
    subject_id: str
    #: Its decision is that of another person who signed in here before.
    is_somebody_elses: bool


def check_claim(claim: Claim, site: str, site_secrets: SiteSecrets, *, now: datetime) -> None:
    """Refuse who is not vouched for; raises NotAuthorised."""
    message = f"{site}\n{claim.expires}\n{claim.ref}".encode()
    key = site_secrets.identify_secret(site).encode()
    expected = hmac.new(key, message, hashlib.sha256).hexdigest()
    left = claim.expires - now.timestamp()
    if not hmac.compare_digest(expected, claim.signature):
        raise NotAuthorised(
            "The signature is not that of the site's server. Sign with what "
            "`consent-server site identify-secret` prints."
        )
    if not 0 < left <= LONGEST_LIFE.total_seconds():
        raise NotAuthorised("The signature has run out, or lives longer than an hour.")


def identify(
    session: Session,
    site: Site,
    ref: str,
    subject_id: str | None,
    site_secrets: SiteSecrets,
    *,
    known_at: datetime | None,
    now: datetime,
) -> Identified:
    """Link the browser's subject to who signed in, and tell which decision it follows.

    `subject_id` is None in a browser without a decision: nothing is linked before there is
    one. Raises Conflict where the site does not ask for this.
    """
    config = read_config(find_version(session, site, site.current_version))
    if not config.get("identify"):
        raise Conflict(f"The site {site.key!r} has no `identify = true` in its file.")
    ref_key = site_secrets.hash_ref(site.key, ref)
    own = subject_key(subject_id) if subject_id else None
    strangers = own is not None and _has_other_ref(session, site, own, ref_key)
    if strangers:
        own = None
    own_latest = latest_event(session, site, [own]) if own else None
    if own and own_latest:
        _link(session, site, ref_key, own, now)
    latest = latest_event(session, site, _subjects_of(session, site, ref_key))
    known = own_latest and latest and first_received(own_latest) >= first_received(latest)
    if latest is None or latest.valid_until <= now or known:
        return Identified(None, "" if strangers else subject_id or "", strangers)
    goes_by = subject_id if own and subject_id else secrets.token_hex(16)
    _link(session, site, ref_key, subject_key(goes_by), now)
    # The script takes only what is later than its own; clocks of two devices differ.
    decided_at = latest.decided_at
    if known_at is not None:
        decided_at = max(decided_at, _after(known_at))
    wanted = copy_event(
        session,
        site,
        latest,
        subject_id=goes_by,
        method=Method.IDENTIFY,
        decided_at=decided_at,
    )
    return Identified(wanted, goes_by, strangers)


def is_linked(session: Session, site: Site, subject_id: str) -> bool:
    """Tell whether a subject is known to be one of those of a person who signed in."""
    query = select(Identity.linked_at).where(
        Identity.site_id == site.id, Identity.subject_key == subject_key(subject_id)
    )
    return session.scalar(query.limit(1)) is not None


def forget_identities(session: Session) -> int:
    """Delete the links of subjects of whom no record is left; return how many."""
    kept = exists().where(
        SubjectData.site_id == Identity.site_id, SubjectData.subject_key == Identity.subject_key
    )
    return session.connection().execute(delete(Identity).where(~kept)).rowcount


def _after(known_at: datetime) -> datetime:
    try:
        return known_at + _TICK
    except OverflowError:
        raise Conflict("Nothing can be decided later than that `known_at`.") from None


def _subjects_of(session: Session, site: Site, ref_key: bytes) -> list[bytes]:
    query = select(Identity.subject_key)
    return list(
        session.scalars(query.where(Identity.site_id == site.id, Identity.ref_key == ref_key))
    )


def _has_other_ref(session: Session, site: Site, own: bytes, ref_key: bytes) -> bool:
    """Tell whether this browser's decision is already somebody else's."""
    refs = session.scalars(
        select(Identity.ref_key).where(Identity.site_id == site.id, Identity.subject_key == own)
    ).all()
    return bool(refs) and ref_key not in refs


def _link(session: Session, site: Site, ref_key: bytes, own: bytes, now: datetime) -> None:
    place = {"site_id": site.id, "ref_key": ref_key, "subject_key": own}
    if session.get(Identity, tuple(place.values())) is None:
        session.add(Identity(**place, linked_at=now))
