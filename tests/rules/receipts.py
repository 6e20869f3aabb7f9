"""Receipts of a small shop, for tests of the forms that a receipt is given in."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from consent_server.rules.decision import Kind
from consent_server.rules.receipt import (
    Event,
    build_receipt,
    commit_subject,
    hash_event,
    subject_key,
)

NOW = datetime(2026, 11, 25, 10, 13, 26, 123000, tzinfo=UTC)
SALT, SUBJECT = bytes(range(32)), "0123456789abcdef0123456789abcdef"
EVENT_ID = "7f3f2d7e-64d6-4d0a-9d0d-54e2b1a7c001"
BASE = "https://consent.example.com/w/smilee"


def receipt_of(config: dict[str, Any], *services: str, **changes: Any) -> dict[str, Any]:
    """Return the receipt of a visitor of this version who allowed exactly these services."""
    grants: dict[str, bool] = {}
    for category in config["categories"]:
        if category["key"] == "necessary":
            continue
        grants |= {key: key in services for key in category["services"]}
        grants[category["key"]] = (
            all(key in services for key in category["services"])
            if category["services"]
            else category["key"] in services
        )
    event = Event(
        site=config["site"],
        event_id=UUID(EVENT_ID),
        kind=Kind.GIVEN if services else Kind.REFUSED,
        method="save",
        layer="preferences",
        version=3,
        version_hash="a" * 64,
        script_hash="b" * 64,
        language=config["languages"][0],
        regime="opt_in",
        region="",
        signals={},
        grants=grants,
        decided_at=NOW,
        received_at=NOW,
        valid_until=NOW + timedelta(days=180),
        subject_commitment=commit_subject(SALT, subject_key(SUBJECT)),
    )
    event = replace(event, **changes)
    return build_receipt(event, hash_event(event), SALT)
