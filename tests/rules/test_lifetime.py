"""Lifetimes: what a site file may say of a stored item."""

from __future__ import annotations

from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent_server.rules.lifetime import Lifetime, began_before, least_days, parse_lifetime
from consent_server.rules.times import parse_time, spell_time


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


@pytest.mark.parametrize(
    ("text", "now", "expected"),
    [
        ("2y", "2026-11-25T10:13:26.123Z", "2024-11-25T10:13:26.123Z"),
        ("1y", "2028-02-29T00:00:00.000Z", "2027-02-28T00:00:00.000Z"),
        ("1mo", "2026-03-31T12:00:00.000Z", "2026-02-28T12:00:00.000Z"),
        ("14mo", "2026-01-15T12:00:00.000Z", "2024-11-15T12:00:00.000Z"),
        ("12mo", "2026-12-01T00:00:00.000Z", "2025-12-01T00:00:00.000Z"),
        ("3w", "2026-11-25T00:00:00.000Z", "2026-11-04T00:00:00.000Z"),
        ("36h", "2026-11-25T00:00:00.000Z", "2026-11-23T12:00:00.000Z"),
        ("90min", "2026-11-25T00:00:00.000Z", "2026-11-24T22:30:00.000Z"),
        ("99999y", "2026-11-25T00:00:00.000Z", "0001-01-01T00:00:00.000Z"),
        ("2025y", "2026-11-25T00:00:00.000Z", "0001-11-25T00:00:00.000Z"),
        ("2026y", "2026-11-25T00:00:00.000Z", "0001-01-01T00:00:00.000Z"),
        ("99999w", "0002-01-01T00:00:00.000Z", "0001-01-01T00:00:00.000Z"),
    ],
)
def test_what_began_before_has_outlived_it(text: str, now: str, expected: str) -> None:
    lifetime = parse_lifetime(text)
    assert lifetime
    assert spell_time(began_before(lifetime, parse_time(now))) == expected


@given(
    st.datetimes(timezones=st.just(UTC)),
    st.integers(1, 99_999),
    st.sampled_from(["minute", "hour", "day", "week", "month", "year"]),
)
def test_no_time_and_no_lifetime_is_too_much(now: object, number: int, unit: str) -> None:
    assert began_before(Lifetime(number, unit), now) <= now  # type: ignore[arg-type, operator]


@pytest.mark.parametrize(
    ("text", "days"),
    [("180d", 180), ("1d", 1), ("23h", 0), ("26w", 182), ("6mo", 181), ("12mo", 365), ("2y", 730)],
)
def test_a_lifetime_has_at_least_so_many_days(text: str, days: int) -> None:
    lifetime = parse_lifetime(text)
    assert lifetime
    assert least_days(lifetime) == days
