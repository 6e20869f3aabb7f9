"""Demo sites: what the tests know of the five sites, read from their own site files."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from consent_server.catalogue import Service, get_service

_SITE_FILES = Path(__file__).parents[2] / "consent_server" / "demo" / "sites"


@dataclass(frozen=True)
class DemoSite:
    """One demo site and the services that a visitor decides on there."""

    key: str

    def __repr__(self) -> str:
        return self.key

    @cached_property
    def file(self) -> dict[str, Any]:
        """The site file as written."""
        return tomllib.loads((_SITE_FILES / f"{self.key}.toml").read_text("utf-8"))

    @property
    def languages(self) -> list[str]:
        """Languages of the notice; the first is that of the pages."""
        languages: list[str] = self.file["languages"]
        return languages

    @cached_property
    def optional_services(self) -> dict[str, str]:
        """Service key -> category of every service that needs consent."""
        found: dict[str, str] = {}
        for entry in self.file["services"]:
            key = entry.get("use") or entry["key"]
            category = entry.get("category") or get_service(key).category
            if category != "necessary":
                found[key] = category
        return found

    @property
    def cookie_name(self) -> str:
        """Name of our own decision cookie."""
        return f"consent_{self.key}"

    @property
    def outbox_key(self) -> str:
        """localStorage key that holds a decision until the server has it."""
        return f"consent_{self.key}_outbox"

    def expected_grants(self, *granted: str) -> dict[str, bool]:
        """The grants map in which exactly these services are allowed."""
        grants = {key: key in granted for key in self.optional_services}
        for category in set(self.optional_services.values()):
            members = [k for k, c in self.optional_services.items() if c == category]
            grants[category] = all(grants[member] for member in members)
        return grants


SITES = {key: DemoSite(key) for key in ("getjenny", "jiminny", "jackbot", "smilee", "ujet")}


def belongs_to(url: str, service: Service) -> bool:
    """Whether the catalogue says that this address is the service's."""
    address = url.removeprefix("https://")
    host = address.partition("/")[0]
    if any(address.startswith(path) for path in service.paths):
        return True
    return any(
        host == pattern or (pattern.startswith("*.") and host.endswith(pattern[1:]))
        for pattern in service.hosts
    )
