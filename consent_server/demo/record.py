"""The visitor's own record, made readable: one row for each field of a receipt."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from babel.dates import format_timedelta

from consent_server.rules.times import NotATime, parse_time

Shape = Literal["text", "code", "time", "grants", "version"]

#: Fields in the order that a reader asks: what, when, shown how, proved by what.
_SHAPES: Mapping[str, Shape] = {
    "kind": "text",
    "method": "text",
    "layer": "text",
    "grants": "grants",
    "decided_at": "time",
    "received_at": "time",
    "valid_until": "time",
    "version": "version",
    "language": "text",
    "regime": "text",
    "region": "text",
    "signals": "code",
    "site": "code",
    "event_id": "code",
    "version_hash": "code",
    "script_hash": "code",
    "subject_commitment": "code",
    "leaf_hash": "code",
    "salt": "code",
    "schema": "code",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One field of a receipt, ready to be shown."""

    key: str
    label: str
    shape: Shape
    value: Any
    note: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One event of the visitor."""

    title: str
    version: int
    language: str
    rows: tuple[Row, ...]


def present_records(
    receipts: Iterable[Mapping[str, Any]], words: Mapping[str, Any], language: str, now: datetime
) -> list[Entry]:
    """Return the receipts as entries in the page's language; no field is left out."""
    return [_present(receipt, words, language, now) for receipt in receipts]


def relative_time(moment: datetime, now: datetime, language: str) -> str:
    """Return e.g. "3 minutes ago" or "om 6 månader"."""
    return format_timedelta(moment - now, add_direction=True, locale=language, threshold=1.2)


def _present(
    receipt: Mapping[str, Any], words: Mapping[str, Any], language: str, now: datetime
) -> Entry:
    known = [key for key in _SHAPES if key in receipt]
    others = [key for key in receipt if key not in _SHAPES]
    return Entry(
        title=words["kinds"].get(receipt["kind"], receipt["kind"]),
        version=receipt["version"],
        language=receipt["language"],
        rows=tuple(_row(key, receipt[key], words, language, now) for key in known + others),
    )


def _row(key: str, value: Any, words: Mapping[str, Any], language: str, now: datetime) -> Row:
    label = words["fields"].get(key, key)
    shape = _SHAPES.get(key, "code")
    if shape == "time":
        try:
            note = relative_time(parse_time(value), now, language)
        except NotATime:
            shape, note = "code", ""
        return Row(key, label, shape, value, note)
    if shape == "grants":
        return Row(key, label, shape, sorted(value.items(), key=lambda grant: not grant[1]))
    if not isinstance(value, str | int) or isinstance(value, bool):
        value = json.dumps(value, ensure_ascii=False, sort_keys=True) if value else ""
    note = words["values"].get(value, "") if shape == "text" else ""
    return Row(key, label, shape, value, note)
