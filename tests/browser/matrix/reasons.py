"""Reasons of the gaps: what the engine does before, or instead of, what script can do."""

from __future__ import annotations

from typing import Final

READ_AHEAD: Final = (
    "The browser's preload scanner asks for what it reads in the mark-up before any script can "
    "act. The code does not run and stores nothing."
)
DECLARE_IT: Final = (
    "The page's own file imports it; a script sees only the file. Declare the file, "
    "or name its address in a service."
)
FRAME: Final = (
    "The browser opens a connection as soon as its parser meets the frame; what would come over it "
    "is stopped before it is there."
)
OPEN: Final = "Open: declare it."

_READ_AHEAD_FAMILIES = frozenset({"parser", "resources", "vendor snippets"})
_FRAMES = frozenset({"frame", "frame-hidden", "frame-lazy", "frame-sandboxed", "embed", "object"})
_IMPORTED = frozenset(
    {"own-module-that-imports", "worker-of-own-file", "shared-worker-of-own-file"}
)


def reason_of(case: str, level: str, family: str, verdicts: list[str]) -> str:
    """The reason that the documentation gives for one gap."""
    if case == "script-by-base" and level == "declared":
        return "The browser asks for the page's icon at its base address."
    if case in _IMPORTED:
        return DECLARE_IT
    if level in {"gate", "strict"} and verdicts == ["requested"]:
        if case in _FRAMES:
            return FRAME
        return READ_AHEAD if family in _READ_AHEAD_FAMILIES else OPEN
    return OPEN
