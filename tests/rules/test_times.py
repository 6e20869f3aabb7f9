"""Times: one spelling, UTC, never naive."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent_server.rules.times import NotATime, parse_time, spell_time, to_utc

zones = st.timedeltas(timedelta(hours=-14), timedelta(hours=14)).map(timezone)
moments = st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31), timezones=zones)


@given(moments)
def test_a_spelled_time_reads_back_to_the_millisecond(moment: datetime) -> None:
    assert parse_time(spell_time(moment)) == to_utc(moment)
    assert abs(moment - to_utc(moment)) < timedelta(milliseconds=1)


@given(st.lists(moments, min_size=2))
def test_spellings_sort_as_the_times_do(found: list[datetime]) -> None:
    assert sorted(map(spell_time, found)) == [spell_time(m) for m in sorted(found)]


@given(st.text(max_size=40))
def test_reading_gives_a_time_or_says_that_it_is_none(text: str) -> None:
    with contextlib.suppress(NotATime):
        assert parse_time(text).tzinfo is UTC


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("2026-11-22T16:47:00.123Z", "2026-11-22T16:47:00.123Z"),
        ("2026-11-22t16:47:00z", "2026-11-22T16:47:00.000Z"),
        ("2026-11-22T18:47:00.123987+02:00", "2026-11-22T16:47:00.123Z"),
        ("9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"),
    ],
)
def test_every_right_spelling_becomes_the_one(text: str, spelled: str) -> None:
    assert spell_time(parse_time(text)) == spelled


@pytest.mark.parametrize(
    "text",
    [
        "",
        "20261122",
        "2026-11-22",
        "2026-11-22 16:47:00Z",
        "2026-11-22T16:47:00",
        "2026-02-30T16:47:00Z",
        "2026-11-22T25:00:00Z",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "2026-11-22T16:47:00+99:00",
        "2026-11-22T16:47:00.Z",
        "٢٠٢٦-11-22T16:47:00Z",
        "2026-11-22T16:47:00Z\n",
    ],
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(NotATime):
        parse_time(text)


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(NotATime, match="without a zone"):
        to_utc(datetime(2026, 11, 22))
    with pytest.raises(NotATime, match="without a zone"):
        spell_time(datetime(2026, 11, 22))
