"""Documentation: its pages taken apart, for the tests that hold them against the product."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).parents[1]

_FENCE = re.compile(
    r"^(?:<!-- tested: (?P<test>[a-z-]+) -->\n)?```(?P<kind>\w*)\n(?P<text>.*?)^```$", re.M | re.S
)
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_CODE = re.compile(r"`([^`\n]+)`")
_PIPE = re.compile(r"(?<!\\)\|")


@dataclass(frozen=True)
class Block:
    """A fenced block; `test` is the name by which a test asks for it."""

    test: str
    kind: str
    text: str


@dataclass(frozen=True)
class Page:
    """One page."""

    file: Path

    @property
    def name(self) -> str:
        """Its path from the root."""
        return self.file.relative_to(ROOT).as_posix()

    @cached_property
    def text(self) -> str:
        """The page as it is written."""
        return self.file.read_text("utf-8")

    @property
    def blocks(self) -> list[Block]:
        """Every fenced block."""
        return [
            Block(one["test"] or "", one["kind"], one["text"]) for one in _FENCE.finditer(self.text)
        ]

    @property
    def prose(self) -> str:
        """The page without its fenced blocks."""
        return _FENCE.sub("", self.text)

    @property
    def links(self) -> list[str]:
        """Targets of links and images."""
        return _LINK.findall(self.prose)

    @property
    def codes(self) -> list[str]:
        """What stands in backticks."""
        return _CODE.findall(self.prose)

    @property
    def anchors(self) -> set[str]:
        """The names that headings can be linked by."""
        headings = re.findall(r"^#+ (.+)$", self.prose, re.M)
        return {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in headings}

    def tested(self, test: str) -> list[str]:
        """The blocks that carry the mark of a test; at least one."""
        found = [block.text for block in self.blocks if block.test == test]
        assert found, f"{self.name} has no block for {test}"
        return found

    def section(self, heading: str) -> str:
        """What stands below a heading, up to the next heading."""
        _, found, rest = f"\n{self.prose}".partition(f"\n{heading}\n")
        assert found, f"{self.name} has no heading {heading}"
        return re.split(r"^#+ ", rest, maxsplit=1, flags=re.M)[0]

    def table(self, heading: str) -> list[list[str]]:
        """The rows of the first table below a heading, its header left out."""
        lines = re.search(r"(?:^\|.*\|\n)+", self.section(heading), re.M)
        assert lines, f"{self.name} has no table below {heading}"
        return [
            [cell.strip() for cell in _PIPE.split(line)[1:-1]] for line in lines[0].splitlines()[2:]
        ]


def page(name: str) -> Page:
    """Return a page by its path from the root."""
    return Page(ROOT / name)


def all_pages() -> list[Page]:
    """Return every page that ships."""
    files = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    return [Page(file) for file in sorted(files)]


def codes(text: str) -> list[str]:
    """Return what stands in backticks in a piece of a page."""
    return _CODE.findall(text)


def code(cell: str) -> str:
    """Return a cell without its backticks."""
    return cell.strip("`")
