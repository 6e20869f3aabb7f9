"""Signatures: which checkpoints the log really signed, and whose eyes saw them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from consent_server.rules.checkpoint import NotACheckpoint, parse_checkpoint
from consent_server.rules.note import (
    COSIGNATURE,
    ED25519,
    NotANote,
    NotSigned,
    VerifierKey,
    parse_note,
    parse_verifier_key,
    verify_note,
)
from consent_server.rules.times import NotATime, parse_time, spell_time
from consent_server.verification.container import Container
from consent_server.verification.findings import Broken

_FILE = re.compile(r"checkpoints/(0|[1-9][0-9]{0,14})\.txt", re.ASCII)
_SEALED = "sealed "


@dataclass(frozen=True, slots=True)
class Keys:
    """The verifier keys that signatures are checked with: of the log, and of witnesses."""

    log: tuple[VerifierKey, ...]
    witnesses: tuple[VerifierKey, ...] = ()


@dataclass(frozen=True, slots=True)
class Signed:
    """A checkpoint whose signatures are true."""

    origin: str
    size: int
    root: bytes
    sealed_at: datetime
    note: bytes
    #: Keys that signed, as name+id.
    log: tuple[str, ...]
    witnesses: tuple[str, ...]


def is_signature(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Tell whether an Ed25519 signature is true (RFC 8032)."""
    # Loaded when it is needed: it takes 8 MB, and most commands verify nothing.
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415
        Ed25519PublicKey,
    )

    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def read_keys(container: Container) -> Keys:
    """Return the keys that the bundle names. Raises Broken."""
    named = container.document("keys.json")
    if set(named) != {"log", "witnesses"}:
        raise Broken("keys.json has other members than log and witnesses.")
    log = _parse_keys(named["log"], ED25519, "log")
    if not log:
        raise Broken("keys.json names no key of the log.")
    return Keys(log, _parse_keys(named["witnesses"], COSIGNATURE, "witnesses"))


def parse_key(text: str) -> VerifierKey:
    """Return a key that somebody got from elsewhere. Raises Broken."""
    try:
        return parse_verifier_key(text.strip())
    except NotANote as error:
        raise Broken(f"{text!r} is no verifier key: {error}") from error


def trust(keys: Keys, trusted: Sequence[VerifierKey]) -> Keys:
    """Return the bundle's keys, and the witnesses that the reader knows from elsewhere."""
    witnesses = [key for key in trusted if key.algorithm == COSIGNATURE]
    return Keys(keys.log, tuple(dict.fromkeys((*keys.witnesses, *witnesses))))


def open_checkpoint(raw: bytes, keys: Keys, name: str) -> Signed:
    """Return a checkpoint that a key of the log signed. Raises Broken."""
    try:
        note = parse_note(raw)
        checkpoint = parse_checkpoint(note.text)
        own = [key for key in keys.log if key.name == checkpoint.origin]
        log = verify_note(note, own, is_signature)
        seen = [line for line in note.signatures if _is_of(line, keys.witnesses)]
        if seen:
            verify_note(note, keys.witnesses, is_signature)
    except (NotANote, NotACheckpoint, NotSigned) as error:
        raise Broken(f"{name}: {error}") from error
    sealed = [line for line in checkpoint.extensions if line.startswith(_SEALED)]
    if len(sealed) != 1:
        raise Broken(f"{name}: the checkpoint does not say when it was sealed.")
    return Signed(
        checkpoint.origin,
        checkpoint.size,
        checkpoint.root,
        _time(sealed[0].removeprefix(_SEALED), name),
        raw,
        tuple(f"{one.name}+{one.key_id.hex()}" for one in log),
        tuple(f"{one.name}+{one.key_id.hex()}" for one in seen),
    )


def read_checkpoints(container: Container, keys: Keys) -> list[Signed]:
    """Return every checkpoint of the bundle, smallest first, each signed. Raises Broken."""
    found = []
    for name in container.names:
        numbered = _FILE.fullmatch(name)
        if not numbered:
            continue
        signed = open_checkpoint(container.read(name), keys, name)
        if signed.size != int(numbered[1]):
            raise Broken(f"{name}: the checkpoint is of {signed.size} leaves.")
        found.append(signed)
    found.sort(key=lambda one: one.size)
    if not found:
        raise Broken("The bundle has no checkpoint.")
    for earlier, later in pairwise(found):
        if earlier.sealed_at > later.sealed_at:
            raise Broken(f"checkpoints/{later.size}.txt was sealed before the one below it.")
    newest, manifest = found[-1], container.manifest
    stated: dict[str, Any] = {"size": newest.size, "root": newest.root.hex()}
    if manifest["checkpoint"] != stated or manifest["origin"] != newest.origin:
        raise Broken("The manifest names another checkpoint than the newest one in the bundle.")
    return found


def check_trusted(
    checkpoints: Sequence[Signed], keys: Keys, trusted: Iterable[VerifierKey]
) -> None:
    """Check that the keys from elsewhere signed what they must have. Raises Broken."""
    newest = checkpoints[-1]
    for key in trusted:
        name = f"{key.name}+{key.key_id.hex()}"
        # Four bytes of a key are soon met by another one: the key itself must be the one
        # that signatures are checked with. No two of one name and id are.
        if key.algorithm == ED25519 and (key not in keys.log or name not in newest.log):
            raise Broken(f"The newest checkpoint is not signed by {name}, the key you gave.")
        # A witness comes after the seal: it cannot have seen the newest one yet.
        if key.algorithm == COSIGNATURE and not any(name in one.witnesses for one in checkpoints):
            raise Broken(f"No checkpoint is signed by {name}, the witness you gave.")


def _is_of(line: Any, keys: Iterable[VerifierKey]) -> bool:
    return any((key.name, key.key_id) == (line.name, line.key_id) for key in keys)


def _parse_keys(texts: Any, algorithm: int, whose: str) -> tuple[VerifierKey, ...]:
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise Broken(f"keys.json: {whose} is no list of keys.")
    keys = tuple(parse_key(text) for text in texts)
    if len(set(keys)) != len(keys) or any(key.algorithm != algorithm for key in keys):
        raise Broken(f"keys.json: {whose} names a key twice, or one of another kind.")
    return keys


def _time(text: str, name: str) -> datetime:
    try:
        moment = parse_time(text)
    except NotATime as error:
        raise Broken(f"{name}: {error}") from error
    if spell_time(moment) != text:
        raise Broken(f"{name}: {text!r} is not how this format writes a time.")
    return moment
