"""Rewriter: a page in, chunk by chunk, and out again with its trackers inert."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from consent_server.rewriting import grammar
from consent_server.rewriting.plan import RewritePlan
from consent_server.rewriting.reader import TAIL, Reader
from consent_server.rewriting.script_text import ScriptText
from consent_server.rewriting.shadow import ShadowRoot, is_root
from consent_server.rewriting.tags import Tag, enclosed, hold_handled, hold_inside, hold_loading
from consent_server.rewriting.texts import (
    LINKS,
    Place,
    code_of_drawn,
    hold_drawn_script,
    hold_script,
    hold_style,
    is_run,
    keys_of_script,
)

#: How much of an inline script or sheet is kept to decide on it.
COLLECTED_BYTES: Final = 1_048_576
#: Shadow roots that are deeper in each other are held, and not opened.
_DEEPEST_ROOT: Final = 32
#: Elements that need something put behind their end tag.
_WITH_END_TAG: Final = frozenset({b"style", b"iframe"})


def rewrite(
    chunks: Iterable[bytes], plan: RewritePlan, *, whole: bool | None = None, nonce: str = ""
) -> Iterator[bytes]:
    """Yield the page with our tag first in its head and what belongs to a service held.

    `whole` says whether this is a page (True) or a piece of one (False: no tag is put
    in); None looks at how it begins. Memory is bounded by what the page holds in one tag,
    one inline script or one style sheet.
    """
    rewriter = Rewriter(plan, whole=whole, nonce=nonce)
    for chunk in chunks:
        if out := rewriter.feed(chunk):
            yield out
    if out := rewriter.finish():
        yield out


class Rewriter(Reader):
    """The state between two chunks; `changes` and `put_tag_in` are for reports."""

    def __init__(
        self,
        plan: RewritePlan,
        *,
        whole: bool | None = None,
        by_script: bool = False,
        nonce: str = "",
        inside: bytes = b"",
    ) -> None:
        self._plan = plan
        self._matcher = plan.matcher
        self._tag = plan.tag(nonce)
        self._whole = whole
        #: Whether a script asked for it, so that it begins as a page more often than it is one.
        self._by_script = by_script
        self._inside = inside
        self.changes: Counter[tuple[str, str]] = Counter()
        self.put_tag_in = False
        self._collected: Tag | None = None
        #: Names of the page's import maps, and what they wait for.
        self._imports: dict[str, str | None] = {}
        self._root: ShadowRoot | None = None
        self._noscript: Rewriter | None = None
        self._depth = 0
        until = inside if inside == b"template" else b""
        super().__init__(self._begin if whole is not False else self._read, until)

    # -- before the head ------------------------------------------------------------------

    def _begin(self) -> bool:
        found = grammar.BEFORE_HEAD.match(self._buffer)
        end = found.end() if found else 0
        tag = grammar.TAG.match(self._buffer, end)
        if not tag and not self._final and self._is_open(end):
            return False
        is_head = bool(tag and not tag[1] and tag[2].lower() == b"head")
        begins = grammar.IS_WHOLE_DOCUMENT if self._by_script else grammar.IS_DOCUMENT
        if self._whole is None and not is_head and not begins.match(self._buffer):
            self._step = self._read
            return True
        self._copy(tag.end() if tag and is_head else end)
        self._step = self._insert
        return True

    def _is_open(self, place: int) -> bool:
        """Whether what begins there may still become a token before the head."""
        rest = self._buffer[place : place + 2]
        return rest in {b"", b"<"} or (
            rest[:1] == b"<" and (rest[1:].isalpha() or rest[1] in b"/!?")
        )

    def _insert(self) -> bool:
        """Put our tag in, unless it is the next thing there."""
        found = grammar.BLANKS.match(self._buffer, self._place)
        start = found.end() if found else self._place
        tag = grammar.TAG.match(self._buffer, start)
        if not tag and not self._final and self._may_be_script(start):
            return False
        own = (
            tag is not None
            and tag[2].lower() == b"script"
            and Tag(b"script", tag[0]).get(b"src") == self._plan.script_url
        )
        if not own:
            self._out.append(self._tag)
            self.put_tag_in = True
        self._step = self._read
        return True

    def _may_be_script(self, start: int) -> bool:
        return b"<script".startswith(self._buffer[start : start + 7].lower())

    def _open(self, tag: Tag, end: int, *, is_foreign: bool) -> None:
        if tag.name == b"script":
            self._start_script(tag, end, is_foreign=is_foreign)
        elif tag.name == b"noscript" and not (is_foreign or self._declared or tag.is_declared):
            self._copy(end)
            if self._inside != b"noscript":  # without script there is no other one inside
                self._noscript = self._within(b"noscript")
                self._step = self._pass_noscript
        elif is_root(tag) and not (is_foreign or self._declared or self._depth >= _DEEPEST_ROOT):
            inner = self._within(b"template")
            self._root = ShadowRoot(tag, inner, inner.changes)
            self._place = end
            self._step = self._pass_root
        elif not (is_foreign and tag.closes_itself) and self._collects(tag):
            self._collected = tag
            self._place = end
            self._text_name = tag.name
            self._script.place = end
            self._step = self._collect
        else:
            self._hold(tag, end)
            if not is_foreign and tag.name in grammar.TEXT_ELEMENTS:
                self._text_name = tag.name
                self._step = self._pass_text

    def _within(self, inside: bytes) -> Rewriter:
        inner = Rewriter(self._plan, whole=False, inside=inside)
        inner._base = self._base
        inner._imports = self._imports
        inner._depth = self._depth + 1
        return inner

    def _pass_noscript(self) -> bool:
        """Read mark-up up to the end tag, which ends it wherever it stands."""
        inner = self._noscript
        if inner is None:  # pragma: no cover (only set together with this step)
            raise AssertionError
        found = grammar.text_end(b"noscript").search(self._buffer, self._place)
        is_over = found is not None or self._final
        end = found.start() if found else len(self._buffer) - (0 if is_over else TAIL)
        if end > self._place:
            self._out.append(inner.feed(self._buffer[self._place : end]))
            self._place = end
        if is_over:
            self._out.append(inner.finish())
            self.changes.update(inner.changes)
            self._noscript = None
            self._step = self._read
        return is_over

    def _pass_root(self) -> bool:
        root = self._root
        if root is None:  # pragma: no cover (only set together with this step)
            raise AssertionError
        rest = self._buffer[self._place :]
        self._place = len(self._buffer)
        if rest or self._final:
            self._out.append(root.feed(rest, final=self._final))
        inner = root.inner
        if inner.is_over or self._final:
            self.changes.update(root.changes)
            self._buffer, self._place = inner.take_rest(), 0
            self._step = self._read
        return inner.is_over

    def _hold(self, tag: Tag, end: int) -> None:
        held = None
        if self._declared and tag.name in grammar.LOADING:
            held = hold_inside(tag, self._matcher, self._base)
        elif tag.name in grammar.LOADING:
            held = None if self._is_foreign else hold_handled(tag, self._matcher, self._base)
            held = held or hold_loading(tag, self._matcher, self._base)
        self._put(tag.name, held, end)

    def _put(self, name: bytes, held: tuple[bytes, list[str]] | None, end: int) -> None:
        if held is None:
            self._copy(end)
            return
        source, keys = held
        self._out.append(source)
        self._place = end
        self._count(name, keys)

    # -- scripts and texts ----------------------------------------------------------------

    def _start_script(self, tag: Tag, end: int, *, is_foreign: bool) -> None:
        self._script = ScriptText(end)
        if not is_foreign:
            self._step = self._pass_script
        # What we take for HTML may be a drawing, and the other way round: both are held.
        source = tag.get(b"src")
        link = _link_of(tag) if is_foreign or source is None else None
        address = source if link is None else link
        if self._declared or tag.is_declared or not is_run(tag):
            self._copy(end)
        elif address is not None:
            key = self._matcher.key_of(address, self._base)
            keys = key.split() if key else []
            hold = hold_script if link is None else hold_drawn_script
            self._put(b"script", (hold(tag, keys), keys) if keys else None, end)
        elif is_foreign and tag.closes_itself:
            self._copy(end)
        else:
            self._collected = tag
            self._place = end
            self._step = self._collect

    def _collects(self, tag: Tag) -> bool:
        """Whether the content decides on what becomes of the element."""
        if self._declared or tag.is_declared:
            return False
        if self._is_foreign:
            return tag.name == b"style"
        if tag.name == b"iframe":
            return bool(self._keys_of_frame(tag))
        return tag.name == b"style"

    def _collect(self) -> bool:
        """Wait for the whole text of an element, then decide."""
        tag = self._collected
        if tag is None:  # pragma: no cover (only set together with this step)
            raise AssertionError
        end = self._find_text_end(tag)
        after = end if end is None or tag.name not in _WITH_END_TAG else self._end_tag(end)
        is_whole = after is not None
        if not is_whole and not self._final and len(self._buffer) - self._place < COLLECTED_BYTES:
            return False
        end = len(self._buffer) if end is None else end
        self._collected = None
        self._step = self._pass_script if tag.name == b"script" else self._pass_text
        if self._is_foreign and tag.name == b"script":
            self._decide_drawn(tag, end, after)
        else:
            self._decide(tag, end, after)
        return True

    def _decide_drawn(self, tag: Tag, end: int, after: int | None) -> None:
        """Put out the start tag of a script in SVG; its text is read on as mark-up."""
        self._step = self._read
        code = None if after is None else code_of_drawn(self._buffer[self._place : end])
        keys = [] if code is None else keys_of_script(tag, code, self._matcher, self._imports)
        self._out.append(hold_drawn_script(tag, keys, code or b"") if keys else tag.source)
        self._count(tag.name, keys)

    def _decide(self, tag: Tag, end: int, after: int | None) -> None:
        """Put out an element whose text ends at `end` and whose end tag ends at `after`."""
        text = self._buffer[self._place : end]
        if tag.name == b"script":
            keys = keys_of_script(tag, text, self._matcher, self._imports)
            self._out.append(hold_script(tag, keys) if keys else tag.source)
            self._count(tag.name, keys)
        elif tag.name == b"style":
            self._decide_style(tag, text, end, after)
        else:
            self._decide_frame(tag, after)

    def _decide_style(self, tag: Tag, text: bytes, end: int, after: int | None) -> None:
        self._out.append(tag.source)
        is_foreign = self._is_foreign
        if is_foreign:
            # What stands in there is mark-up, not the text of a sheet.
            self._step = self._read
            if b"<" in text or b"&" in text:
                return
        place: Place = "drawing" if is_foreign else "page"
        if self._inside == b"template" and not is_foreign:
            place = "root"
        held = hold_style(tag, text, self._matcher, self._base, place)
        # A sheet that is not whole cannot be followed by anything.
        if held is None or (after is None and not self._final):
            return
        kept, script, keys = held
        end_tag = b"</style>" if after is None else self._buffer[end:after]
        self._out += [kept, end_tag]
        # Without script a browser shows the noscript, and nothing can release.
        if self._inside != b"noscript":
            self._out.append(script)
        self._count(tag.name, keys)
        self._place = len(self._buffer) if after is None else after
        self._step = self._read

    def _decide_frame(self, tag: Tag, after: int | None) -> None:
        """Hold a frame that carries its page: no attribute can be released to bring that back."""
        keys = self._keys_of_frame(tag)
        self._count(tag.name, keys)
        if after is None:
            # Without its end it would swallow the page in a template. Nothing brings this back.
            self._out.append(tag.held(keys, {b"src", b"srcdoc"}))
            return
        self._out.append(enclosed(tag.source + self._buffer[self._place : after], keys))
        self._place = after
        self._step = self._read

    def _keys_of_frame(self, tag: Tag) -> list[str]:
        content = tag.get(b"srcdoc") or ""
        return self._matcher.keys_in(content.encode("latin-1", "replace"))

    def _count(self, name: bytes, keys: list[str]) -> None:
        for key in keys:
            self.changes[name.decode(), key] += 1


def _link_of(tag: Tag) -> str | None:
    return next((found for name in LINKS if (found := tag.get(name)) is not None), None)
