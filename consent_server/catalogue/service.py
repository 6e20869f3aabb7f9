"""Catalogued service: its provider, what it stores, which requests are its own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

#: Suggested places; a site may move a service, with a justification where the law asks for one.
CATEGORIES = ("necessary", "functional", "analytics", "marketing")


@dataclass(frozen=True, slots=True)
class Provider:
    """Legal person that provides the service to customers in the EEA."""

    name: str
    country: str
    address: str
    policy: str
    transfers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Processor:
    """Company that works for the provider, and where it sits."""

    name: str
    country: str


@dataclass(frozen=True, slots=True)
class StoredItem:
    """Cookie or storage key; `name` may begin or end with one `*`."""

    kind: str
    name: str
    lifetime: str
    party: str
    #: In English; `texts.translate_purpose` has it in the other languages.
    purpose: str

    def matches(self, name: str) -> bool:
        """Tell whether a name seen in a browser is this item; `*` stands for any signs, or none."""
        if self.name.endswith("*"):
            return name.startswith(self.name[:-1])
        if self.name.startswith("*"):
            return name.endswith(self.name[1:])
        return name == self.name


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where facts of the file come from, and under which licence they are used."""

    source: str
    licence: str
    facts: str
    revision: str
    url: str


@dataclass(frozen=True, slots=True)
class Service:
    """One tool that sites use."""

    key: str
    name: str
    category: str
    tag: bool
    reviewed: dt.date
    provider: Provider
    processors: tuple[Processor, ...]
    hosts: tuple[str, ...]
    paths: tuple[str, ...]
    cookies: tuple[StoredItem, ...]
    storage: tuple[StoredItem, ...]
    #: In English, like those of the items.
    purpose: str
    connector: Mapping[str, Any]
    provenance: tuple[Provenance, ...]

    @property
    def items(self) -> tuple[StoredItem, ...]:
        """All that the service may leave on the device, cookies first."""
        return self.cookies + self.storage

    def matches_request(self, host: str, path: str = "/") -> bool:
        """Tell whether a request belongs to this service, from its host and path."""
        host = host.lower().rstrip(".")
        if any(_covers(pattern, host) for pattern in self.hosts):
            return True
        return any(f"{host}{path}".startswith(prefix) for prefix in self.paths)


def _covers(pattern: str, host: str) -> bool:
    """`*.example.com` covers every subdomain, not example.com itself."""
    return host.endswith(pattern[1:]) if pattern.startswith("*.") else host == pattern
