"""Administrators' events: what was done to a site, as leaves among its records."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from consent_server.rules.canonical import canonical_json
from consent_server.rules.merkle import hash_leaf
from consent_server.rules.times import spell_time

#: Raised when the fields of a leaf change; a verifier reads it first.
ADMIN_LEAF_SCHEMA = 1


class Action(StrEnum):
    """What an administrator may do that auditors ask about."""

    PUBLISH = "publish"
    RETIRE = "retire"
    EXPORT = "export"
    ERASE = "erase"
    KEY_CHANGE = "key_change"
    RESTORE = "restore"


@dataclass(frozen=True, slots=True)
class AdminEvent:
    """One act, as it is hashed. `details` holds no person's data: leaves stay for ever."""

    site: str
    event_id: UUID
    action: Action
    actor: str
    details: dict[str, Any]
    happened_at: datetime


def admin_entry(event: AdminEvent) -> dict[str, Any]:
    """Return the fields of the leaf, in JSON types; the export repeats exactly these.

    A leaf with `action` is an administrator's event, one with `kind` a visitor's.
    """
    return {
        "schema": ADMIN_LEAF_SCHEMA,
        "site": event.site,
        "event_id": str(event.event_id),
        "action": str(event.action),
        "actor": event.actor,
        "details": event.details,
        "happened_at": spell_time(event.happened_at),
    }


def hash_admin_event(event: AdminEvent) -> bytes:
    """Return the leaf hash of an event (RFC 8785, then RFC 6962, 2.1)."""
    return hash_leaf(canonical_json(admin_entry(event)))
