"""Summaries: a site and a version, as lists show them."""

from __future__ import annotations

from typing import Any

from consent_server.archive import ArchivedVersion, Fact
from consent_server.rules.times import spell_time
from consent_server.store.models import Site, SiteVersion


def summarise_site(site: Site) -> dict[str, Any]:
    """Return a site in JSON types."""
    return {
        "key": site.key,
        "name": site.name,
        "current_version": site.current_version,
        "created_at": spell_time(site.created_at),
        "retired_at": spell_time(site.retired_at) if site.retired_at else None,
    }


def summarise_version(version: SiteVersion) -> dict[str, Any]:
    """Return a version without its snapshot, in JSON types."""
    return {
        "version": version.number,
        "config_hash": version.config_hash,
        "material_since": version.material_since,
        "published_at": spell_time(version.published_at),
    }


def summarise_archived(archived: ArchivedVersion) -> dict[str, Any]:
    """Return a version in its place in time, in JSON types."""
    until = archived.until
    return {
        **summarise_version(archived.version),
        "shown_until": spell_time(until) if until else None,
        "asked_again": archived.asked_again,
        "asked_again_because": [_fact(fact) for fact in archived.reasons],
        "changes": [_fact(fact) for fact in archived.changes],
    }


def _fact(fact: Fact) -> dict[str, Any]:
    return {"what": fact.what, "key": fact.key, "names": dict(fact.names)}
