"""What the demo's pages show of their sites: read once from the site files."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from babel import Locale

from consent_server.catalogue import get_service
from consent_server.demo import site_files

_WORDS = Path(__file__).resolve().parent / "words.toml"
#: The order of the cards: the languages mixed, the richest sites apart.
_ORDER = ("getjenny", "smilee", "jiminny", "jackbot", "ujet")


@dataclass(frozen=True, slots=True)
class ShownService:
    """A service as a card names it."""

    key: str
    name: str
    category: str


@dataclass(frozen=True, slots=True)
class DemoSite:
    """One demo site: its language, its looks, its services."""

    key: str
    name: str
    controller: str
    languages: tuple[str, ...]
    accent: str
    form: str
    position: str
    entry: str
    services: tuple[ShownService, ...]

    @property
    def language(self) -> str:
        """Return the language that the pages are written in."""
        return self.languages[0]

    @property
    def language_names(self) -> list[str]:
        """Return the languages of the notice by their English names, that of the pages first."""
        return [Locale.parse(language).english_name or language for language in self.languages]

    @property
    def services_by_category(self) -> Mapping[str, list[str]]:
        """Return the names of the services under the categories that they are decided in."""
        found: dict[str, list[str]] = {}
        for service in self.services:
            found.setdefault(service.category, []).append(service.name)
        return found

    @property
    def own_link(self) -> bool:
        """Tell whether the footer opens the preferences, instead of a floating button."""
        return self.entry == "own_link"


@cache
def demo_sites() -> Mapping[str, DemoSite]:
    """Return the sites by key, in the order of the start page."""
    found = {site.key: site for site in map(_read_site, site_files())}
    return MappingProxyType({key: found[key] for key in _ORDER})


@cache
def words(language: str) -> Mapping[str, Any]:
    """Return the demo's own words (not those of the sites) in a language."""
    return MappingProxyType(tomllib.loads(_WORDS.read_text("utf-8"))[language])


def _read_site(path: Path) -> DemoSite:
    form = tomllib.loads(path.read_text("utf-8"))
    return DemoSite(
        key=form["key"],
        name=form["name"],
        controller=form["controller"]["name"],
        languages=tuple(form["languages"]),
        accent=form["theme"]["accent"],
        form=form["theme"]["form"],
        position=form["theme"]["position"],
        entry=form["theme"]["entry"],
        services=tuple(
            ShownService(s["use"], get_service(s["use"]).name, s["category"])
            for s in form["services"]
        ),
    )
