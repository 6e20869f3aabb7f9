"""Lifetimes of stored items: `2y`, `30min`, `session`, `persistent`."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

_PATTERN = re.compile(r"([1-9]\d{0,4})(min|h|d|w|mo|y)", re.ASCII)
#: The whole grammar, for forms.
LIFETIME_PATTERN = rf"^(session|persistent|{_PATTERN.pattern})$"
#: Lifetimes that end by themselves after a known time.
MEASURED_PATTERN = rf"^{_PATTERN.pattern}$"
UNITS = {"min": "minute", "h": "hour", "d": "day", "w": "week", "mo": "month", "y": "year"}
_MONTHS = {"month": 1, "year": 12}
_FIRST = datetime(1, 1, 1, tzinfo=UTC)


class Lifetime(NamedTuple):
    """A number of one unit; `unit` is `session` or `persistent` with number 0."""

    number: int
    unit: str


def parse_lifetime(text: str) -> Lifetime | None:
    """Return the parsed lifetime, or None where `text` is none."""
    if text in {"session", "persistent"}:
        return Lifetime(0, text)
    match = _PATTERN.fullmatch(text)
    return Lifetime(int(match[1]), UNITS[match[2]]) if match else None


def began_before(lifetime: Lifetime, now: datetime) -> datetime:
    """Return the time such that whatever began before it has outlived `lifetime`.

    Months and years are those of the calendar: two years before 29 February is 28
    February. Never earlier than the year 1.
    """
    if lifetime.unit not in _MONTHS:
        span = timedelta(**{f"{lifetime.unit}s": lifetime.number})
        return now - span if now - _FIRST > span else _FIRST
    months = now.year * 12 + now.month - 1 - lifetime.number * _MONTHS[lifetime.unit]
    year, month = months // 12, months % 12 + 1
    if year < 1:
        return _FIRST
    return now.replace(year=year, month=month, day=min(now.day, monthrange(year, month)[1]))


def least_days(lifetime: Lifetime) -> int:
    """Return how many whole days a lifetime has at least, whenever it begins."""
    ends = (datetime(2027, month, 1, tzinfo=UTC) for month in range(1, 13))
    return min((end - began_before(lifetime, end)).days for end in ends)
