"""Shadow roots that a page declares: what is held in them must be found again to be released."""

from __future__ import annotations

from collections import Counter
from typing import Final

from consent_server.rewriting.reader import Reader
from consent_server.rewriting.tags import Tag

_MODE: Final = b"shadowrootmode"
_MODES: Final = frozenset({"open", "closed"})
#: A closed root in which nothing is held so far is kept for so long.
_KEPT_BYTES: Final = 1_048_576


def is_root(tag: Tag) -> bool:
    """Tell whether a template becomes the shadow root of what it stands in."""
    return tag.name == b"template" and (tag.get(_MODE) or "").lower() in _MODES


class ShadowRoot:
    """A root on its way out; a closed one is opened when something in it must wait.

    No script can look into a closed root that the page declares, so nothing could be
    released there. Of two attributes of one name the first counts.
    """

    def __init__(self, tag: Tag, inner: Reader, changes: Counter[tuple[str, str]]) -> None:
        #: Reads the content and stops at its end.
        self.inner = inner
        self.changes = changes
        self._tag = tag
        self._kept: list[bytes] = []
        self._is_told = False

    def feed(self, chunk: bytes, *, final: bool) -> bytes:
        """Take the next bytes; return what is decided."""
        inner = self.inner
        self._kept.append(inner.feed(chunk))
        if final and not inner.is_over:
            self._kept.append(inner.finish())
        is_open = (self._tag.get(_MODE) or "").lower() == "open"
        is_long = sum(map(len, self._kept)) > _KEPT_BYTES
        if not (self._is_told or is_open or self.changes or inner.is_over or final or is_long):
            return b""
        if not self._is_told:
            must_open = bool(self.changes) and not is_open
            self._kept.insert(0, self._opened() if must_open else self._tag.source)
            self._is_told = True
        out = b"".join(self._kept)
        self._kept.clear()
        return out

    def _opened(self) -> bytes:
        place = 1 + len(self._tag.name)
        source = self._tag.source
        return source[:place] + b" " + _MODE + b'="open"' + source[place:]
