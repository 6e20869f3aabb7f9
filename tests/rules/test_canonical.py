"""Canonical JSON: the same bytes as the reference implementation, and no second spelling."""

from __future__ import annotations

import json
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from consent_server.rules.canonical import NotCanonical, canonical_json

SAFE = 2**53 - 1
words = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
leaves = st.none() | st.booleans() | st.integers(-SAFE, SAFE) | words
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=4)
)


@given(values)
def test_any_value_is_spelled_as_the_reference_implementation_spells_it(value: Any) -> None:
    assert canonical_json(value) == rfc8785.dumps(value)


@given(values)
def test_what_is_spelled_reads_back_as_it_was(value: Any) -> None:
    assert json.loads(canonical_json(value)) == value


def test_names_are_sorted_by_utf16_code_units() -> None:
    # RFC 8785, 3.2.3: the example of the standard itself.
    names = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6"]
    ordered = ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]
    assert list(json.loads(canonical_json(dict.fromkeys(names, 0)))) == ordered


def test_control_characters_are_escaped_the_short_way() -> None:
    assert canonical_json('\b\t\n\f\r\x1f\x7f"\\/') == b'"\\b\\t\\n\\f\\r\\u001f\x7f\\"\\\\/"'


@pytest.mark.parametrize(
    "value",
    [1.5, float("nan"), float("inf"), SAFE + 1, -SAFE - 1, b"bytes", {1: "a"}, {"a": {2}}],
    ids=repr,
)
def test_what_has_no_single_spelling_is_refused(value: Any) -> None:
    with pytest.raises(NotCanonical):
        canonical_json({"inside": [value]})


@pytest.mark.parametrize("value", ["\ud800", {"\udfff": 1}, ["a\ud83d"]], ids=ascii)
def test_a_lone_surrogate_is_refused(value: Any) -> None:
    with pytest.raises(NotCanonical, match="surrogate"):
        canonical_json(value)
