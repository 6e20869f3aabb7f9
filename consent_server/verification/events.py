"""Events: what must be true of one record, or of one act of an administrator."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from hashlib import sha256
from operator import is_
from typing import Any

from consent_server.rules.admin_event import ADMIN_LEAF_SCHEMA, Action
from consent_server.rules.decision import Kind
from consent_server.rules.receipt import LEAF_SCHEMA
from consent_server.rules.regimes import valid_days
from consent_server.verification.findings import Broken
from consent_server.verification.spelling import canonical

#: What a record adds to its leaf; nothing of it is hashed.
BESIDE_LEAF = ("leaf_hash", "salt", "leaf_index")
RECORD_LEAF = {
    "schema": int,
    "site": str,
    "event_id": str,
    "kind": str,
    "method": str,
    "layer": str,
    "version": int,
    "version_hash": str,
    "script_hash": str,
    "language": str,
    "regime": str,
    "region": str,
    "signals": dict,
    "grants": dict,
    "decided_at": str,
    "received_at": str,
    "valid_until": str,
    "subject_commitment": str,
}
RECORD_FIELDS = (*RECORD_LEAF, *BESIDE_LEAF)
_ADMIN_LEAF = {
    "schema": int,
    "site": str,
    "event_id": str,
    "action": str,
    "actor": str,
    "details": dict,
    "happened_at": str,
}
ADMIN_FIELDS = (*_ADMIN_LEAF, "leaf_hash", "leaf_index")
_TIME_FIELDS = ("decided_at", "received_at", "valid_until")
_KINDS, _ACTIONS = frozenset(map(str, Kind)), frozenset(map(str, Action))
#: Kinds that a visitor's own decision makes; their validity is the version's.
_DECIDED = frozenset({"given", "refused", "changed", "withdrawn"})
_TIME = re.compile(r"\d{4}-\d\d-\d\dT[0-2]\d:[0-5]\d:[0-5]\d\.\d{3}Z", re.ASCII)
_TIMES = re.compile(",".join([_TIME.pattern] * 3), re.ASCII)
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class KnownVersion:
    """What records must agree with, of a version in the bundle."""

    config_hash: str
    valid_days: int
    languages: tuple[str, ...] = ()
    #: In which it shows something.
    regimes: tuple[str, ...] = ("opt_in",)
    #: What is in no hash; the event that published it says the same.
    published_at: str = ""
    published_by: str = ""
    material_since: int = 1


@dataclass(frozen=True, slots=True)
class Context:
    """What every event of a bundle must agree with."""

    site: str
    versions: Mapping[int, KnownVersion]
    scripts: Collection[str]
    #: What the bundle says it selects: from, to, versions, subject.
    filters: Mapping[str, Any]


def check_record(record: dict[str, Any], context: Context, entry: bytes | None = None) -> bytes:
    """Return the leaf hash that the fields of a record give. Raises Broken.

    `entry` is the canonical JSON of the leaf's fields, where it is known already.
    """
    _check_form(record, RECORD_FIELDS, RECORD_LEAF, LEAF_SCHEMA, context)
    if record["kind"] not in _KINDS:
        raise Broken(f"no record is of kind {record['kind']!r}")
    leaf = _check_leaf(record, BESIDE_LEAF, entry)
    salt = record["salt"]
    if salt is not None and not (isinstance(salt, str) and _HASH.fullmatch(salt)):
        raise Broken("the salt is not 32 bytes in hex")
    # Three at once; which of them it is, only if one is none.
    if not _TIMES.fullmatch(",".join([record[name] for name in _TIME_FIELDS])):
        for name in _TIME_FIELDS:
            _check_time(record, name)
    version = context.versions.get(record["version"])
    if version is None:
        raise Broken(f"names version {record['version']}, which the bundle does not hold")
    if record["version_hash"] != version.config_hash:
        raise Broken(f"names another version {record['version']} than the bundle holds")
    if record["script_hash"] not in context.scripts:
        raise Broken("names a script that the bundle does not hold")
    days = valid_days({"valid_days": version.valid_days}, record["regime"])
    if record["kind"] in _DECIDED and not _is_valid_for(record, days):
        raise Broken(f"valid_until is not received_at plus {days} days")
    if any(context.filters.values()):
        _check_selected(record, context.filters)
    return leaf


def check_admin_event(event: dict[str, Any], context: Context, *, whole: bool) -> bytes:
    """Return the leaf hash that the fields of an administrator's event give. Raises Broken."""
    _check_form(event, ADMIN_FIELDS, _ADMIN_LEAF, ADMIN_LEAF_SCHEMA, context)
    if event["action"] not in _ACTIONS:
        raise Broken(f"no administrator can {event['action']!r}")
    leaf = _check_leaf(event, ("leaf_hash", "leaf_index"))
    _check_time(event, "happened_at")
    if event["action"] == "publish" and whole:
        _check_publication(event["details"], context)
    return leaf


