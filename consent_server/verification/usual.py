"""Usual: a record as nearly all of them are, read by one match.

What matches has one spelling only, in JSON, in its leaf and in CSV: each text needs no escape in
JSON and no quotes in CSV, and no spreadsheet would run it. What does not match is no finding; it
is read by the parsers, which say what is wrong.
"""

from __future__ import annotations

import re
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple

from consent_server.verification.events import RECORD_FIELDS, RECORD_LEAF
from consent_server.verification.findings import Broken
from consent_server.verification.spelling import as_written, canonical, read_line

_TEXT = r'"((?:[0-9A-Za-z][0-9A-Za-z_:.-]*)?)"'
_NUMBER = r"(0|[1-9][0-9]{0,14})"  # all of these are below 2**53
_OBJECT = r"(\{[^{}]*\})"
_SALT = r'(?:"([0-9a-f]{64})"|null)'
_KINDS = {str: _TEXT, int: _NUMBER, dict: _OBJECT}
_PATTERNS = {name: _KINDS[kind] for name, kind in RECORD_LEAF.items()} | {
    "leaf_hash": _TEXT,
    "salt": _SALT,
    "leaf_index": _NUMBER,
}
_LINE = re.compile(
    r"\{" + ",".join(f'"{name}":{_PATTERNS[name]}' for name in RECORD_FIELDS) + r"\}", re.ASCII
)
_AT = {name: at for at, name in enumerate(RECORD_FIELDS)}
_NUMBERS = tuple(_AT[name] for name in RECORD_FIELDS if _PATTERNS[name] is _NUMBER)
_OBJECTS = tuple(_AT[name] for name in RECORD_FIELDS if _PATTERNS[name] is _OBJECT)
# Names of a leaf are sorted (RFC 8785, 3.2.3).
_SORTED = sorted(RECORD_LEAF)
_IN_LEAF = itemgetter(*(_AT[name] for name in _SORTED))
_LEAF = (
    "{"
    + ",".join(f'"{name}":"%s"' if RECORD_LEAF[name] is str else f'"{name}":%s' for name in _SORTED)
    + "}"
)


class Usual(NamedTuple):
    """A record, and what its leaf and its row in records.csv are made of."""

    record: dict[str, Any]
    leaf: bytes
    row: bytes


def read_usual(line: bytes) -> Usual | None:
    """Return the record of a line of records.jsonl, if it is as most are."""
    try:
        found = _LINE.fullmatch(line.decode("ascii"))
    except UnicodeDecodeError:
        return None
    if not found:
        return None
    cells = found.groups("")
    values: list[Any] = list(cells)
    if not cells[_AT["salt"]]:
        values[_AT["salt"]] = None
    leaf, row = list(cells), list(cells)
    for at in _NUMBERS:
        values[at] = int(cells[at])
    for at in _OBJECTS:
        read = _read_object(cells[at])
        if read is None:
            return None
        values[at], leaf[at], row[at] = read
    return Usual(
        dict(zip(RECORD_FIELDS, values, strict=True)),
        (_LEAF % _IN_LEAF(leaf)).encode(),
        ",".join(row).encode(),
    )


@lru_cache(maxsize=4096)
def _read_object(text: str) -> tuple[dict[str, Any], str, str] | None:
    """Return an object, its spelling in a leaf and in CSV; many records say the same."""
    try:
        value = read_line(text.encode())
        spelled = canonical(value).decode()
    except Broken:
        return None
    cell = as_written(value)
    return value, spelled, '"' + cell.replace('"', '""') + '"' if value else cell
