"""Kinds: what an answer is to a browser, by its `Content-Type` or by how it begins."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Protocol

#: Types that say nothing: browsers look at the content (MIME Sniffing, 7).
_UNSAID: Final = frozenset({"", "*/*", "unknown/unknown", "application/unknown"})
_ONE: Final = re.compile(r"""(?:"(?:[^"\\]|\\.)*"?|[^,"])+""")
_ESSENCE: Final = re.compile(r"[^\s;,(]*")
_CHARSET: Final = re.compile(r""";\s*charset\s*=\s*["']?\s*([^\s"';,]+)""", re.IGNORECASE)
#: How HTML begins that no header tells of (MIME Sniffing, 7.1), and how many bytes are looked at.
_BEGINS_HTML: Final = re.compile(
    rb"[\t\n\f\r ]*<(?:!--|(?:!doctype html|html|head|script|iframe|h1|div|font|table|a|style"
    rb"|title|b|body|br|p)[ >])",
    re.IGNORECASE,
)
_LONGEST: Final = len("<!doctype html>")
_LOOKED_AT: Final = 1445


@dataclass(frozen=True)
class Kind:
    """A media type and the encoding that it names, "" for what nothing is said of."""

    essence: str
    charset: str


def read_kind(values: Iterable[str]) -> Kind:
    """Return what `Content-Type` says; of several the last (Fetch, "extract a MIME type").

    What browsers read leniently is read so: "text/html charset=utf-8" is HTML.
    """
    kind = Kind("", "")
    for value in _ONE.findall(",".join(values)):
        found = _ESSENCE.match(value.strip())
        essence = found[0].lower() if found else ""
        if "/" not in essence or essence in _UNSAID:
            continue
        named = _CHARSET.search(value)
        kept = kind.charset if essence == kind.essence else ""
        kind = Kind(essence, named[1].lower() if named else kept)
    return kind


class Body(Protocol):
    """What takes an answer's body in chunks."""

    def feed(self, chunk: bytes) -> bytes:
        """Take the next bytes; return what is decided."""

    def finish(self) -> bytes:
        """Return what is left."""


class Unsaid:
    """A body of which nothing is said: rewritten where browsers would take it for HTML."""

    def __init__(self, page: Callable[[], Body]) -> None:
        self._page = page
        self._body: Body | None = None
        self._beginning = b""
        self._is_decided = False

    def feed(self, chunk: bytes) -> bytes:
        """Take the next bytes; return what is decided."""
        if self._is_decided:
            return chunk if self._body is None else self._body.feed(chunk)
        self._beginning += chunk
        begins = self._beginning.lstrip(b"\t\n\f\r ")
        may_be = not begins or (begins[:1] == b"<" and len(begins) < _LONGEST)
        if may_be and len(self._beginning) < _LOOKED_AT and not self._is_html:
            return b""
        return self._decide()

    def finish(self) -> bytes:
        """Return what is left."""
        rest = b"" if self._is_decided else self._decide()
        return rest if self._body is None else rest + self._body.finish()

    @property
    def _is_html(self) -> bool:
        return _BEGINS_HTML.match(self._beginning) is not None

    def _decide(self) -> bytes:
        self._is_decided = True
        beginning, self._beginning = self._beginning, b""
        if _BEGINS_HTML.match(beginning) is None:
            return beginning
        self._body = self._page()
        return self._body.feed(beginning)
