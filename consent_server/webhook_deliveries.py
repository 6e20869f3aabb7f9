"""Webhook deliveries: what waits for a site's server is signed and sent, until it has it.

What is sent and how it is signed is Standard Webhooks 1.0.0 (symmetric signatures).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from consent_server.delivery import NotDelivered, post
from consent_server.errors import ConsentError
from consent_server.site_secrets import SiteSecrets
from consent_server.store.models import Site
from consent_server.store.outside_models import Webhook, WebhookDelivery
from consent_server.webhooks import TELLS_ERASURE, secrets_of

#: Pauses after the first attempt, the second ..., as Standard Webhooks advises: three days in all.
PAUSES = (
    *(timedelta(seconds=5), timedelta(minutes=5), timedelta(minutes=30)),
    *(timedelta(hours=hours) for hours in (2, 5, 10, 14, 20, 24)),
)
_MAX_SAID = 300


class Refused(NotDelivered):
    """The other side is there and did not take this one message; it may take others."""

    code, title = "delivery_refused", "The other side refused the message"


@dataclass(frozen=True, slots=True)
class Due:
    """One delivery that may be tried now."""

    site_id: int
    site: str
    delivery_id: UUID
    url: str
    secrets: tuple[str, ...]
    body: str
    attempts: int

    @property
    def tells_erasure(self) -> bool:
        """Whether it is of a visitor whom nothing else here may name any more."""
        return self.body.startswith(TELLS_ERASURE)


def has_due(session: Session, *, now: datetime) -> bool:
    """Tell whether anything may be tried now."""
    due = select(WebhookDelivery.delivery_id).where(WebhookDelivery.due_at <= now)
    return session.scalar(due.limit(1)) is not None


def find_due(session: Session, secrets: SiteSecrets, *, now: datetime, limit: int) -> list[Due]:
    """Return deliveries that may be tried now, oldest first: at most `limit` of each site."""
    place = (WebhookDelivery.due_at, WebhookDelivery.made_at)
    number = func.row_number().over(partition_by=WebhookDelivery.site_id, order_by=place)
    ids = (WebhookDelivery.site_id, WebhookDelivery.delivery_id)
    due = select(*ids, number.label("number")).where(WebhookDelivery.due_at <= now).subquery()
    query = (
        select(WebhookDelivery, Webhook, Site.key)
        .join(due, (ids[0] == due.c.site_id) & (ids[1] == due.c.delivery_id))
        .join(Webhook, Webhook.site_id == WebhookDelivery.site_id)
        .join(Site, Site.id == WebhookDelivery.site_id)
        .where(due.c.number <= limit)
        .order_by(*place)
    )
    return [
        Due(
            site_id=row.site_id,
            site=key,
            delivery_id=row.delivery_id,
            url=webhook.url,
            secrets=secrets_of(webhook, key, secrets, now=now),
            body=row.body,
            attempts=row.attempts,
        )
        for row, webhook, key in session.execute(query)
    ]


def still_waits(session: Session, due: Due) -> bool:
    """Tell whether nobody erased that visitor, or removed the webhook, since it was read."""
    return session.scalar(select(WebhookDelivery.attempts).where(*_place(due))) is not None


def deliver(due: Due, *, now: datetime) -> None:
    """Send one delivery; raises NotDelivered unless the other side answers with success.

    Refused says that it is the message, not the server: every status but 429 and 5xx.
    """
    message_id, sent_at = f"msg_{due.delivery_id}", str(int(now.timestamp()))
    body = due.body.encode()
    signed = f"{message_id}.{sent_at}.".encode() + body
    answer = post(
        due.url,
        body,
        {
            "Content-Type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": sent_at,
            "webhook-signature": " ".join(_sign(secret, signed) for secret in due.secrets),
        },
    )
    if answer.status // 100 != 2:
        away = answer.status == HTTPStatus.TOO_MANY_REQUESTS or answer.status // 100 == 5
        raise (NotDelivered if away else Refused)(f"{due.url} answered {answer.status}.")


def note_delivered(session: Session, due: Due) -> None:
    """Forget what arrived."""
    session.execute(delete(WebhookDelivery).where(*_place(due)))


def note_failed(session: Session, due: Due, error: ConsentError, *, now: datetime) -> bool:
    """Keep what was said and when to try again; tell whether it was given up.

    What waits for the same server rests with it, one that is away is asked once; unless it
    refused this one message: a later withdrawal must not wait behind that.
    """
    pauses = PAUSES[due.attempts : due.attempts + 1]
    due_at = now + pauses[0] if pauses else None
    told = {"said": error.detail[:_MAX_SAID], "attempts": due.attempts + 1, "due_at": due_at}
    session.execute(update(WebhookDelivery).where(*_place(due)).values(**told))
    if due_at is not None and not isinstance(error, Refused):
        session.execute(
            update(WebhookDelivery)
            .where(WebhookDelivery.site_id == due.site_id, WebhookDelivery.due_at < due_at)
            .values(due_at=due_at)
        )
    return due_at is None


def _place(due: Due) -> tuple[Any, ...]:
    return (
        WebhookDelivery.site_id == due.site_id,
        WebhookDelivery.delivery_id == due.delivery_id,
    )


def _sign(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    return f"v1,{base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode('ascii')}"
