"""Outside: what visitors and auditors kept from before, which no operator can change."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from consent_server.rules.merkle import is_included
from consent_server.rules.times import spell_time
from consent_server.verification.events import BESIDE_LEAF, RECORD_FIELDS
from consent_server.verification.findings import Broken
from consent_server.verification.signatures import Keys, Signed, open_checkpoint
from consent_server.verification.spelling import canonical, read_foreign
from consent_server.verification.walk import LATEST_SEAL


@dataclass
class Receipts:
    """Receipts that visitors kept; each must be met on the walk."""

    kept: dict[str, dict[str, Any]] = field(default_factory=dict)
    met: int = 0

    def add(self, raw: bytes, keys: Keys, name: str) -> list[Signed]:
        """Take receipts in; return the checkpoints of their proofs. Raises Broken.

        A file holds one receipt, bare or with its `proof`, or all that a visitor
        downloaded from their own page.
        """
        try:
            document = read_foreign(raw)
        except Broken as error:
            raise Broken(f"{name} {error}.") from error
        entries = _entries(document)
        if not entries:
            raise Broken(f"{name} holds no receipt.")
        found = [self._take(one, keys, name) for one in entries]
        return [signed for signed in found if signed is not None]

    def _take(self, entry: dict[str, Any], keys: Keys, name: str) -> Signed | None:
        within, proof = entry.get("receipt") or entry, entry.get("proof")
        receipt = dict(within) if isinstance(within, dict) else {}
        receipt.pop("proof", None)
        if set(receipt) != set(RECORD_FIELDS) - {"leaf_index"} or not _has_texts(receipt):
            raise Broken(f"{name} is no receipt: it has not the fields of one.")
        leaf = sha256(b"\x00" + canonical(_leaf_of(receipt)))
        if leaf.hexdigest() != receipt["leaf_hash"]:
            raise Broken(f"{name} was changed: its fields do not give its leaf hash.")
        if self.kept.setdefault(receipt["event_id"], receipt) != receipt:
            raise Broken(
                f"{name} says something else than another receipt of the same id that you "
                f"gave, {receipt['event_id']}. Give one at a time."
            )
        return _check_proof(proof, leaf.digest(), keys, name) if proof else None

    def watch(self, event: Mapping[str, Any]) -> None:
        """Compare an event of the walk with the receipt of the same id. Raises Broken."""
        receipt = self.kept.get(event["event_id"])
        if receipt is None:
            return
        if event["leaf_hash"] != receipt["leaf_hash"]:
            raise Broken("the visitor's receipt says something else: the log was rewritten")
        if event["salt"] not in {None, receipt["salt"]}:
            raise Broken("the visitor's receipt has another salt: the link to them was cut")
        self.met += 1
        del self.kept[event["event_id"]]

    def check_all_met(self, newest: Signed, site: str, *, whole: bool) -> None:
        """Check that the log holds every receipt. Raises Broken."""
        for event_id, receipt in self.kept.items():
            if receipt["site"] != site:
                raise Broken(
                    f"The receipt {event_id} is of the site {receipt['site']!a}, and the "
                    f"bundle of {site!a}. Ask for a bundle of that site."
                )
            if receipt["received_at"] > spell_time(newest.sealed_at):
                raise Broken(
                    f"The receipt {event_id} is newer than the bundle. Ask for a new bundle."
                )
            if not whole:
                raise Broken(
                    f"The receipt {event_id} is not among the records of this selection. "
                    "Ask for a whole bundle."
                )
            if receipt["received_at"] > spell_time(newest.sealed_at - LATEST_SEAL):
                # Of those no event of the bundle says that they must be in it.
                raise Broken(
                    f"The record of the receipt {event_id} is not in the bundle, which was sealed "
                    "within a minute of it: it may have waited for its seal. Ask for a new bundle."
                )
            raise Broken(
                f"The record of the receipt {event_id} is missing from the log, which was "
                "received before its newest checkpoint: it was dropped or the log rewritten."
            )


def check_size(old: Signed, newest: Signed, name: str) -> None:
    """Refuse a checkpoint that reaches further than the bundle. Raises Broken."""
    if old.size > newest.size:
        raise Broken(
            f"{name} is of {old.size} leaves, the bundle of {newest.size} only: leaves were cut "
            "off, or the bundle is older than the checkpoint. Ask for a new bundle."
        )
    if old.size == newest.size and old.origin != newest.origin:
        raise Broken(f"{name} is of another log, {old.origin}.")


def _entries(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what may hold a receipt each."""
    records = document.get("records", [document])
    entries = records if isinstance(records, list) else []
    return [one if isinstance(one, dict) else {} for one in entries]


def _has_texts(receipt: dict[str, Any]) -> bool:
    """Tell whether that is text by which a receipt is looked up and compared."""
    texts = [receipt["event_id"], receipt["received_at"], receipt["salt"] or ""]
    return all(isinstance(one, str) for one in texts)


def _leaf_of(receipt: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in receipt.items() if name not in BESIDE_LEAF}


def _check_proof(proof: Any, leaf: bytes, keys: Keys, name: str) -> Signed:
    """Return the checkpoint under which a receipt's proof puts its leaf. Raises Broken."""
    try:
        checkpoint, index = proof["checkpoint"].encode(), proof["leaf_index"]
        path = [_decode(one) for one in proof["path"]]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise Broken(f"{name} has a proof of another form: {error}") from error
    signed = open_checkpoint(checkpoint, keys, name)
    if not is_included(leaf, index, signed.size, path, signed.root):
        raise Broken(f"{name}: the proof does not lead from the leaf to the checkpoint's root.")
    return signed


def _decode(one: str) -> bytes:
    """Read a hash in hex, or in base64 as logs spell them."""
    return bytes.fromhex(one) if len(one) == 64 else base64.b64decode(one, validate=True)
