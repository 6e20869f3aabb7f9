"""Matching: which service an address or an inline script belongs to."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

from consent_server.connectors import is_held
from consent_server.rewriting.addresses import read_inline, split_address
from consent_server.rewriting.snippets import CALLS, SNIPPET_BYTES
from consent_server.rules.decision import NECESSARY

#: The key of what no service covers; no site has it, so nothing ever grants it.
UNLISTED: Final = "unlisted"
_MAX_KNOWN: Final = 10_000
_BEFORE: Final = rb"(?<![\w.-])"
_NOT_LONGER: Final = rb"(?![\w-]|\.\w)"
_IMPORTED: Final = re.compile(rb"\b(?:import|from)\s*+(?:\(\s*+)?[\"'`]([^\"'`\n]+)")


class Matcher:
    """What a site's services may be asked for, ready to be looked up many times."""

    def __init__(
        self, services: Iterable[Mapping[str, Any]], *, strict: bool, allowed: Collection[str]
    ) -> None:
        self._strict = strict
        self._paths: dict[str, str | None] = {}
        self._hosts: dict[str, str | None] = {}
        self._needles: list[tuple[bytes, re.Pattern[bytes], str, int]] = []
        self._known: dict[tuple[str, str], str | None] = {}
        for service in services:
            self._learn(service)
        # An allowed host never hides a service that the visitor decides on.
        for host in allowed:
            self._hosts.setdefault(host.lower(), None)

    def key_of(self, address: str, base: str = "") -> str | None:
        """Return what the address waits for: a `data-consent` key, or None for nothing."""
        found = split_address(address)
        if found is None and (content := read_inline(address)) is not None:
            return " ".join(self.keys_in(content)) or None
        if found is None and base:
            found = split_address(base)
        if found is None:
            return None
        if found not in self._known:
            if len(self._known) >= _MAX_KNOWN:
                self._known.clear()
            self._known[found] = self._look_up(*found)
        return self._known[found]

    def keys_in(self, text: bytes) -> list[str]:
        """Return the keys of the services that an inline script (or style) names or calls."""
        found = {
            key: None
            for needle, pattern, key, limit in self._needles
            if needle in text and len(text) <= limit and pattern.search(text)
        }
        return list(found)

    def keys_of_imports(self, text: bytes, names: Mapping[str, str | None]) -> list[str]:
        """Return what the modules that a script imports wait for; `names` are a map's.

        An import is all that no script can stop, so here unlisted hosts count, too.
        """
        if b"import" not in text and b"export" not in text:
            return []
        found = [
            names[address] if address in names else self.key_of(address)
            for address in (one[1].decode("latin-1") for one in _IMPORTED.finditer(text))
        ]
        return [key for keys in found if keys for key in keys.split()]

    def _look_up(self, host: str, path: str) -> str | None:
        place = f"{host}{path}"
        prefixes = [prefix for prefix in self._paths if place.startswith(prefix)]
        if prefixes:
            return self._paths[max(prefixes, key=len)]
        if host in self._hosts:
            return self._hosts[host]
        labels = host.split(".")
        for start in range(1, len(labels)):
            wildcard = "*." + ".".join(labels[start:])
            if wildcard in self._hosts:
                return self._hosts[wildcard]
        return UNLISTED if self._strict else None

    def _learn(self, service: Mapping[str, Any]) -> None:
        held = service["category"] != NECESSARY and is_held(service)
        key = f"service:{service['key']}" if held else None
        self._paths.update(dict.fromkeys(service["paths"], key))
        self._hosts.update(dict.fromkeys(service["hosts"], key))
        if key is None:
            return
        for host in service["hosts"]:
            bare = host.removeprefix("*.").encode()
            # Snippets put the first label before it: (... ? "//ssl" : "//www") + ".x.example".
            before = rb"[\w\"'`-]\." if host.startswith("*.") else _BEFORE
            self._add(bare, before + re.escape(bare) + _NOT_LONGER, key)
        for path in service["paths"]:
            # JSON may escape its slashes.
            parts = [re.escape(part.encode()) for part in path.split("/")]
            self._add(path.split("/")[0].encode(), _BEFORE + rb"\\?/".join(parts), key)
        for needle, pattern in CALLS.get(service["key"], ()):
            self._add(needle, pattern, key, SNIPPET_BYTES)

    def _add(self, needle: bytes, pattern: bytes, key: str, limit: int = 1 << 62) -> None:
        self._needles.append((needle, re.compile(pattern), key, limit))
