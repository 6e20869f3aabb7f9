"""Evidence: two checkpoints that one log signed and that cannot both be true, as one file."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Any

from consent_server.rules.merkle import Frontier, NoSuchProof, consistency_proof, is_consistent
from consent_server.rules.note import NotANote, NotSigned, VerifierKey, parse_note, verify_note
from consent_server.verification.findings import Broken
from consent_server.verification.signatures import (
    Keys,
    Signed,
    is_signature,
    open_checkpoint,
    parse_key,
)
from consent_server.verification.spelling import read_document
from consent_server.verification.walk import Span

FORMAT, FORMAT_VERSION = "consent-evidence", 1
_MEMBERS = {"format", "format_version", "claim", "key", "checkpoints", "root", "proof"}
_FORK = "One key signed two different trees of {old} leaves."
_REWRITTEN = (
    "One key signed a tree of {old} leaves, and later one of {new} leaves that begins "
    "differently: its first {old} leaves have the root that stands here."
)


def build_evidence(
    old: Signed, new: Signed, root: bytes, leaves: Iterable[Span], keys: Keys
) -> dict[str, Any]:
    """Return the file that shows to anyone that the log contradicts itself.

    `root` is that of the first `old.size` leaves of the newer tree. Raises Broken when
    no key signed both, or when the bundle leaves out what the proof needs.
    """
    claim = _FORK if old.size == new.size else _REWRITTEN
    evidence = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "claim": claim.format(old=old.size, new=new.size),
        "key": _key_of_both(old, new, keys).to_text(),
        "checkpoints": [old.note.decode(), new.note.decode()],
        "root": root.hex(),
        "proof": [],
    }
    if old.size < new.size:
        proof = _prove(old.size, new.size, leaves)
        evidence["proof"] = [base64.b64encode(one).decode("ascii") for one in proof]
    check_evidence(evidence)
    return evidence


def read_evidence(raw: bytes) -> dict[str, Any]:
    """Return the content of an evidence file. Raises Broken."""
    try:
        return read_document(raw)
    except Broken as error:
        raise Broken(f"The file {error}.") from error


def check_evidence(evidence: dict[str, Any], trusted: Iterable[VerifierKey] = ()) -> str:
    """Return what an evidence file shows. Raises Broken when it shows nothing.

    Nothing is believed but the key: it must be known to be the log's.
    """
    if (
        set(evidence) != _MEMBERS
        or (evidence["format"], evidence["format_version"]) != (FORMAT, FORMAT_VERSION)
        or not _is_list_of_texts(evidence["checkpoints"], 2)
        or not _is_list_of_texts(evidence["proof"])
        or not isinstance(evidence["key"], str)
    ):
        raise Broken("This is no evidence file of this format.")
    key = parse_key(evidence["key"])
    if any(key != one for one in trusted):
        raise Broken("The evidence is about another key than the one you gave.")
    old, new = (
        open_checkpoint(note.encode(), Keys((key,)), f"checkpoint {number}")
        for number, note in enumerate(evidence["checkpoints"], 1)
    )
    if old.size > new.size or old.size == 0:
        raise Broken("The evidence has its checkpoints in the wrong order.")
    try:
        root = bytes.fromhex(evidence["root"])
        proof = [base64.b64decode(one, validate=True) for one in evidence["proof"]]
    except (ValueError, TypeError) as error:
        raise Broken(f"The evidence holds no proof: {error}") from error
    if root == old.root:
        raise Broken("The two checkpoints do not contradict each other.")
    if not is_consistent(old.size, root, new.size, new.root, proof):
        raise Broken("The evidence does not show what it claims: its proof is false.")
    claim = _FORK if old.size == new.size else _REWRITTEN
    return f"{claim.format(old=old.size, new=new.size)} Key: {evidence['key']}"


def _is_list_of_texts(value: Any, length: int | None = None) -> bool:
    return (
        isinstance(value, list)
        and all(isinstance(one, str) for one in value)
        and length in {None, len(value)}
    )


def _key_of_both(old: Signed, new: Signed, keys: Keys) -> VerifierKey:
    both = {*old.log} & {*new.log}
    for key in keys.log:
        if f"{key.name}+{key.key_id.hex()}" in both and _signed(old, key) and _signed(new, key):
            return key
    raise Broken("No single key signed both checkpoints: each may be of another log.")


def _signed(checkpoint: Signed, key: VerifierKey) -> bool:
    try:
        return bool(verify_note(parse_note(checkpoint.note), [key], is_signature))
    except (NotANote, NotSigned):
        return False


def _prove(old: int, new: int, leaves: Iterable[Span]) -> list[bytes]:
    """Return the consistency proof, from one walk over the leaves."""
    needed: dict[tuple[int, int], bytes] = {}

    def ask(level: int, index: int) -> bytes:
        needed[level, index] = b""
        return bytes(32)

    consistency_proof(old, new, ask)
    frontier = Frontier()
    for span in leaves:
        if span.first != span.last:
            raise Broken("The bundle is a selection; a whole one is needed for the evidence.")
        for level, index, subtree in frontier.append(span.hash):
            if (level, index) in needed:
                needed[level, index] = subtree
    try:
        return consistency_proof(old, new, lambda level, index: needed[level, index])
    except NoSuchProof as error:
        raise Broken(str(error)) from error
