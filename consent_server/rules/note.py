"""Signed notes: texts that carry their signatures with them (C2SP signed-note).

Nothing here signs or verifies by itself: the mathematics of Ed25519 comes in as a
callable, so that a verifier of ten years from now may bring its own.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from consent_server.errors import ConsentError

#: Signature types (C2SP signed-note, "Signature types"): of a note as it stands ...
ED25519 = 0x01
#: ... and of a witness, with the time at which it looked (C2SP tlog-cosignature).
COSIGNATURE = 0x04

KEY_ID_BYTES = 4
PUBLIC_KEY_BYTES = 32
SIGNATURE_BYTES = 64
TIMESTAMP_BYTES = 8
MAX_TIMESTAMP = 2**63 - 1
#: The specification asks for at least 16 and for a limit.
MAX_SIGNATURES = 100
MAX_NOTE_BYTES = 1_000_000

#: Tells whether a signature is that of a public key over a message, in this order:
#: public key, message, signature.
Verify = Callable[[bytes, bytes, bytes], bool]


class NotANote(ConsentError):
    """A note, or a key for one, that does not have the specified form."""

    status, code, title = 422, "not_a_note", "Not a signed note"


class NotSigned(ConsentError):
    """A note that no known key has signed, or that carries a false signature of one."""

    status, code, title = 422, "not_signed", "The note is not signed by a known key"


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key that somebody trusts, with its name (C2SP signed-note, "Signatures").

    Raises NotANote for a name or key that the specification forbids, and for types of
    signature that are not used here.
    """

    name: str
    algorithm: int
    public_key: bytes

    def __post_init__(self) -> None:
        if self.algorithm not in {ED25519, COSIGNATURE}:
            raise NotANote(f"Keys of type {self.algorithm:#04x} are not used here.")
        if len(self.public_key) != PUBLIC_KEY_BYTES:
            raise NotANote(
                f"An Ed25519 public key has {PUBLIC_KEY_BYTES} bytes, not {len(self.public_key)}."
            )
        _check_name(self.name)

    @property
    def key_id(self) -> bytes:
        """The four bytes that a signature names the key by (C2SP signed-note, "Signatures")."""
        return key_id(self.name, self.algorithm, self.public_key)

    def to_text(self) -> str:
        """Return the key as it is handed on: name+id+key (C2SP signed-note, "Verifier keys")."""
        return f"{self.name}+{self.key_id.hex()}+{_base64(_typed(self.algorithm, self.public_key))}"


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line of a note (C2SP signed-note, "Format"). Raises NotANote."""

    name: str
    key_id: bytes
    signature: bytes

    def __post_init__(self) -> None:
        _check_name(self.name)
        if len(self.key_id) != KEY_ID_BYTES:
            raise NotANote(f"A key ID has {KEY_ID_BYTES} bytes, not {len(self.key_id)}.")
        if not self.signature:
            raise NotANote(f"The signature of {self.name!r} is empty.")

    def to_line(self) -> str:
        """Return the line with its end (C2SP signed-note, "Format")."""
        return f"\N{EM DASH} {self.name} {_base64(self.key_id + self.signature)}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A text and the signatures beside it, verified or not (C2SP signed-note, "Format")."""

    text: str
    signatures: tuple[Signature, ...] = ()

    def __post_init__(self) -> None:
        _check_text(self.text)

    def sign(self, name: str, key_id: bytes, signature: bytes) -> Note:
        """Return the note with one more signature (C2SP signed-note, "Format")."""
        return replace(self, signatures=(*self.signatures, Signature(name, key_id, signature)))

    def to_bytes(self) -> bytes:
        """Return the note as it is published (C2SP signed-note, "Format"). Raises NotANote."""
        if not 1 <= len(self.signatures) <= MAX_SIGNATURES:
            raise NotANote(f"A note has 1 to {MAX_SIGNATURES} signatures.")
        lines = "".join(signature.to_line() for signature in self.signatures)
        return f"{self.text}\n{lines}".encode()


def key_id(name: str, algorithm: int, public_key: bytes) -> bytes:
    """Return SHA-256(name || 0x0A || type || key)[:4] (C2SP signed-note, "Signatures")."""
    _check_name(name)
    named = name.encode() + b"\n" + _typed(algorithm, public_key)
    return hashlib.sha256(named).digest()[:KEY_ID_BYTES]


def parse_verifier_key(text: str) -> VerifierKey:
    """Return the key in its text form (C2SP signed-note, "Verifier keys").

    Raises NotANote, also for a key whose ID is not its own.
    """
    # Base64 has plus signs too; names and IDs have none.
    parts = text.split("+", 2)
    typed = _from_base64(parts[-1]) if len(parts) == len(("name", "id", "key")) else None
    if not typed:
        raise NotANote("A verifier key has the form name+id+base64.")
    key = VerifierKey(parts[0], typed[0], typed[1:])
    if key.to_text() != text:
        raise NotANote(f"The ID of the key {key.name!r} is not {parts[1]!r}: copy it again.")
    return key


def sign_note(text: str, name: str, key_id: bytes, signature: bytes) -> Note:
    """Return the note that a first signature makes of a text (C2SP signed-note, "Format").

    The signature is over the text in UTF-8, its last newline included. Raises NotANote.
    """
    return Note(text).sign(name, key_id, signature)


