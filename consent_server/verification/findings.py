"""Findings: what a check found first, in words for whoever runs it."""

from __future__ import annotations

from typing import Any


class Broken(Exception):
    """The first thing that is wrong; nothing after it was looked at."""


class Misbehaved(Broken):
    """The log signed two things that cannot both be true; `evidence` shows it to anyone."""

    def __init__(self, message: str, evidence: dict[str, Any]) -> None:
        super().__init__(message)
        self.evidence = evidence
