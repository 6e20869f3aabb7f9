"""Reader: the tokens of a page that comes in chunks, and where in the tree they stand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from consent_server.rewriting import grammar
from consent_server.rewriting.foreign import ForeignContent
from consent_server.rewriting.script_text import ScriptText
from consent_server.rewriting.tags import Tag

#: Kept at the end of text that passes, since its end may be cut in two.
TAIL: Final = 16


class Reader:
    """Copies a page; what opens an element that matters is told to `_open`."""

    def __init__(self, first: Callable[[], bool] | None = None, until: bytes = b"") -> None:
        #: Whether the end tag was met at which reading was to stop; the rest is kept.
        self.is_over = False
        self._until = until
        self._buffer = b""
        self._place = 0
        self._final = False
        self._out: list[bytes] = []
        self._base = ""
        self._foreign = ForeignContent()
        #: Open templates: whether the owner declared them, and what was open of drawings.
        self._templates: list[tuple[bool, int]] = []
        self._declared = 0
        self._script = ScriptText()
        self._text_name = b""
        self._step: Callable[[], bool] = first or self._read

    def feed(self, chunk: bytes) -> bytes:
        """Take the next bytes; return what is decided."""
        self._buffer += chunk
        # Every token but text ends in ">": nothing can be decided before there is one, unless it
        # is a comment, of which what is there goes out.
        is_tag = self._buffer[:1] == b"<" and self._buffer[:4] != grammar.COMMENT_START
        if is_tag and b">" not in chunk and self._step == self._read:
            return b""
        return self._run()

    def finish(self) -> bytes:
        """Return what is left."""
        self._final = True
        out = self._run()
        return out + self.take_rest()

    def take_rest(self) -> bytes:
        """Return what stands from the end tag on."""
        rest, self._buffer = self._buffer, b""
        return rest

    def _run(self) -> bytes:
        while self._step():
            pass
        self._buffer = self._buffer[self._place :]
        self._script.dropped(self._place)
        self._place = 0
        out = b"".join(self._out)
        self._out.clear()
        return out

    def _copy(self, until: int) -> None:
        if until > self._place:
            self._out.append(self._buffer[self._place : until])
            self._place = until

    def _open(self, tag: Tag, end: int, *, is_foreign: bool) -> None:
        """Put out a start tag that ends at `end`, and say how to go on."""
        raise NotImplementedError

    def _read(self) -> bool:
        pattern = grammar.UNEVENTFUL_BASED if self._base else grammar.UNEVENTFUL
        if self._foreign:
            is_here = self._foreign.is_here
            pattern = grammar.UNEVENTFUL_FOREIGN if is_here else grammar.UNEVENTFUL_INSIDE
        found = pattern.match(self._buffer, self._place)
        if found:
            self._copy(found.end())
        if self._place >= len(self._buffer):
            return False
        tag = grammar.TAG.match(self._buffer, self._place)
        if tag is None:
            return self._read_comment()
        name = tag[2].lower()
        if tag[1]:
            is_drawn = self._foreign.holds(b"template")
            self.is_over = name == self._until and not self._templates and not is_drawn
            if self.is_over:
                return False
            self._end(name)
            self._copy(tag.end())
        else:
            self._start(Tag(name, tag[0]), tag.end())
        return True

    def _read_comment(self) -> bool:
        if not self._buffer.startswith(grammar.COMMENT_START, self._place):
            return False
        if len(self._buffer) - self._place < len(b"<!--->"):
            return False
        self._copy(self._place + len(grammar.COMMENT_START))
        self._step = self._pass_comment
        return True

    def _pass_comment(self) -> bool:
        found = grammar.COMMENT_END.search(self._buffer, self._place)
        if found is None:
            self._copy(len(self._buffer) - len(b"--!"))
            return False
        self._copy(found.end())
        self._step = self._read
        return True

    def _end(self, name: bytes) -> None:
        if name == b"template" and self._templates and not self._foreign.holds(name):
            is_declared, foreign = self._templates.pop()
            self._declared -= is_declared
            self._foreign.cut(foreign)
        elif self._foreign:
            self._foreign.end(name)

    @property
    def _is_foreign(self) -> bool:
        """Whether what stands here is SVG or MathML."""
        return self._foreign.is_here

    def _start(self, tag: Tag, end: int) -> None:
        if self._foreign.start(tag):
            self._copy(end)
            return
        is_foreign = self._is_foreign
        if tag.name == b"template" and not is_foreign:
            self._templates.append((tag.is_declared, len(self._foreign)))
            self._declared += tag.is_declared
        elif tag.name == b"base" and not self._base:
            self._base = tag.get(b"href") or ""
        elif tag.name == b"plaintext" and not is_foreign:
            self._step = self._pass_rest
        self._open(tag, end, is_foreign=is_foreign)

    def _find_text_end(self, tag: Tag) -> int | None:
        if tag.name == b"script":
            return self._script.find_end(self._buffer)
        found = grammar.text_end(tag.name).search(self._buffer, self._script.place)
        if found is None:
            self._script.place = max(self._script.place, len(self._buffer) - TAIL)
        return found.start() if found else None

    def _end_tag(self, place: int) -> int | None:
        found = grammar.TAG.match(self._buffer, place)
        return found.end() if found else None

    def _pass_script(self) -> bool:
        end = self._script.find_end(self._buffer)
        self._copy(self._script.place if end is None else end)
        if end is None:
            return False
        self._step = self._read
        return True

    def _pass_text(self) -> bool:
        found = grammar.text_end(self._text_name).search(self._buffer, self._place)
        if found is None:
            self._copy(len(self._buffer) - TAIL)
            return False
        self._copy(found.start())
        self._step = self._read
        return True

    def _pass_rest(self) -> bool:
        self._copy(len(self._buffer))
        return False
