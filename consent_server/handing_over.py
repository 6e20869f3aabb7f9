"""Handing over: a decision goes along to another address of the same site, once.

The token in the address is random, short-lived, and good for one use at one target. It holds
nothing of the visitor; what it stands for is looked up when it is taken.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.orm import Session

from consent_server.copies import copy_event, latest_event
from consent_server.errors import Conflict, NotFound
from consent_server.rules.decision import Method
from consent_server.rules.receipt import subject_key
from consent_server.sites import find_version, read_config
from consent_server.store.models import HandOver, Site, SubjectData
from consent_server.wanted import Wanted

#: As long as a page may take to load; whoever finds the address later gets nothing by it.
TOKEN_LIVES = timedelta(seconds=60)
_TOKEN_BYTES = 32
_ASKED = "The visitor is asked there instead."


@dataclass(frozen=True, slots=True)
class Token:
    """What goes behind the `#` of a link, for one use."""

    token: str
    expires_at: datetime


def issue_token(
    session: Session, site: Site, subject_id: str, target: str, *, now: datetime
) -> Token:
    """Return a token for what a visitor decided last, good at the origin `target`.

    Raises NotFound where nothing is recorded, Conflict for an address that the site does
    not hand over to and for a decision that has run out.
    """
    config = read_config(find_version(session, site, site.current_version))
    if target not in config.get("hand_over", ()):
        raise Conflict(
            f"The site {site.key!r} hands nothing over to {target!r}. "
            "Add it to `hand_over` in the site file and apply it."
        )
    key = subject_key(subject_id)
    event = latest_event(session, site, [key])
    if event is None:
        raise NotFound("There is no record for this subject id on this site.")
    if event.valid_until <= now:
        raise Conflict("The decision has run out.")
    session.execute(delete(HandOver).where(HandOver.site_id == site.id, HandOver.expires_at <= now))
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    expires = now + TOKEN_LIVES
    session.add(
        HandOver(
            site_id=site.id,
            token_hash=_hash(token),
            event_id=event.event_id,
            target=target,
            expires_at=expires,
        )
    )
    return Token(token, expires)


def take_token(
    session: Session,
    site: Site,
    token: str,
    *,
    target: str,
    subject_id: str,
    known_at: datetime | None,
    now: datetime,
) -> Wanted:
    """Use a token up; return the copy that is to be recorded for the browser at `target`.

    `known_at` is when that browser last decided: what is older changes nothing. Raises
    Conflict for a token that is unknown, used, too old or meant for another address.
    """
    place = (site.id, _hash(token))
    issued = session.get(HandOver, place)
    if issued is None or issued.target != target or issued.expires_at <= now:
        raise Conflict(f"The hand-over was used, has run out, or is meant elsewhere. {_ASKED}")
    # Of two who come at once, one finds it.
    used = delete(HandOver).where(HandOver.site_id == place[0], HandOver.token_hash == place[1])
    link = session.get(SubjectData, (site.id, issued.event_id))
    session.expunge(issued)
    if not session.connection().execute(used).rowcount:
        raise Conflict(f"The hand-over was used. {_ASKED}")
    # The visitor may have decided anew, or erased everything, since the link was followed.
    event = latest_event(session, site, [link.subject_key]) if link else None
    if event is None or event.valid_until <= now:
        raise Conflict(f"There is no decision to hand over any more. {_ASKED}")
    if known_at is not None and event.decided_at <= known_at:
        raise Conflict("The visitor decided later than that here; it stays.")
    return copy_event(
        session,
        site,
        event,
        subject_id=subject_id,
        method=Method.HANDOVER,
        decided_at=event.decided_at,
    )


def _hash(token: str) -> bytes:
    """Return what the database keeps: a copy of it opens nothing."""
    return hashlib.sha256(token.encode()).digest()
