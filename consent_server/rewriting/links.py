"""Links: `Link` headers, by which a browser fetches and connects before it reads the page."""

from __future__ import annotations

import re
from typing import Final

from consent_server.rewriting.matching import Matcher
from consent_server.rewriting.tags import CANDIDATE, FETCHING

#: A link and what is said of it, without the comma behind (RFC 8288, 3).
_LINK: Final = re.compile(r"""\s*<([^>]*)>((?:"(?:[^"\\]|\\.)*"?|[^,"])*),?""")
_PARAMETER: Final = re.compile(
    r""";\s*(rel|imagesrcset)\s*=\s*(?:"((?:[^"\\]|\\.)*)"?|([^\s;,"]*))""", re.IGNORECASE
)


def without_held(value: str, matcher: Matcher) -> str:
    """Return a `Link` header without the links by which a browser would ask a held service."""
    links = list(_LINK.finditer(value))
    kept = [found for found in links if not _is_held(found[1], found[2], matcher)]
    if len(kept) == len(links):
        return value
    return ", ".join(f"<{found[1]}>{found[2].rstrip()}" for found in kept)


def _is_held(address: str, said: str, matcher: Matcher) -> bool:
    words: dict[str, str] = {}
    for found in _PARAMETER.finditer(said):
        words.setdefault(found[1].lower(), found[2] if found[2] is not None else found[3])
    if FETCHING.isdisjoint(words.get("rel", "").lower().split()):
        return False
    addresses = [address, *CANDIDATE.findall(words.get("imagesrcset", ""))]
    return any(matcher.key_of(one) for one in addresses)
