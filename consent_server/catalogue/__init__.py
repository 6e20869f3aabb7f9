"""Service catalogue: what is known of the tools that sites use, one TOML file each."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from types import MappingProxyType

from consent_server.catalogue.service import (
    CATEGORIES,
    Processor,
    Provenance,
    Provider,
    Service,
    StoredItem,
)
from consent_server.errors import CatalogueError, UnknownService

__all__ = [
    "CATEGORIES",
    "Processor",
    "Provenance",
    "Provider",
    "Service",
    "StoredItem",
    "get_service",
    "load_catalogue",
    "read_folder",
]


@cache
def load_catalogue() -> Mapping[str, Service]:
    """Give every service that ships with the package, by key, in order of key."""
    return read_folder(Path(__file__).parent)


def read_folder(folder: Path) -> Mapping[str, Service]:
    """Read each `<key>.toml` of a folder; raise CatalogueError at the first wrong file."""
    # Who serves what is published already reads no file: a quarter of a megabyte.
    from consent_server.catalogue.reading import read_service  # noqa: PLC0415

    files = sorted(folder.glob("*.toml"))
    if not files:
        # A wheel built without its data must stop the start, not serve an empty catalogue.
        raise CatalogueError(f"{folder}: holds no service file; expected <key>.toml")
    return MappingProxyType({file.stem: read_service(file) for file in files})


def get_service(key: str) -> Service:
    """Give one service; raise UnknownService naming the keys that look alike."""
    services = load_catalogue()
    if key in services:
        return services[key]
    near = get_close_matches(key, services, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else f"known are {', '.join(services)}."
    raise UnknownService(
        f"The catalogue has no service {key!r}; {hint} "
        "A service of your own is described in full in the site file."
    )
