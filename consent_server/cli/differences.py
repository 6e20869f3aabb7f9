"""Differences of two versions, for people: added, removed, changed."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import click

from consent_server.sites import Change

_WIDTH = 100
#: How much of what stayed the same stands before the first difference.
_BEFORE = 24
_COLOURS = {"+": "green", "-": "red", "~": "yellow"}


def print_changes(changes: Iterable[Change]) -> None:
    """Print one entry for each change, in colour on a terminal."""
    for change in changes:
        for line in describe_change(change):
            click.echo(click.style(line, fg=_COLOURS.get(line.lstrip()[0])))


def describe_change(change: Change) -> list[str]:
    """Return the lines of a change; long values are cut to where they differ."""
    if change.old is None:
        return [f"  + {change.path}: {_shorten(_spell(change.new))}"]
    if change.new is None:
        return [f"  - {change.path}: {_shorten(_spell(change.old))}"]
    old, new = _spell(change.old), _spell(change.new)
    if len(old) + len(new) + len(change.path) <= _WIDTH:
        return [f"  ~ {change.path}: {old} -> {new}"]
    start = max(0, _same(old, new) - _BEFORE)
    start = start if max(len(old), len(new)) > _WIDTH else 0
    return [
        f"  ~ {change.path}:",
        f"    - {_shorten(old, start)}",
        f"    + {_shorten(new, start)}",
    ]


def _spell(value: Any) -> str:
    """Spell a value as JSON that cannot move the cursor or turn the text round."""
    text = json.dumps(value, ensure_ascii=False)
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)


def _same(old: str, new: str) -> int:
    """Return how many characters the two begin with alike."""
    pairs = zip(old, new, strict=False)
    return next((at for at, (one, other) in enumerate(pairs) if one != other), 0)


def _shorten(text: str, start: int = 0) -> str:
    cut = f"…{text[start:]}" if start else text
    return cut if len(cut) <= _WIDTH else f"{cut[: _WIDTH - 1]}…"
