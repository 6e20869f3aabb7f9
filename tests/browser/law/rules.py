"""Rules: what the law asks, where it says so, and what no test can tell."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Rule:
    """One part of docs/law.md; its tests are found by the id."""

    id: str
    asks: str
    source: str
    #: What a person has to judge, and why.
    judged: str = ""
    #: Tests of the same rule that stand where their subject is: file::name.
    elsewhere: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return self.id

    @property
    def prefix(self) -> str:
        """How the names of its tests begin."""
        if self.id.startswith("L"):
            return f"test_l{int(self.id[1:]):02}_"
        return f"test_section_{self.id.replace('.', '_')}_"


RULES = tuple(
    Rule(**rule)
    for rule in tomllib.loads(Path(__file__).with_name("rules.toml").read_text("utf-8"))["rule"]
)
