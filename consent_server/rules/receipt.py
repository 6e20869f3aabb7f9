"""Events, their leaves and the visitor's receipt.

The leaf is SHA-256(0x00 || canonical JSON of the event). The event holds a salted
commitment to the subject instead of the subject, so erasing salt and key leaves
every hash as it was and nobody can tell whose row it is any more.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Any
from uuid import UUID

from consent_server.rules.canonical import canonical_json
from consent_server.rules.decision import Grants, Kind
from consent_server.rules.merkle import hash_leaf
from consent_server.rules.times import spell_time

SALT_BYTES = 32
#: Raised when the fields of a leaf change; a verifier reads it first.
LEAF_SCHEMA = 1
#: In what the records of one answer differ: times, ids and numbers in hex, which JSON spells as
#: they are.
VARYING = ("decided_at", "event_id", "received_at", "subject_commitment", "valid_until")


@dataclass(frozen=True, slots=True)
class Event:
    """One row of the ledger, as it is hashed."""

    site: str
    event_id: UUID
    kind: Kind
    method: str
    layer: str
    version: int
    version_hash: str
    script_hash: str
    language: str
    regime: str
    region: str
    signals: dict[str, Any]
    grants: Grants
    decided_at: datetime
    received_at: datetime
    valid_until: datetime
    subject_commitment: bytes


class LeafForm:
    """What the leaves of one answer have in common, spelled once: they differ in few fields."""

    __slots__ = ("_canonical", "_fixed")

    def __init__(self, entry: Mapping[str, Any]) -> None:
        """`entry` are the fields of any leaf of the answer."""
        self._fixed = entry
        self._canonical = Template(lambda one: canonical_json(one).decode(), entry, VARYING)

    def hash(self, varying: Mapping[str, str]) -> bytes:
        """Return the leaf hash of the record that has these values in `VARYING`."""
        return hash_leaf(self._canonical.fill(varying).encode())

    def entry(self, varying: Mapping[str, str]) -> dict[str, Any]:
        """Return the fields of that record's leaf."""
        return {**self._fixed, **{name: varying[name] for name in VARYING}}


class Template:
    """The text of an object, such as its JSON, in which some texts are still to be filled in."""

    __slots__ = ("_order", "_text", "names", "pieces")

    def __init__(
        self,
        spell: Callable[[dict[str, Any]], str],
        members: Mapping[str, Any],
        names: Iterable[str],
    ) -> None:
        """`spell` spells the members with a mark at each of `names`."""
        marks = {name: f"<{name}>" for name in names}
        rest = spell({**members, **marks})
        #: What is filled in, in its order, and the texts round it: one more.
        self.names = tuple(sorted(marks, key=lambda name: rest.index(marks[name])))
        self.pieces: list[str] = []
        for name in self.names:
            piece, _, rest = rest.partition(marks[name])
            if marks[name] in rest:
                raise ValueError(f"{name} stands there more than once")
            self.pieces.append(piece)
        self.pieces.append(rest)
        self._text = "%s".join(piece.replace("%", "%%") for piece in self.pieces)
        self._order = itemgetter(*self.names)

    def fill(self, values: Mapping[str, str]) -> str:
        """Return the text with these values, which must need no escapes."""
        filled: str = self._text % self._order(values)
        return filled


def subject_key(subject_id: str) -> bytes:
    """Return what the database keeps of a subject id: its SHA-256."""
    return hashlib.sha256(subject_id.encode("ascii")).digest()


def commit_subject(salt: bytes, key: bytes) -> bytes:
    """Return the commitment that the leaf holds: SHA-256(salt || subject key)."""
    return hashlib.sha256(salt + key).digest()


def leaf_entry(event: Event) -> dict[str, Any]:
    """Return the fields of the leaf, in JSON types; the export repeats exactly these."""
    return {
        "schema": LEAF_SCHEMA,
        "site": event.site,
        "event_id": str(event.event_id),
        "kind": str(event.kind),
        "method": str(event.method),
        "layer": str(event.layer),
        "version": event.version,
        "version_hash": event.version_hash,
        "script_hash": event.script_hash,
        "language": event.language,
        "regime": event.regime,
        "region": event.region,
        "signals": event.signals,
        "grants": dict(event.grants),
        "decided_at": spell_time(event.decided_at),
        "received_at": spell_time(event.received_at),
        "valid_until": spell_time(event.valid_until),
        "subject_commitment": event.subject_commitment.hex(),
    }


def varying_of(event: Event) -> dict[str, str]:
    """Return the values of `VARYING`, as the leaf has them."""
    return {
        "decided_at": spell_time(event.decided_at),
        "event_id": str(event.event_id),
        "received_at": spell_time(event.received_at),
        "subject_commitment": event.subject_commitment.hex(),
        "valid_until": spell_time(event.valid_until),
    }


def hash_event(event: Event) -> bytes:
    """Return the leaf hash of an event (RFC 8785, then RFC 6962, 2.1)."""
    return hash_entry(leaf_entry(event))


def hash_entry(entry: Mapping[str, Any]) -> bytes:
    """Return the leaf hash of an event whose fields are spelled already."""
    return hash_leaf(canonical_json(entry))


def build_receipt(event: Event, leaf_hash: bytes, salt: bytes | None) -> dict[str, Any]:
    """Return the visitor's copy: the leaf's fields, its hash and the salt.

    With their secret subject id and the salt the visitor can show that the
    record is theirs; without either nobody can.
    """
    return receipt_of(leaf_entry(event), leaf_hash, salt)


def receipt_of(entry: Mapping[str, Any], leaf_hash: bytes, salt: bytes | None) -> dict[str, Any]:
    """Return the receipt of an event whose fields are spelled already."""
    return {**entry, "leaf_hash": leaf_hash.hex(), "salt": salt.hex() if salt else None}
