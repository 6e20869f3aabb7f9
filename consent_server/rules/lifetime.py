"""Lifetimes of stored items: `2y`, `30min`, `session`, `persistent`."""

from __future__ import annotations

import re
from typing import NamedTuple

_PATTERN = re.compile(r"([1-9]\d{0,4})(min|h|d|w|mo|y)", re.ASCII)
#: The whole grammar, for forms.
LIFETIME_PATTERN = rf"^(session|persistent|{_PATTERN.pattern})$"
UNITS = {"min": "minute", "h": "hour", "d": "day", "w": "week", "mo": "month", "y": "year"}


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
