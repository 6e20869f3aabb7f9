"""Foreign content: SVG and MathML in a page, where other rules hold (HTML standard, 13.2.6.5)."""

from __future__ import annotations

from typing import Final

from consent_server.rewriting import grammar
from consent_server.rewriting.tags import Tag

_ROOTS: Final = frozenset({b"svg", b"math"})
_HTML_IN_XML: Final = frozenset({"text/html", "application/xhtml+xml"})
_BREAK_OUT_OF_FONT: Final = frozenset({b"color", b"face", b"size"})


class ForeignContent:
    """The open elements of SVG and MathML; kept are those only that can be mistaken for HTML."""

    def __init__(self) -> None:
        #: Names, and whether what stands inside is HTML again.
        self._open: list[tuple[bytes, bool]] = []

    def __len__(self) -> int:
        return len(self._open)

    @property
    def is_here(self) -> bool:
        """Whether what comes next is SVG or MathML."""
        return bool(self._open) and not self._open[-1][1]

    def holds(self, name: bytes) -> bool:
        """Whether an element of that name is open."""
        return any(one == name for one, _ in self._open)

    def start(self, tag: Tag) -> bool:
        """Take a start tag; return whether it is one of the elements around the drawing itself."""
        if self.is_here and _breaks_out(tag):
            self.leave()
        is_point = self.is_here and self._is_point(tag)
        is_around = tag.name in _ROOTS or is_point
        if (self.is_here or is_around) and not tag.closes_itself:
            self._open.append((tag.name, is_point))
        return is_around

    def end(self, name: bytes) -> None:
        """Take an end tag, of HTML perhaps: that closes what is open inside of its element."""
        if self.holds(name) and name not in {b"p", b"br"}:
            while self._open.pop()[0] != name:
                pass
        elif self.is_here and name not in grammar.INTEGRATION_POINTS | _ROOTS:
            self.leave()

    def leave(self) -> None:
        """Go back to the HTML around."""
        while self.is_here:
            self._open.pop()

    def cut(self, count: int) -> None:
        """Forget all that was opened later."""
        del self._open[count:]

    def _is_point(self, tag: Tag) -> bool:
        root = next((name for name, _ in reversed(self._open) if name in _ROOTS), b"")
        if root == b"svg":
            return tag.name in grammar.SVG_POINTS
        if tag.name == b"annotation-xml":
            return (tag.get(b"encoding") or "").lower() in _HTML_IN_XML
        return tag.name in grammar.MATH_POINTS


def _breaks_out(tag: Tag) -> bool:
    if tag.name == b"font":
        return any(one.name in _BREAK_OUT_OF_FONT for one in tag.attributes)
    return tag.name in grammar.BREAKOUTS
