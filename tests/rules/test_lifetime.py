"""Lifetimes: what a site file may say of a stored item."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent_server.rules.lifetime import Lifetime, parse_lifetime


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("30min", Lifetime(30, "minute")),
        ("24h", Lifetime(24, "hour")),
        ("1d", Lifetime(1, "day")),
        ("2w", Lifetime(2, "week")),
        ("14mo", Lifetime(14, "month")),
        ("99999y", Lifetime(99999, "year")),
        ("session", Lifetime(0, "session")),
        ("persistent", Lifetime(0, "persistent")),
    ],
)
def test_a_lifetime_is_a_number_of_one_unit(text: str, expected: Lifetime) -> None:
    assert parse_lifetime(text) == expected


@pytest.mark.parametrize(
    "text", ["", "0d", "d", "1", "1 d", "-1d", "1.5y", "1m", "100000d", "٣d", "1d\n", "Session"]
)
def test_anything_else_is_none(text: str) -> None:
    assert parse_lifetime(text) is None


@given(st.text(max_size=12))
def test_reading_never_raises(text: str) -> None:
    found = parse_lifetime(text)
    assert found is None or found.number >= 0
