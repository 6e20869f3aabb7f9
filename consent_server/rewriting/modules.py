"""Modules: a site's own JavaScript whose imports fetch from a service, made to wait for it.

Only what stands first in a module is read: comments, directives, `import` and
`export ... from`. Bundlers write them there, and nothing before them can be mistaken.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Final

from consent_server.rewriting.matching import Matcher
from consent_server.rewriting.plan import RewritePlan
from consent_server.rewriting.rewriter import COLLECTED_BYTES

_BLANK: Final = rb"(?:\s++|//[^\n]*+\n|/\*(?:[^*]++|\*(?!/))*+\*/)*+"
_STRING: Final = rb"""(?:"[^"\\\n]*"|'[^'\\\n]*')"""
_NAMES: Final = rb"\{[^{}]*\}"
_CLAUSE: Final = (
    rb"(?:(?P<default>[\w$]+)(?:\s*,\s*|(?=\s*\bfrom\b)))?"
    rb"(?:\*\s*as\s+(?P<space>[\w$]+)|(?P<names>" + _NAMES + rb"))?"
)
#: `import`s for their effect or with names, and `export ... from`; one with attributes is left.
_DECLARATION: Final = re.compile(
    rb"(?:import\b\s*+(?:" + _CLAUSE + rb"\s*+\bfrom\b\s*+)?"
    rb"|export\b\s*(?:\*(?:\s*as\s+(?P<given>[\w$]+))?|(?P<passed>" + _NAMES + rb"))\s*\bfrom\b\s*)"
    rb"(?P<address>" + _STRING + rb")(?P<attributes>\s*\b(?:with|assert)\s*\{[^{}]*\})?[^\S\n]*;?"
)
_FIRST: Final = re.compile(
    rb"(?:\xef\xbb\xbf)?" + _BLANK + rb"(?:" + _STRING + rb"[^\S\n]*;?" + _BLANK + rb")*+"
)
#: What may still become a declaration when more of it is there.
_UNDECIDED: Final = re.compile(rb"$|[/\"']|i(?:m(?:p|$)|$)|e(?:x(?:p|$)|$)")
_NAME: Final = re.compile(rb"([\w$]+|" + _STRING + rb")(?:\s+as\s+([\w$]+|" + _STRING + rb"))?")

#: Puts a held script in the page: its order, release and withdrawal are those of every other.
#: A worker has nobody to ask, and waits for ever.
_WAIT: Final = rb"""
function consentImport(keys, address) {
  return new Promise((done) => {
    if (!self.document) return;
    const url = new URL(address, import.meta.url).href;
    const script = document.createElement("script");
    const own = document.querySelector("script[nonce]");
    if (own) script.nonce = own.nonce;
    script.type = "text/plain";
    script.setAttribute("data-consent", keys);
    script.setAttribute("data-consent-type", "module");
    script.setAttribute("data-consent-src", url);
    const go = (event) => event.target.src === url && done(import(url));
    for (const name of ["load", "error"]) document.addEventListener(name, go, true);
    document.head.append(script);
  });
}
"""


class ModuleRewriter:
    """Takes a script in chunks; one that imports from no service goes out as it came in."""

    def __init__(self, plan: RewritePlan) -> None:
        self._matcher: Matcher = plan.matcher
        self._buffer = b""
        self._is_read = False
        self._looks_at = 0
        self.changes: Counter[tuple[str, str]] = Counter()

    def feed(self, chunk: bytes) -> bytes:
        """Take the next bytes; return what is decided."""
        if self._is_read:
            return chunk
        self._buffer += chunk
        size = len(self._buffer)
        if size < self._looks_at or (size < COLLECTED_BYTES and self._may_import()):
            return b""
        return self.finish()

    def _may_import(self) -> bool:
        # Looked at again when twice as much is there, so that no script is read often.
        self._looks_at = min(2 * len(self._buffer), COLLECTED_BYTES)
        return _UNDECIDED.match(self._buffer, _end_of_blank(self._buffer, 0)) is not None

    def finish(self) -> bytes:
        """Return what is left."""
        self._is_read = True
        code, self._buffer = self._buffer, b""
        out: list[bytes] = []
        place = _end_of_blank(code, 0)
        out.append(code[:place])
        while found := _DECLARATION.match(code, place):
            out.append(self._declare(found))
            place = _end_of_blank(code, found.end())
            out.append(code[found.end() : place])
        out.append(code[place:])
        if self.changes:
            out.append(_WAIT)
        return b"".join(out)

    def _declare(self, found: re.Match[bytes]) -> bytes:
        address = found["address"][1:-1].decode("latin-1")
        keys = self._matcher.key_of(address)
        if keys is None or found["attributes"]:
            return found[0]
        for key in keys.split():
            self.changes["module", key] += 1
        number = sum(self.changes.values())
        wait = b"await consentImport(%s,%s)" % (json.dumps(keys).encode(), found["address"])
        return _names_of(found, wait, b"consent%d" % number) + b"\n" * found[0].count(b"\n")


def _end_of_blank(code: bytes, place: int) -> int:
    found = _FIRST.match(code, place)
    return found.end() if found else place


def _names_of(found: re.Match[bytes], wait: bytes, own: bytes) -> bytes:
    """Return the declarations that give the same names as the import did."""
    if found["given"]:
        return b"const %s=%s;export{%s as %s};" % (own, wait, own, found["given"])
    if found["passed"]:
        names = _pairs(found["passed"])
        taken = b",".join(b"%s:%s_%d" % (name, own, at) for at, (name, _) in enumerate(names))
        given = b",".join(b"%s_%d as %s" % (own, at, name) for at, (_, name) in enumerate(names))
        return b"const {%s}=%s;export{%s};" % (taken, wait, given)
    taken = b",".join(b"%s:%s" % pair for pair in _pairs(found["names"] or b""))
    if found["default"]:
        taken = b"default:" + found["default"] + (b"," + taken if taken else b"")
    if not taken and not found["space"]:
        return wait + b";"
    space = found["space"] or own
    return b"const %s=%s,{%s}=%s;" % (space, wait, taken, space)


def _pairs(names: bytes) -> list[tuple[bytes, bytes]]:
    return [(one[1], one[2] or one[1]) for one in _NAME.finditer(names)]
