"""Signing: the server's keys, kept in a folder of their own, and what they last signed."""

from __future__ import annotations

import base64
import fcntl
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from consent_server.errors import ConfigError
from consent_server.rules.note import ED25519, Note, VerifierKey
from consent_server.rules.times import parse_time, spell_time

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

#: Keys of checkpoints; those of other purposes lie beside them under other names.
LEDGER_KEYS = "ledger-keys.json"
_LOCK = ".lock"
_SEED_BYTES = 32
_OTHERS = 0o077


class KeyProblem(ConfigError):
    """The key folder cannot be used as it is; the message says what to do."""

    code, title = "signing_key", "The signing key cannot be used"


class KeyFolderClosed(ConfigError):
    """The system lets this process not read or write the key folder; the message names what."""

    code, title = "key_folder", "The key folder cannot be read and written"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One Ed25519 key (RFC 8032); `signs_until` is None for the one that holds."""

    seed: bytes
    created_at: datetime
    signs_until: datetime | None = None

    @property
    def public_key(self) -> bytes:
        """The 32 bytes that others verify with."""
        return _halves(self.seed)[1]

    def sign(self, message: bytes) -> bytes:
        """Return the 64 bytes of the signature."""
        return _halves(self.seed)[0].sign(message)

    def verifier(self, name: str, algorithm: int = ED25519) -> VerifierKey:
        """Return the public half under a log's name (C2SP signed-note)."""
        return VerifierKey(name, algorithm, self.public_key)


@dataclass(frozen=True, slots=True)
class Published:
    """The last checkpoint of a ledger that left this server."""

    origin: str
    size: int
    root: bytes
    sealed_at: datetime


class Signer:
    """The keys of one folder, oldest first; the last one holds."""

    def __init__(self, folder: Path, keys: tuple[SigningKey, ...]) -> None:
        self.folder = folder
        self.keys = keys

    def verifiers(self, origin: str) -> list[VerifierKey]:
        """Return the public half of every key, retired ones too, oldest first."""
        return [key.verifier(origin) for key in self.keys]

    def current(self, origin: str) -> VerifierKey:
        """Return the public half of the key that holds."""
        return self.keys[-1].verifier(origin)

    def sign(self, origin: str, text: str, now: datetime) -> Note:
        """Sign a checkpoint with the key that holds, and with those that it replaces for now."""
        note = Note(text)
        for key in self.keys:
            if key.signs_until is None or key.signs_until > now:
                note = note.sign(origin, key.verifier(origin).key_id, key.sign(text.encode()))
        return note

    def last_published(self, origin: str) -> Published | None:
        """Return what this server last published of a ledger; raises KeyProblem."""
        path = self._state(origin)
        try:
            with _reaching(self.folder):
                found = json.loads(path.read_bytes())
            return Published(
                origin=found["origin"],
                size=int(found["size"]),
                root=bytes.fromhex(found["root"]),
                sealed_at=parse_time(found["sealed_at"]),
            )
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError) as error:
            raise KeyProblem(
                f"{path} cannot be read ({error}). It says what was last published of "
                f"{origin}; without it a restored database could not be told from a true one. "
                "Bring it back from a backup of the key folder."
            ) from error

    def remember(self, published: Published) -> None:
        """Keep what was published; call it after the commit, never before."""
        state = {
            "origin": published.origin,
            "size": published.size,
            "root": published.root.hex(),
            "sealed_at": spell_time(published.sealed_at),
        }
        path = self._state(published.origin)
        with _reaching(self.folder), _one_at_a_time(self.folder):
            path.parent.mkdir(mode=0o700, exist_ok=True)
            earlier = self.last_published(published.origin)
            if earlier is None or earlier.size < published.size:
                with _writing(path) as part:
                    part.replace_with(state)

    def _state(self, origin: str) -> Path:
        name = hashlib.sha256(origin.encode()).hexdigest()[:32]
        return self.folder / "published" / f"{name}.json"


def open_signer(folder: Path, *, now: datetime, name: str = LEDGER_KEYS) -> Signer:
    """Return the keys of a folder; makes folder and first key where there is none.

    Raises KeyProblem when others may read the keys or a file is damaged, KeyFolderClosed when
    this process may not.
    """
    path = folder / name
    with _reaching(folder):
        if not path.exists():
            _make_folder(folder)
            _create(path, [SigningKey(os.urandom(_SEED_BYTES), now)])
        return Signer(folder, _read(path))


def find_signer(folder: Path, *, name: str = LEDGER_KEYS) -> Signer | None:
    """Return the keys of a folder, or None where none was ever made; raises as `open_signer`."""
    path = folder / name
    with _reaching(folder):
        return Signer(folder, _read(path)) if path.exists() else None


