"""Reasons of the gaps: what the engine does before, or instead of, what script can do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

READ_AHEAD: Final = (
    "The browser's preload scanner asks for what it reads in the mark-up before any script can "
    "act. The code does not run and stores nothing."
)
DECLARE_IT: Final = (
    "The page's own file imports it; a script sees only the file. Declare the file, "
    "or name its address in a service."
)
OPEN: Final = "Not held yet. Declare it."

#: Level 1, request before the decision: what stands in the mark-up and is read ahead.
REQUESTED: Final[Mapping[str, str]] = {
    "own-module-that-imports": DECLARE_IT,
}


def reason_of(case: str, level: str, family: str, verdicts: list[str]) -> str:
    """The reason that the documentation gives for one gap."""
    if case in REQUESTED:
        return REQUESTED[case]
    if level in {"gate", "strict"} and verdicts == ["requested"]:
        return READ_AHEAD if family in _READ_AHEAD_FAMILIES else OPEN
    return OPEN


_READ_AHEAD_FAMILIES = frozenset({"parser", "resources", "vendor snippets"})
