"""Logs to check: made here, signed with a key of their own, and written as bundles."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from consent_server.audit import COLUMNS, neutralise_cell
from consent_server.bundle.archive import BundleWriter, spell_json, spell_leaves
from consent_server.rules.canonical import canonical_json
from consent_server.rules.checkpoint import Checkpoint
from consent_server.rules.merkle import Frontier, hash_leaf
from consent_server.rules.note import (
    COSIGNATURE,
    ED25519,
    Note,
    VerifierKey,
    cosignature_message,
    pack_cosignature,
)
from consent_server.rules.receipt import commit_subject, subject_key
from consent_server.rules.times import spell_time
from consent_server.verification import verify
from tests.rules.ed25519 import public_key, sign

SITE, ORIGIN = "demo", "www.example.com/ledger/0123456789abcdef"
START = datetime(2026, 11, 1, 8, 0, 0, 1000, tzinfo=UTC)
SEED, OTHER_SEED, WITNESS_SEED = bytes(32), bytes([1]) * 32, bytes([2]) * 32
WITNESS = VerifierKey("witness.example", COSIGNATURE, public_key(WITNESS_SEED))
CONFIG: dict[str, Any] = {
    "valid_days": 180,
    "origins": ["https://www.example.com"],
    "texts": {"en": {"title": "Cookies?"}, "fi": {"title": "Evästeet?"}},
    "categories": [{"key": "analytics"}],
}
CONFIG_HASH = hashlib.sha256(canonical_json(CONFIG)).hexdigest()
SCRIPT = b"(function(){})();"
SCRIPT_HASH = hashlib.sha256(SCRIPT).hexdigest()
WHOLE: dict[str, Any] = {"from": None, "to": None, "versions": [], "subject": None}
EXPORT = {"format": "bundle", "filters": {**WHOLE, "subject": False}}
ENTRY = "leaf_hash", "leaf_index", "salt"


def log_key(seed: bytes = SEED) -> VerifierKey:
    """The verifier key of the log."""
    return VerifierKey(ORIGIN, ED25519, public_key(seed))


def leaf_hash(event: dict[str, Any]) -> bytes:
    """What the fields of an event hash to."""
    return hash_leaf(canonical_json({k: v for k, v in event.items() if k not in ENTRY}))


def subject(number: int) -> str:
    """The subject id of the visitor with that number."""
    return f"{number % 5000:032x}"


@dataclass
class Log:
    """Events in their order, the sizes at which they are sealed, and who signed."""

    events: list[dict[str, Any]] = field(default_factory=list)
    checkpoints: dict[int, bytes] = field(default_factory=dict)
    keys: list[VerifierKey] = field(default_factory=lambda: [log_key()])
    witnesses: list[VerifierKey] = field(default_factory=list)

    @property
    def leaves(self) -> list[bytes]:
        return [bytes.fromhex(event["leaf_hash"]) for event in self.events]

    @property
    def records(self) -> list[dict[str, Any]]:
        return [event for event in self.events if "kind" in event]

    def add(self, event: dict[str, Any]) -> None:
        """Take an event in, with its hash and place."""
        beside = {"leaf_hash": leaf_hash(event).hex()}
        if "kind" in event:
            beside["salt"] = event.pop("salt")
        self.events.append({**event, **beside, "leaf_index": len(self.events)})

    def seal(self, moment: datetime, seed: bytes = SEED, *, seen: bool = False) -> None:
        """Sign what is there."""
        frontier = Frontier()
        for leaf in self.leaves:
            frontier.append(leaf)
        self.sign(frontier.size, frontier.root(), moment, seed, seen=seen)

    def sign(
        self, size: int, root: bytes, moment: datetime, seed: bytes = SEED, *, seen: bool = False
    ) -> None:
        """Sign a root."""
        text = Checkpoint(ORIGIN, size, root, (f"sealed {spell_time(moment)}",)).to_text()
        note = Note(text).sign(ORIGIN, log_key(seed).key_id, sign(seed, text.encode()))
        if seen:
            second = int(moment.timestamp())
            signature = sign(WITNESS_SEED, cosignature_message(second, text))
            line = pack_cosignature(second, signature)
            note = note.sign(WITNESS.name, WITNESS.key_id, line)
        self.checkpoints[size] = note.to_bytes()


def record(number: int, moment: datetime, rng: random.Random) -> dict[str, Any]:
    """A decision, with its salt."""
    salt = rng.randbytes(32)
    yes = bool(number & 1)
    return {
        "schema": 1,
        "site": SITE,
        "event_id": str(UUID(bytes=rng.randbytes(16), version=4)),
        "kind": "given" if yes else "refused",
        "method": "accept_all" if yes else "reject_all",
        "layer": "notice",
        "version": 1,
        "version_hash": CONFIG_HASH,
        "script_hash": SCRIPT_HASH,
        "language": "fi",
        "regime": "opt_in",
        "region": "",
        "signals": {},
        "grants": {"analytics": yes, "google-analytics": yes},
        "decided_at": spell_time(moment - timedelta(seconds=1)),
        "received_at": spell_time(moment),
        "valid_until": spell_time(moment + timedelta(days=180)),
        "subject_commitment": commit_subject(salt, subject_key(subject(number))).hex(),
        "salt": salt.hex(),
    }


def admin_event(action: str, moment: datetime, details: dict[str, Any], at: int) -> dict[str, Any]:
    """An act of an administrator."""
    return {
        "schema": 1,
        "site": SITE,
        "event_id": str(UUID(int=at, version=4)),
        "action": action,
        "actor": "operator",
        "details": details,
        "happened_at": spell_time(moment),
    }


def make_log(
    size: int,
    *,
    every: int = 100,
    seed: int = 1,
    key: bytes = SEED,
    erased: int = 0,
    filters: dict[str, Any] = WHOLE,
    seen: bool = False,
) -> Log:
    """A log of `size` records, 100 a minute, sealed after `every` events and at its end."""
    rng, log, frontier = random.Random(seed), Log(keys=[log_key(key)]), Frontier()
    details = {"version": 1, "config_hash": CONFIG_HASH, "script_hash": SCRIPT_HASH}
    added = {"added": log_key(key).to_text()}
    log.add(admin_event("key_change", START, added, 1))
    log.add(admin_event("publish", START, {**details, "asks_again": True}, 2))
    for leaf in log.leaves:
        frontier.append(leaf)
    moment = START
    for number in range(size):
        moment = START + timedelta(milliseconds=600 * number)
        event = record(number, moment, rng)
        if number < erased:
            event["salt"] = None
        log.add(event)
        frontier.append(bytes.fromhex(log.events[-1]["leaf_hash"]))
        if frontier.size % every == 0:
            log.sign(frontier.size, frontier.root(), moment, key, seen=seen)
    if erased:
        log.add(admin_event("erase", moment, {"reason": "asked", "records": erased}, 3))
    chosen = {**filters, "subject": filters["subject"] is not None}
    log.add(admin_event("export", moment, {"format": "bundle", "filters": chosen}, 4))
    log.seal(moment, key, seen=seen)
    if seen:
        log.witnesses = [WITNESS]
    return log


def jsonl(events: Iterable[dict[str, Any]]) -> bytes:
    """Events, one a line."""
    return b"".join(
        json.dumps(one, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        for one in events
    )


def rows(records: Iterable[dict[str, Any]]) -> bytes:
    """The same as CSV."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    columns = (*COLUMNS, "leaf_index")
    writer.writerow(columns)
    writer.writerows([neutralise_cell(one[name]) for name in columns] for one in records)
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def version_file() -> dict[str, Any]:
    """The only version of these logs."""
    return {
        "site": SITE,
        "version": 1,
        "config_hash": CONFIG_HASH,
        "material_since": 1,
        "published_at": spell_time(START),
        "published_by": "operator",
        "config": CONFIG,
        "scripts": [{"script_hash": SCRIPT_HASH, "script_id": "0", "first_served_at": ""}],
    }


