"""Targets: places outside that checkpoints go to, as the operator names them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from consent_server.errors import ConfigError
from consent_server.rules.note import COSIGNATURE, NotANote, VerifierKey, parse_verifier_key

#: What the table of pushes holds.
_MAX_TARGET = 300
_BLANK = re.compile(r"[\x00-\x20\x7f]|\s")
_EXPECTED = (
    "expected file:/path, https://... or witness:https://...#KEY, without blanks, and with what "
    "is not ASCII behind the host as %C3%B6"
)
_HERE = {"127.0.0.1", "localhost", "::1"}


class TargetKind(StrEnum):
    """How a checkpoint is handed over."""

    FILE = "file"
    WEBHOOK = "webhook"
    WITNESS = "witness"


@dataclass(frozen=True, slots=True)
class Target:
    """One place; `name` is how it was written."""

    kind: TargetKind
    name: str
    #: A path, or an address.
    address: str
    #: Of a witness.
    key: VerifierKey | None = None


def parse_targets(text: str) -> list[Target]:
    """Read CONSENT_CHECKPOINT_TARGETS; raises ConfigError."""
    return [_parse(one.strip()) for one in text.split(",") if one.strip()]


def witness_keys(text: str) -> list[VerifierKey]:
    """Return the keys of the witnesses among the targets, each once; raises ConfigError."""
    return list(dict.fromkeys(one.key for one in parse_targets(text) if one.key is not None))


def _parse(name: str) -> Target:
    if len(name) > _MAX_TARGET:
        raise _problem(name, f"longer than {_MAX_TARGET} characters")
    if name.startswith("file:"):
        path = name.removeprefix("file:")
        if not path.startswith("/"):
            raise _problem(name, "write the whole path, such as file:/var/backups/checkpoints")
        return Target(TargetKind.FILE, name, path)
    if name.startswith("witness:"):
        address, _, key = name.removeprefix("witness:").partition("#")
        return Target(TargetKind.WITNESS, name, _check(name, address), _parse_key(name, key))
    return Target(TargetKind.WEBHOOK, name, _check(name, name))


def is_safe_address(address: str) -> bool:
    """Tell whether it can be sent to, nothing in the clear, and no password stands in it."""
    try:
        parts = urlsplit(address)
        # A name with an empty label, or one of more than 63 characters, is none (RFC 1035, 2.3.4).
        (parts.hostname or "").encode("idna")
        secure = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _HERE)
        known = parts.port is None or parts.port > 0
    except ValueError:
        return False
    # Behind the host, as it goes into the request (RFC 3986, 2); `urlsplit` leaves out line ends.
    spelled = (parts.path + parts.query).isascii() and _BLANK.search(address) is None
    return secure and known and spelled and bool(parts.hostname) and parts.username is None


def _check(name: str, address: str) -> str:
    if not is_safe_address(address):
        raise _problem(name, _EXPECTED)
    return address


def _parse_key(name: str, text: str) -> VerifierKey:
    try:
        key = parse_verifier_key(text)
    except NotANote as error:
        raise _problem(name, f"behind # comes the witness's key. {error.detail}") from error
    if key.algorithm != COSIGNATURE:
        raise _problem(name, "this is a log's key, not a witness's")
    return key


def _problem(name: str, why: str) -> ConfigError:
    return ConfigError(f"CONSENT_CHECKPOINT_TARGETS: {name[:80]!r}: {why}")