def rotate_key(folder: Path, *, now: datetime, until: datetime) -> Signer:
    """Make a new key that holds from now on; the old one signs beside it `until` then."""
    path = folder / LEDGER_KEYS
    with _reaching(folder):
        keys = [replace(key, signs_until=key.signs_until or until) for key in _read(path)]
        keys.append(SigningKey(os.urandom(_SEED_BYTES), now))
        with _writing(path) as part:
            part.replace_with(_spell(keys))
        return Signer(folder, _read(path))


def verify_signature(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Tell whether a signature is that of an Ed25519 key (RFC 8032, 5.1.7)."""
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 (as below)

    try:
        _ed25519().Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


@lru_cache(8)
def _halves(seed: bytes) -> tuple[Ed25519PrivateKey, bytes]:
    """Return both halves of a key; made once: decisions wait while the sealer asks for them."""
    private: Ed25519PrivateKey = _ed25519().Ed25519PrivateKey.from_private_bytes(seed)
    return private, private.public_key().public_bytes_raw()


def _ed25519() -> ModuleType:
    """Load it when it is needed: 8 MB, which few commands and no idle server have a use for."""
    from cryptography.hazmat.primitives.asymmetric import ed25519  # noqa: PLC0415

    return ed25519


@contextmanager
def _reaching(folder: Path) -> Iterator[None]:
    """Name the place and what to do where the system refuses; the log has no more of its errors."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        raise KeyFolderClosed(
            f"{error.filename or folder}: {error.strerror}. The user of the server must be able to "
            "read and write the key folder and all that is in it, or nothing is sealed. Run "
            f"commands as that user; where it is another's: chown -R USER {folder}; where the keys "
            "are elsewhere: set CONSENT_KEY_FOLDER."
        ) from error


def _make_folder(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def _read(path: Path) -> tuple[SigningKey, ...]:
    for place in (path.parent, path):
        mode = place.stat().st_mode & 0o777
        if os.name == "posix" and mode & _OTHERS:
            raise KeyProblem(
                f"{place} may be read by others (mode {mode:03o}). Whoever has the keys can sign "
                f"in your name. Take it back: chmod {'700' if place.is_dir() else '600'} {place}"
            )
    try:
        found = json.loads(path.read_bytes())["keys"]
        keys = tuple(_parse(one) for one in found)
    except (ValueError, KeyError, TypeError) as error:
        raise KeyProblem(
            f"{path} is not a key file ({error}). Bring it back from a backup."
        ) from error
    if not keys:
        raise KeyProblem(f"{path} holds no key. Bring it back from a backup.")
    return keys


def _parse(one: dict[str, Any]) -> SigningKey:
    seed = base64.b64decode(one["private_key"], validate=True)
    if len(seed) != _SEED_BYTES:
        raise ValueError(f"a private key has {_SEED_BYTES} bytes")
    until = one["signs_until"]
    return SigningKey(seed, parse_time(one["created_at"]), parse_time(until) if until else None)


def _spell(keys: list[SigningKey]) -> dict[str, Any]:
    return {
        "keys": [
            {
                "private_key": base64.b64encode(key.seed).decode("ascii"),
                "created_at": spell_time(key.created_at),
                "signs_until": spell_time(key.signs_until) if key.signs_until else None,
            }
            for key in keys
        ]
    }


def _create(path: Path, keys: list[SigningKey]) -> None:
    """Write the first key file; where another process was quicker, its keys hold."""
    with _writing(path) as part:
        part.create(_spell(keys))


class _Part:
    """A file that is complete on the disk before it gets its name."""

    def __init__(self, target: Path) -> None:
        self._target = target
        descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        self._descriptor = descriptor
        self.path = Path(name)

    def replace_with(self, content: dict[str, Any]) -> None:
        """Put the content in the target's place."""
        self._write(content)
        self.path.replace(self._target)
        _sync_folder(self._target.parent)

    def create(self, content: dict[str, Any]) -> None:
        """Make the target, unless it exists."""
        self._write(content)
        try:
            os.link(self.path, self._target)
        except FileExistsError:
            return
        _sync_folder(self._target.parent)

    def _write(self, content: dict[str, Any]) -> None:
        with os.fdopen(self._descriptor, "w", encoding="utf-8") as file:
            json.dump(content, file, indent=1)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())


@contextmanager
def _writing(target: Path) -> Iterator[_Part]:
    part = _Part(target)
    try:
        yield part
    finally:
        part.path.unlink(missing_ok=True)


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    """Let servers that share a folder look and write one after the other."""
    lock = None
    # Some shared folders have no locks; there it is as it would be without.
    with suppress(OSError):
        lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        yield
    finally:
        if lock is not None:
            os.close(lock)


def _sync_folder(folder: Path) -> None:
    """A new name is on the disk only once its folder is."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
