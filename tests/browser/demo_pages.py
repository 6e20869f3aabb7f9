"""Demo pages: which tag stands where, as the demo's own list says."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Tag:
    """One tag of a page: the service it belongs to, what it is, how its address begins."""

    service: str
    kind: str
    prefix: str


def tags_of(site: str, page: str) -> list[Tag]:
    """Tags of a page in document order."""
    raise NotImplementedError


def pages_with(site: str, service: str) -> list[str]:
    """Pages of a site on which the service has a tag."""
    return [
        name for name in ("", "contact") if any(t.service == service for t in tags_of(site, name))
    ]
