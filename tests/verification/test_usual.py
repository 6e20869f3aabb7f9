"""Usual records: what one match reads is what the parsers read, and all that it reads is."""

from __future__ import annotations

import csv
import io
import random
from contextlib import suppress
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from consent_server.audit import write_csv
from consent_server.rules.canonical import canonical_json
from consent_server.verification.events import BESIDE_LEAF, RECORD_FIELDS, RECORD_LEAF
from consent_server.verification.spelling import as_written, read_line
from consent_server.verification.usual import read_usual

from .logs import START, Log, record

_TEXTS = [name for name, kind in RECORD_LEAF.items() if kind is str] + ["leaf_hash"]
_WORDS = st.one_of(
    st.text(max_size=6), st.sampled_from(["", "=1", "a,b", 'a"b', "fi-FI", "'a", "\u2028", "\x7f"])
)
_OBJECTS = st.dictionaries(_WORDS, st.one_of(st.booleans(), _WORDS, st.integers()), max_size=4)


def _known() -> dict[str, Any]:
    log = Log()
    log.add(record(1, START, random.Random(1)))
    return log.records[0]


KNOWN = _known()
LINE = as_written(KNOWN).encode()


def _same_as_parsed(line: bytes) -> bool:
    """Compare both ways of reading, where the short one reads it at all. Raises Broken."""
    usual = read_usual(line)
    if usual is None:
        return False
    read = read_line(line)
    assert usual.record == read
    assert [type(one) for one in usual.record.values()] == [type(one) for one in read.values()]
    assert usual.leaf == canonical_json({k: v for k, v in read.items() if k not in BESIDE_LEAF})
    assert b"".join(write_csv([read], RECORD_FIELDS)).split(b"\r\n")[1] == usual.row
    [cells] = csv.reader(io.StringIO(usual.row.decode()), strict=True)
    assert not any(cell.startswith(tuple("=+-@\t\r\n'")) for cell in cells)
    return True


def test_a_record_as_the_server_writes_it_is_usual() -> None:
    assert tuple(KNOWN) == RECORD_FIELDS
    assert _same_as_parsed(LINE)
    for changes in (
        {"salt": None},
        {"signals": {"gpc": True}},
        {"region": "", "regime": "opt_out"},
    ):
        assert _same_as_parsed(as_written({**KNOWN, **changes}).encode())


def test_what_has_another_spelling_is_left_to_the_parsers() -> None:
    for changed in (
        LINE.replace(b'"kind":"given"', b'"kind": "given"'),
        LINE.replace(b'"kind":"given"', b'"kind":"\\u0067iven"'),
        LINE.replace(b'"version":1,', b'"version":01,'),
        LINE.replace(b'"version":1,', b'"version":1.0,'),
        LINE.replace(b'"version":1,', b'"version":9007199254740993,'),
        LINE.replace(b'"analytics":true', b'"analytics":true,"analytics":true'),
        LINE.replace(b'"salt":"', b'"salt":"0'),
        LINE + b" ",
        LINE.replace(b'"language":"fi"', b'"language":"=fi"'),
        LINE.replace(b'"language":"fi"', '"language":"fí"'.encode()),
    ):
        assert changed != LINE
        assert read_usual(changed) is None


@given(st.dictionaries(st.sampled_from(_TEXTS), _WORDS), _OBJECTS, _OBJECTS, st.integers())
def test_whatever_is_read_so_is_what_the_parsers_read(
    texts: dict[str, str], signals: dict[str, Any], grants: dict[str, Any], version: int
) -> None:
    changed = {**KNOWN, **texts, "signals": signals, "grants": grants, "version": version}
    with suppress(UnicodeEncodeError):  # half of a pair: no file can hold it
        _same_as_parsed(as_written(changed).encode())


@given(st.integers(0, len(LINE) - 1), st.binary(max_size=3), st.integers(0, 3))
def test_a_line_with_other_bytes_is_read_the_same_or_not_so(
    at: int, put: bytes, taken: int
) -> None:
    _same_as_parsed(LINE[:at] + put + LINE[at + taken :])