def missing_pictures() -> list[str]:
    """The screenshots that nobody took."""
    return [
        f"screenshots/1/{language}-{part}-{view}.png"
        for language in CONFIG["texts"]
        for part in ("notice", "preferences")
        for view in ("mobile", "desktop")
    ]


def write_bundle(
    log: Log,
    file: Path,
    *,
    filters: dict[str, Any] = WHOLE,
    keep: Iterable[str] | None = None,
    more: dict[str, bytes] | None = None,
    manifest: dict[str, Any] | None = None,
    leaves: bytes | None = None,
) -> Path:
    """Write a bundle of a log as it is, true or not; `keep` names the records of a selection."""
    kept = None if keep is None else set(keep)
    records = [one for one in log.records if kept is None or one["event_id"] in kept]
    admin = [one for one in log.events if "action" in one]
    newest = max(log.checkpoints)
    if leaves is None:
        shown = None if kept is None else bytearray(len(log.events) // 256 + 1)
        for event in (*records, *admin):
            if shown is not None:
                shown[event["leaf_index"] // 256] = 1
        leaves = b"".join(spell_leaves(log.leaves, shown, list(log.checkpoints)))
    content = {
        "README.txt": b"Read me.\n",
        "verify.py": Path(verify.__file__).read_bytes(),
        "keys.json": b"".join(
            spell_json(
                {
                    "log": [key.to_text() for key in log.keys],
                    "witnesses": [key.to_text() for key in log.witnesses],
                }
            )
        ),
        **{f"checkpoints/{size}.txt": raw for size, raw in sorted(log.checkpoints.items())},
        "versions/1.json": b"".join(spell_json(version_file())),
        f"scripts/{SCRIPT_HASH}.js": SCRIPT,
        "screenshots/index.json": b"".join(
            spell_json({"taken": [], "missing": missing_pictures()})
        ),
        "totals.csv": b"day\r\n",
        "records.jsonl": jsonl(records),
        "records.csv": rows(records),
        "admin.jsonl": jsonl(admin),
        "leaves.txt": leaves,
        **(more or {}),
    }
    with file.open("wb") as target:
        bundle = BundleWriter(target)
        for name, raw in content.items():
            bundle.add(name, [raw])
        root = log.checkpoints[newest].decode().split("\n")[2]
        bundle.finish(
            {
                "site": SITE,
                "origin": ORIGIN,
                "generator": "tests",
                "created_at": spell_time(START),
                "export": ([one["event_id"] for one in admin if one["action"] == "export"] or [""])[
                    -1
                ],
                "filters": filters,
                "counts": {
                    "records": len(records),
                    "admin_events": len(admin),
                    "leaves": newest,
                },
                "checkpoint": {"size": newest, "root": base64.b64decode(root).hex()},
                **(manifest or {}),
            }
        )
    return file
