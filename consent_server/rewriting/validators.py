"""Validators: a page that is kept is asked for again once it would be rewritten otherwise.

Whoever keeps an answer may ask whether it has changed (RFC 9110, 13). The application knows
nothing of us, and says no of pages that went out before we stood there, or before a service was
published. So the plan is a part of each entity tag that goes out, and is taken off one that
comes in.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Final

#: Of what is there: a page, one with our policy, a module.
PAGE, POLICED, MODULE = "p", "q", "m"
#: How the application's own tag was: weak, strong, or not there at all.
_WEAK, _STRONG, _NONE = "w", "s", "n"
_TAG: Final = re.compile(r'(W/)?"([^"]*)"|\*')
#: Servers that compress write something behind it.
_OURS: Final = re.compile(r"(.*)~c([pqm])([wsn])([0-9a-f]{12})[^~]*")
_CONDITIONS: Final = ("if-none-match", "if-modified-since", "range", "if-range")

Headers = list[tuple[str, str]]


class Validators:
    """Those of one request and of its answer."""

    def __init__(self, mark: str, page: str, asked: Mapping[str, str], *, is_wanted: bool) -> None:
        #: What the plan is called, and of what sort a page of this request is.
        self._mark = mark
        self._page = page
        #: Whether it is likely a page or script that is asked for: only our own tags hold then.
        self._is_wanted = is_wanted
        self._asked = {name: asked[name] for name in _CONDITIONS if name in asked}
        #: The application's tag -> ours; "" where it has none.
        self._known: dict[str, str] = {}

    def asked(self) -> dict[str, str]:
        """Return the conditions that the application is asked with; others must not reach it."""
        asked = dict(self._asked)
        if self._is_wanted:
            # A piece of a page cannot be read.
            asked.pop("range", None)
            asked.pop("if-range", None)
        given = [found[0] for found in _TAG.finditer(asked.pop("if-none-match", ""))]
        passed = [own for tag in given for own in self._read(tag)]
        if passed:
            asked["if-none-match"] = ", ".join(passed)
        is_stale = len(passed) < len(given) or (self._is_wanted and not given)
        if is_stale and not self._known:
            asked.pop("if-modified-since", None)
        return asked

    def _read(self, tag: str) -> Iterable[str]:
        ours = _OURS.fullmatch(tag.removeprefix("W/").strip('"'))
        if ours is None:
            return () if self._is_wanted else (tag,)
        opaque, sort, strength, mark = ours.groups()
        if mark != self._mark or sort not in {self._page, MODULE}:
            return ()
        own = "" if strength == _NONE else f'{"W/" if strength == _WEAK else ""}"{opaque}"'
        self._known[own] = tag
        return (own,) if own else ()

    def of_rewritten(self, headers: Headers, sort: str) -> Headers:
        """Return the headers of what is rewritten, with a tag that holds as long as the plan."""
        given = next((value for name, value in headers if name.lower() == "etag"), "")
        dated = next((value for name, value in headers if name.lower() == "last-modified"), "")
        kept = [(name, value) for name, value in headers if name.lower() != "etag"]
        found = _TAG.fullmatch(given.strip())
        if found and found[2] is not None:
            opaque, strength = found[2], _WEAK if found[1] else _STRONG
        elif dated:
            opaque, strength = hashlib.sha256(dated.encode()).hexdigest()[:12], _NONE
        else:
            return kept
        return [*kept, ("ETag", f'W/"{opaque}~c{sort}{strength}{self._mark}"')]

    def of_unchanged(self, headers: Headers) -> Headers:
        """Return the headers of an answer without content: the tag is that of what is kept."""
        if not self._known:
            return headers
        kept = [(name, value) for name, value in headers if name.lower() != "etag"]
        given = next((value.strip() for name, value in headers if name.lower() == "etag"), "")
        ours = self._match(given)
        return headers if ours is None else [*kept, ("ETag", ours)]

    def _match(self, given: str) -> str | None:
        plain = given.removeprefix("W/")
        known = self._known.items()
        return next((ours for own, ours in known if own.removeprefix("W/") == plain), None)
