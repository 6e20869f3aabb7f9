"""Spelling: JSON that can be read in one way only."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from consent_server.rules.canonical import NotCanonical, canonical_json
from consent_server.verification.findings import Broken

#: 2**53 - 1 has 16 digits; RFC 8785 knows no larger number.
_MAX_DIGITS = 16
_MAX_SAFE_INTEGER = 2**53 - 1


def read_line(line: bytes) -> dict[str, Any]:
    """Return the object of one line. Raises Broken.

    The line must be its only spelling: no blanks, no needless escapes, no name twice,
    no fraction.
    """
    try:
        text = line.decode()
        value = _STRICT.decode(text)
        same = _AS_WRITTEN.encode(value) == text
    except (ValueError, RecursionError) as error:
        raise Broken(f"is no JSON of this format ({error})") from error
    if not same:
        raise Broken("is spelled in another way than this format has, or has a name twice")
    if not isinstance(value, dict):
        raise Broken("is no JSON object")
    return value


def read_document(raw: bytes) -> dict[str, Any]:
    """Return the object of a file, in any layout but with each name once. Raises Broken."""
    return _read(raw, _DOCUMENT)


def read_foreign(raw: bytes) -> dict[str, Any]:
    """Return the object of a file that others wrote; a fraction in it is a text. Raises Broken."""
    return _read(raw, _FOREIGN)


def as_written(value: Any) -> str:
    """Return the one spelling that lines of this format have."""
    return _AS_WRITTEN.encode(value)


def canonical(entry: dict[str, Any]) -> bytes:
    """Return canonical JSON (RFC 8785), quickly. Raises Broken.

    Names sorted by code points are sorted by UTF-16 units as long as they are ASCII.
    """
    text = _SORTED.encode(entry)
    if text.isascii():
        return text.encode("ascii")
    try:
        return canonical_json(entry)
    except NotCanonical as error:
        raise Broken(str(error)) from error


def _read(raw: bytes, decoder: json.JSONDecoder) -> dict[str, Any]:
    try:
        value = decoder.decode(raw.decode())
    except (ValueError, RecursionError) as error:
        raise Broken(f"is no JSON of this format ({error})") from error
    if not isinstance(value, dict):
        raise Broken("is no JSON object")
    return value


def _refuse(text: str) -> NoReturn:
    raise ValueError(f"{text} is no whole number")


def _whole(text: str) -> int:
    if len(text) > _MAX_DIGITS + 1 or abs(int(text)) > _MAX_SAFE_INTEGER:
        raise ValueError(f"{text[:40]} is beyond 2**53 - 1")
    return int(text)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name stands twice")
    return members


_STRICT = json.JSONDecoder(parse_float=_refuse, parse_constant=_refuse, parse_int=_whole)
_DOCUMENT = json.JSONDecoder(
    parse_float=_refuse, parse_constant=_refuse, parse_int=_whole, object_pairs_hook=_once
)
_FOREIGN = json.JSONDecoder(parse_float=str, parse_int=_whole, object_pairs_hook=_once)
# What was read from a text holds nothing that contains itself.
_AS_WRITTEN = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False)
_SORTED = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), check_circular=False, sort_keys=True
)
