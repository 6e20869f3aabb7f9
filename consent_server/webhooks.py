"""Webhooks: where a site's own server is told what visitors changed, and what waits for it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import randbelow
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update
from sqlalchemy.orm import Session

from consent_server.errors import Conflict, NotFound
from consent_server.rules.decision import Kind
from consent_server.rules.receipt import Event
from consent_server.rules.times import spell_time
from consent_server.site_secrets import SiteSecrets
from consent_server.store.driver import Question
from consent_server.store.models import Site
from consent_server.store.outside_models import Webhook, WebhookDelivery
from consent_server.targets import is_safe_address

#: What a server cannot know from the cookie of the visit at hand.
_TOLD = frozenset({Kind.CHANGED, Kind.WITHDRAWN})
#: How long a replaced secret signs beside the new one.
OVERLAP = timedelta(hours=24)
#: How long what never arrived is kept for somebody to look at.
KEPT_WHEN_GIVEN_UP = timedelta(days=30)
_webhook_of = Question(
    select(Webhook.every_decision).where(Webhook.site_id == bindparam("site_id"))
)
_ERASED = "subject.erased"
#: How the body of such a delivery begins.
TELLS_ERASURE = f'{{"type":"{_ERASED}"'
#: As many as a 32-bit number has, with room for rotations.
_GENERATIONS = 2**30
_MAX_URL = 300


@dataclass(frozen=True, slots=True)
class WebhookState:
    """How a site's webhook stands."""

    site: str
    url: str
    every_decision: bool
    waiting: int
    oldest: datetime | None
    given_up: int
    said: str


def set_webhook(
    session: Session, site: Site, url: str, *, every_decision: bool, now: datetime
) -> Webhook:
    """Say where a site's server is told; raises Conflict for an address that is not safe."""
    if len(url) > _MAX_URL or not is_safe_address(url):
        raise Conflict(
            "The address must begin with https:// (http:// only for this machine), name a host "
            "and no user, have no blanks, and what is not ASCII behind the host as %C3%B6, and "
            f"have at most {_MAX_URL} characters."
        )
    webhook = session.get(Webhook, site.id)
    if webhook is None:
        # Secrets of one that was removed must not come back with the next; there is none yet
        # that signs beside the first.
        generation = 1 + randbelow(_GENERATIONS)
        webhook = Webhook(site_id=site.id, generation=generation, rotated_at=now - OVERLAP)
        session.add(webhook)
    webhook.url, webhook.every_decision = url, every_decision
    return webhook


def find_webhook(session: Session, site: Site) -> Webhook:
    """Return a site's webhook; raises NotFound."""
    webhook = session.get(Webhook, site.id)
    if webhook is None:
        raise NotFound(f"The site {site.key!r} has no webhook. Set one: consent-server webhook set")
    return webhook


def remove_webhook(session: Session, site: Site) -> None:
    """Tell a site's server nothing any more, nor what waits for it; raises NotFound."""
    session.delete(find_webhook(session, site))
    session.execute(delete(WebhookDelivery).where(WebhookDelivery.site_id == site.id))


def rotate_secret(session: Session, site: Site, *, now: datetime) -> Webhook:
    """Give a webhook a new secret; the old one signs beside it for a day."""
    webhook = find_webhook(session, site)
    webhook.generation, webhook.rotated_at = webhook.generation + 1, now
    return webhook


def retry_deliveries(session: Session, site: Site, *, now: datetime) -> int:
    """Let everything that waits or was given up be tried now; return how many."""
    find_webhook(session, site)
    again = update(WebhookDelivery).where(WebhookDelivery.site_id == site.id)
    return session.connection().execute(again.values(due_at=now, attempts=0)).rowcount


def ask_webhook(connection: Connection, site_id: int) -> Callable[[], dict[int, bool]]:
    """Ask whether a site's server is told, and of every decision; what is returned reads it."""
    asked = _webhook_of.ask(connection, site_id=site_id)
    return lambda: {site_id: bool(every) for (every,) in asked()}  # noqa: B035 (none or one)