def erased_by(event: dict[str, Any]) -> int:
    """Return how many records an administrator's event took the person from. Raises Broken."""
    if event["action"] != "erase":
        return 0
    records = event["details"].get("records")
    if type(records) is not int or records < 0:
        raise Broken("does not say how many records were erased")
    return records


def _check_form(
    event: dict[str, Any],
    fields: tuple[str, ...],
    kinds: Mapping[str, type],
    schema: int,
    context: Context,
) -> None:
    if tuple(event) != fields:
        raise Broken("has not exactly the fields of this format, in their order")
    if not all(map(is_, map(type, event.values()), kinds.values())):
        name = next(name for name, kind in kinds.items() if type(event[name]) is not kind)
        raise Broken(f"{name} is of the wrong type")
    if event["schema"] != schema:
        raise Broken(f"is of schema {event['schema']}, which is not known here")
    if event["site"] != context.site:
        raise Broken(f"is of the site {event['site']!r}")
    if not _ID.fullmatch(event["event_id"]):
        raise Broken("the event_id is no UUID")


def _check_leaf(
    event: dict[str, Any], beside: tuple[str, ...], entry: bytes | None = None
) -> bytes:
    if entry is None:
        fields = event.copy()
        for name in beside:
            del fields[name]
        entry = canonical(fields)
    leaf = sha256(b"\x00" + entry)
    if leaf.hexdigest() != event["leaf_hash"]:
        raise Broken("the field values no longer give its leaf hash")
    return leaf.digest()


def _check_time(event: dict[str, Any], name: str) -> None:
    if not _TIME.fullmatch(event[name]):
        raise Broken(f"{name} is no time of this format")


def _check_publication(details: dict[str, Any], context: Context) -> None:
    number = details.get("version")
    version = context.versions.get(number) if type(number) is int else None
    if version is None:
        raise Broken(f"publishes version {number}, which the bundle does not hold")
    if details.get("config_hash") != version.config_hash:
        raise Broken(f"publishes another version {number} than the bundle holds")


def _is_valid_for(record: dict[str, Any], days: int) -> bool:
    received, until = record["received_at"], record["valid_until"]
    later = _later(received[:10], days)
    return bool(until[:10] == later and until[10:] == received[10:])


@lru_cache(maxsize=4096)
def _later(day: str, days: int) -> str:
    try:
        return (date.fromisoformat(day) + timedelta(days=days)).isoformat()
    except (ValueError, OverflowError):
        return ""


def _check_selected(record: dict[str, Any], filters: Mapping[str, Any]) -> None:
    """Refuse a record that the selection does not cover."""
    since, until = filters["from"] or "", filters["to"] or "9999"
    outside = not since <= record["received_at"] < until
    if outside or (filters["versions"] and record["version"] not in filters["versions"]):
        raise Broken("is not among what the manifest says the bundle selects")
    if filters["subject"]:
        salt, key = record["salt"], bytes.fromhex(filters["subject"])
        if salt is None or (
            sha256(bytes.fromhex(salt) + key).hexdigest() != record["subject_commitment"]
        ):
            raise Broken("is not of the subject that the manifest names")
