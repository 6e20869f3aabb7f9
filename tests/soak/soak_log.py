"""The log of a long run: printed as it grows, and kept where `SOAK_LOGS` names a folder."""

from __future__ import annotations

import os
import platform
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path


@dataclass
class SoakLog:
    """What happened when, and what came of it."""

    name: str
    title: str
    lines: list[str] = field(default_factory=list)
    _began: float = field(default_factory=time.monotonic)
    _at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def say(self, text: str) -> None:
        """Add a line with the seconds since the beginning."""
        line = f"{time.monotonic() - self._began:8.1f} s  {text}"
        self.lines.append(line)
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()

    def keep(self) -> None:
        """Write it as a page, replacing that of an earlier run."""
        folder = os.environ.get("SOAK_LOGS")
        if not folder:
            return
        told = "\n".join(self.lines)
        page = (
            f"# {self.title}\n\n"
            f"The log of a run on {self._at:%d %B %Y}: {os.cpu_count()} processors, "
            f"{platform.system()}, Python {platform.python_version()}. "
            "Written by the run itself; [the table](README.md) says how to start one.\n\n"
            f"```\n{told}\n```\n"
        )
        Path(folder, f"{self.name}.md").write_text(page, encoding="utf-8")