def queue_events(
    session: Session, news: Sequence[tuple[int, Event, bytes]], told: Mapping[int, bool]
) -> None:
    """Queue what the sites' servers are told of new events: (site id, event, subject key).

    In the transaction that records them, so that neither is there without the other. `told` is
    what `ask_webhook` read in it.
    """
    rows = [
        _row(site_id, key, event.received_at, f"decision.{event.kind}", _facts(event, key))
        for site_id, event, key in news
        if site_id in told and (told[site_id] or event.kind in _TOLD)
    ]
    if rows:
        session.connection().execute(insert(WebhookDelivery), rows)


def queue_erasure(session: Session, site: Site, key: bytes, *, now: datetime) -> None:
    """Tell a site's server that a visitor's records are linked to nobody; nothing else of them."""
    whose = (WebhookDelivery.site_id == site.id, WebhookDelivery.subject_key == key)
    session.execute(delete(WebhookDelivery).where(*whose))
    session.flush()  # the connection sees only what is written
    if ask_webhook(session.connection(), site.id)():
        facts = {"site": site.key, "subject": key.hex()}
        row = _row(site.id, key, now, _ERASED, facts)
        session.connection().execute(insert(WebhookDelivery), [row])


def secrets_of(
    webhook: Webhook, site: str, secrets: SiteSecrets, *, now: datetime
) -> tuple[str, ...]:
    """Return the secrets that sign now: the one that holds, then the one that it replaced."""
    generations = [webhook.generation]
    if webhook.generation > 1 and now < webhook.rotated_at + OVERLAP:
        generations.append(webhook.generation - 1)
    return tuple(secrets.webhook_secret(site, one) for one in generations)


def forget_given_up(session: Session, *, now: datetime) -> int:
    """Delete what nobody looked at for a month; return how many."""
    old = (WebhookDelivery.due_at.is_(None), WebhookDelivery.made_at <= now - KEPT_WHEN_GIVEN_UP)
    return session.connection().execute(delete(WebhookDelivery).where(*old)).rowcount


def forget_outlived(session: Session, site: Site, *, before: datetime) -> None:
    """Delete what waits of decisions from before a time: it joins records to their visitors.

    That a visitor was erased is still told.
    """
    session.execute(
        delete(WebhookDelivery).where(
            WebhookDelivery.site_id == site.id,
            WebhookDelivery.made_at < before,
            WebhookDelivery.body.not_like(f"{TELLS_ERASURE}%"),
        )
    )


def list_webhooks(session: Session) -> list[WebhookState]:
    """Return every webhook by site, with what waits for it and what was given up."""
    given_up = func.count(WebhookDelivery.delivery_id)
    query = (
        select(
            Site.key,
            Webhook.url,
            Webhook.every_decision,
            func.count(WebhookDelivery.due_at),
            func.min(WebhookDelivery.made_at).filter(WebhookDelivery.due_at.is_not(None)),
            given_up.filter(WebhookDelivery.due_at.is_(None)),
            func.max(WebhookDelivery.said),
        )
        .join(Webhook, Webhook.site_id == Site.id)
        .outerjoin(WebhookDelivery, WebhookDelivery.site_id == Site.id)
        .group_by(Site.key, Webhook.url, Webhook.every_decision)
        .order_by(Site.key)
    )
    return [WebhookState(*row[:6], row[6] or "") for row in session.execute(query)]


def _facts(event: Event, key: bytes) -> dict[str, Any]:
    return {
        "site": event.site,
        "subject": key.hex(),
        "event_id": str(event.event_id),
        "version": event.version,
        "grants": dict(event.grants),
        "decided_at": spell_time(event.decided_at),
        "received_at": spell_time(event.received_at),
        "valid_until": spell_time(event.valid_until),
    }


def _row(
    site_id: int, key: bytes, now: datetime, kind: str, facts: Mapping[str, Any]
) -> dict[str, Any]:
    body = {"type": kind, "timestamp": spell_time(now), "data": facts}
    return {
        "site_id": site_id,
        "delivery_id": uuid4(),
        "subject_key": key,
        "body": json.dumps(body, separators=(",", ":")),
        "made_at": now,
        "due_at": now,
        "attempts": 0,
        "said": "",
    }