def parse_note(raw: bytes) -> Note:
    """Return a note as it was published (C2SP signed-note, "Format").

    Nothing is verified yet: the text must not be believed. Raises NotANote.
    """
    if len(raw) > MAX_NOTE_BYTES:
        raise NotANote(f"A note has at most {MAX_NOTE_BYTES} bytes.")
    try:
        whole = raw.decode()
    except UnicodeDecodeError as error:
        raise NotANote("A note is UTF-8.") from error
    _check_text(whole)
    # The text may hold empty lines itself: the last one ends it.
    text, empty, lines = whole.rpartition("\n\n")
    if not empty or not lines:
        raise NotANote("A note has an empty line before its signatures.")
    found = lines.removesuffix("\n").split("\n")
    if len(found) > MAX_SIGNATURES:
        raise NotANote(f"A note has at most {MAX_SIGNATURES} signatures.")
    return Note(f"{text}\n", tuple(_parse_signature(line) for line in found))


def verify_note(
    note: Note, known_keys: Iterable[VerifierKey], verify: Verify
) -> tuple[Signature, ...]:
    """Return the signatures of known keys, each verified (C2SP signed-note, "Signatures").

    Those of unknown keys are ignored. Raises NotSigned when no known key has signed and
    when the signature of one is false.
    """
    keys: dict[tuple[str, bytes], VerifierKey] = {}
    for key in known_keys:
        if keys.setdefault((key.name, key.key_id), key) != key:
            raise NotSigned(f"Two known keys are called {key.name}+{key.key_id.hex()}.")
    verified = []
    for signature in note.signatures:
        known = keys.get((signature.name, signature.key_id))
        if not known:
            continue
        if not _is_true(signature.signature, known, note.text, verify):
            raise NotSigned(f"The signature of {known.name}+{known.key_id.hex()} is false.")
        verified.append(signature)
    if not verified:
        raise NotSigned("None of the note's signatures is of a known key.")
    return tuple(verified)


def cosignature_message(timestamp: int, text: str) -> bytes:
    """Return what a witness signs (C2SP tlog-cosignature, "Ed25519 signed message").

    `timestamp` is in seconds since 1970, `text` that of a checkpoint. Raises NotANote.
    """
    _check_timestamp(timestamp)
    _check_text(text)
    return f"cosignature/v1\ntime {timestamp}\n{text}".encode()


def pack_cosignature(timestamp: int, signature: bytes) -> bytes:
    """Return the `timestamped_signature` of a witness's line (C2SP tlog-cosignature, "Format").

    Raises NotANote.
    """
    _check_timestamp(timestamp)
    if len(signature) != SIGNATURE_BYTES:
        raise NotANote(f"An Ed25519 signature has {SIGNATURE_BYTES} bytes, not {len(signature)}.")
    return timestamp.to_bytes(TIMESTAMP_BYTES, "big") + signature


def unpack_cosignature(timestamped: bytes) -> tuple[int, bytes]:
    """Return timestamp and signature of a witness's line (C2SP tlog-cosignature, "Format").

    Raises NotANote.
    """
    if len(timestamped) != TIMESTAMP_BYTES + SIGNATURE_BYTES:
        raise NotANote(f"A cosignature has {TIMESTAMP_BYTES + SIGNATURE_BYTES} bytes.")
    timestamp = int.from_bytes(timestamped[:TIMESTAMP_BYTES], "big")
    _check_timestamp(timestamp)
    return timestamp, timestamped[TIMESTAMP_BYTES:]


def _is_true(signature: bytes, key: VerifierKey, text: str, verify: Verify) -> bool:
    message = text.encode()
    if key.algorithm == COSIGNATURE:
        try:
            timestamp, signature = unpack_cosignature(signature)
        except NotANote:
            return False
        message = cosignature_message(timestamp, text)
    return len(signature) == SIGNATURE_BYTES and verify(key.public_key, message, signature)


def _parse_signature(line: str) -> Signature:
    dash, _, rest = line.partition(" ")
    name, _, encoded = rest.partition(" ")
    signed = _from_base64(encoded)
    if dash != "\N{EM DASH}" or signed is None:
        raise NotANote("A signature line has the form: em dash, key name, base64.")
    return Signature(name, signed[:KEY_ID_BYTES], signed[KEY_ID_BYTES:])


def _check_name(name: str) -> None:
    if not name or any(one.isspace() or one < " " or one == "+" for one in name):
        raise NotANote(f"A key name is not empty and has neither spaces nor plus: {name!r}.")
    _check_encodable(name)


def _check_text(text: str) -> None:
    if not text.endswith("\n"):
        raise NotANote("The text of a note ends with a newline.")
    if any(one < " " and one != "\n" for one in text):
        raise NotANote("A note has no control characters but newlines.")
    _check_encodable(text)


def _check_encodable(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise NotANote("The text holds a lone surrogate, which UTF-8 cannot carry.") from error


def _check_timestamp(timestamp: int) -> None:
    if not 0 <= timestamp <= MAX_TIMESTAMP:
        raise NotANote(f"A cosignature cannot be of the second {timestamp}.")


def _typed(algorithm: int, public_key: bytes) -> bytes:
    return algorithm.to_bytes(1, "big") + public_key


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")


def _from_base64(text: str) -> bytes | None:
    """Return what the one canonical spelling (RFC 4648, 4) stands for, or None."""
    try:
        raw = base64.b64decode(text, validate=True)
    except ValueError:
        return None
    return raw if _base64(raw) == text else None
