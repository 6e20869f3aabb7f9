"""Record: what the whole matrix showed last, as committed beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from .case import Engine
from .measure import Measured
from .pages import Level
from .verdicts import Verdict

FILE = Path(__file__).with_name("measured.json")

#: case -> verdicts that failed there.
Gaps = dict[str, list[Verdict]]
#: Beside the levels: "silent" (cases that do nothing without us) and "missing" (level -> families
#: that were not walked when the record was made; a whole run leaves none).
BESIDE = ("silent", "missing")


def read_record() -> dict[Engine, dict[str, Gaps]]:
    """Engine -> level (and "silent") -> gaps."""
    found: dict[Engine, dict[str, Gaps]] = json.loads(FILE.read_text("utf-8"))
    return found


def gaps_of(measured: Measured, level: Level) -> Gaps:
    """The gaps of one level, verdicts in their order."""
    return {
        case: list(found)
        for (where, case), found in sorted(measured.failures.items())
        if where == level
    }


def write_record(engine: Engine, measured: Measured, levels: Sequence[Level]) -> None:
    """Keep what an engine showed; the other engines and levels stay as they are."""
    record = read_record() if FILE.exists() else {}
    entry = record.setdefault(engine, {})
    entry["missing"] = {}
    entry["silent"] = {case: [] for case in sorted(measured.silent)}
    for level in levels:
        entry[level] = gaps_of(measured, level)
    FILE.write_text(_to_text(record), "utf-8")


def _to_text(record: Mapping[Engine, Mapping[str, Gaps]]) -> str:
    return json.dumps(record, indent=1, sort_keys=True) + "\n"
