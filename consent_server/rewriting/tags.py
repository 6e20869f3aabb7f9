"""Tags: how a start tag is made inert, every other byte of it kept."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Final

from consent_server.rewriting.addresses import read_value
from consent_server.rewriting.grammar import ATTRIBUTES, LOADING, VOID
from consent_server.rewriting.matching import Matcher

#: Types that a browser runs or obeys; any other makes a block of data (widget/src/scripts.ts).
RUNS: Final = re.compile(
    r"(?:|module|importmap|speculationrules|.*(?:java|ecma|j|live)script[\d.]*)",
    re.IGNORECASE | re.DOTALL,
)
#: `rel` words by which a browser fetches or connects without being asked.
FETCHING: Final = frozenset(
    {"stylesheet", "preload", "modulepreload", "prefetch", "prerender", "preconnect"}
    | {"dns-prefetch", "icon", "apple-touch-icon", "apple-touch-icon-precomposed"}
    | {"mask-icon", "manifest", "compression-dictionary"}
)
#: Pieces of an address with commas are no addresses of other hosts.
CANDIDATE: Final = re.compile(r"[^\s,]+")
#: Without one of these a tag cannot name another host.
_SIGNS_OF_A_HOST: Final = re.compile(
    rb"//|[&\\\n\r\t]|(?:https?|wss?|ftp|data|javascript|blob):", re.IGNORECASE
)
PREFIX: Final = b"data-consent-"


@dataclass(frozen=True)
class Attribute:
    """An attribute in its tag: lower-case name, where the name stands, the value as written."""

    name: bytes
    start: int
    end: int
    written: bytes

    @property
    def value(self) -> str:
        """What it says."""
        return read_value(self.written)


@dataclass(frozen=True)
class Tag:
    """A complete start tag."""

    name: bytes
    source: bytes

    @cached_property
    def attributes(self) -> list[Attribute]:
        """Every attribute as it is written, doubles included."""
        return [
            Attribute(found[1].lower(), found.start(1), found.end(1), found[2] or b"")
            for found in self._written()
        ]

    def get(self, name: bytes) -> str | None:
        """Return what the first attribute of that name says, as a browser reads it."""
        return next((a.value for a in self.attributes if a.name == name), None)

    @property
    def is_declared(self) -> bool:
        """Whether the owner said what it waits for; then nothing of it is changed."""
        return any(a.name == b"data-consent" for a in self.attributes)

    @property
    def closes_itself(self) -> bool:
        """Whether it ends in "/>", which counts in SVG and MathML only."""
        if not self.source.endswith(b"/>"):
            return False
        # In <svg width=1/> the slash belongs to the value.
        last = deque(self._written(), maxlen=1)
        return not last or last[0].end() < len(self.source) - 1

    def _written(self) -> Iterator[re.Match[bytes]]:
        return ATTRIBUTES.finditer(self.source, 1 + len(self.name), len(self.source) - 1)

    @property
    def may_name_a_host(self) -> bool:
        """Cheap look before the attributes are read."""
        return _SIGNS_OF_A_HOST.search(self.source) is not None

    def held(
        self,
        keys: Iterable[str],
        renamed: Iterable[bytes],
        added: bytes = b"",
        become: Mapping[bytes, bytes] = MappingProxyType({}),
    ) -> bytes:
        """Return the tag with those attributes held, waiting for the keys; without, for others'."""
        names = set(renamed)
        place = 1 + len(self.name)
        waits = " ".join(keys).encode()
        parts = [self.source[:place], added, b' data-consent="%s"' % waits if waits else b""]
        for attribute in self.attributes:
            if attribute.name in names:
                parts += [self.source[place : attribute.start], PREFIX]
                # Script can set only the plain spelling, which SVG 2 prefers anyway.
                parts.append(become.get(attribute.name) or attribute.name.removeprefix(b"xlink:"))
                place = attribute.end
        parts.append(self.source[place:])
        return b"".join(parts)


def hold_loading(tag: Tag, matcher: Matcher, base: str) -> tuple[bytes, list[str]] | None:
    """Return the tag without what would load from a held service; None to leave it."""
    renamed = _find_held(tag, matcher, base)
    if not renamed:
        return None
    found = _keys_in(renamed)
    if b"imagesrcset" in renamed:
        # A browser looks at a list of pictures only when the link comes into the page.
        return enclosed(tag.held((), renamed), found), found
    return tag.held(found, renamed), found


def hold_inside(tag: Tag, matcher: Matcher, base: str) -> tuple[bytes, list[str]] | None:
    """Return an element of a held template without its addresses: Firefox reads ahead there.

    It waits for what the template waits for.
    """
    renamed = _find_held(tag, matcher, base)
    return (tag.held((), renamed), _keys_in(renamed)) if renamed else None


def hold_handled(tag: Tag, matcher: Matcher, base: str) -> tuple[bytes, list[str]] | None:
    """Return an element without content in a template, where what it loads by itself imports.

    What else a handler does waits at the gate. An import does not, and what the handler
    waits for is past once the visitor has answered.
    """
    if tag.name not in VOID or b"import" not in tag.source or tag.is_declared:
        return None
    handlers = [tag.get(name) or "" for name in (b"onload", b"onerror")]
    texts = [handler.encode("latin-1", "replace") for handler in handlers]
    keys = [key for text in texts for key in matcher.keys_of_imports(text, {})]
    found = list(dict.fromkeys(keys))
    if not found:
        return None
    return enclosed(tag.held((), _find_held(tag, matcher, base)), found), found


def enclosed(element: bytes, keys: Iterable[str]) -> bytes:
    """Return an element in a template that is put in its place once the keys are granted."""
    return b'<template data-consent="%s">%s</template>' % (" ".join(keys).encode(), element)


def _find_held(tag: Tag, matcher: Matcher, base: str) -> dict[bytes, list[str]]:
    """Return the attributes that would load from a held service, and what each waits for."""
    if not (tag.may_name_a_host or base) or tag.is_declared or not _loads(tag):
        return {}
    values = ((name, tag.get(name)) for name in LOADING[tag.name])
    found = {name: _keys_of(name, said, matcher, base) for name, said in values if said is not None}
    return {name: keys for name, keys in found.items() if keys}


def _keys_in(renamed: Mapping[bytes, list[str]]) -> list[str]:
    return list(dict.fromkeys(key for keys in renamed.values() for key in keys))


def _loads(tag: Tag) -> bool:
    if tag.name == b"input":
        return (tag.get(b"type") or "").lower() == "image"
    if tag.name == b"link":
        return not FETCHING.isdisjoint((tag.get(b"rel") or "").lower().split())
    return True


def _keys_of(name: bytes, value: str, matcher: Matcher, base: str) -> list[str]:
    addresses = CANDIDATE.findall(value) if name.endswith(b"srcset") else [value]
    found = (matcher.key_of(address, base) for address in addresses)
    return list(dict.fromkeys(key for keys in found if keys for key in keys.split()))
