"""Own site: a site file that a test writes for pages of its own, published on the server."""

from __future__ import annotations

from typing import Any

import tomli_w

from .running_server import RunningServer
from .sites import DemoSite

CONTROLLER = {
    "name": "Shop Oy",
    "address": "Esimerkkikatu 1, 00100 Helsinki",
    "country": "FI",
    "email": "privacy@example.com",
}


def describe_service(key: str, items: tuple[tuple[str, str], ...], **fields: Any) -> dict[str, Any]:
    """A service that the catalogue does not hold; items are (kind, name or pattern)."""
    return {
        "key": key,
        "name": key.title(),
        "category": "analytics",
        "retention": "1y",
        "purpose": {"en": "Tells how the shop is used."},
        "provider": {"name": key, "country": "DE", "policy": f"https://{key}.example/privacy"},
        "items": [{"kind": kind, "name": name, "lifetime": "1y"} for kind, name in items],
        **fields,
    }


def publish_site(
    server: RunningServer,
    origin: str,
    key: str,
    services: list[dict[str, Any]],
    **fields: Any,
) -> DemoSite:
    """Publish a site whose pages are served at that origin."""
    file = server.data_dir / f"{key}.toml"
    file.write_text(tomli_w.dumps(describe_site(origin, key, services, **fields)), encoding="utf-8")
    server.publish(file)
    return DemoSite(key)


def describe_site(
    origin: str, key: str, services: list[dict[str, Any]], **fields: Any
) -> dict[str, Any]:
    """A site file whose pages are served at that origin."""
    return {
        "key": key,
        "name": "Shop",
        "origins": [origin],
        "languages": ["en"],
        "controller": CONTROLLER,
        "supervisory_authority": {"name": "Authority", "url": "https://authority.example/"},
        "links": {"policy": "/privacy"},
        "categories": [{"key": "analytics"}],
        "services": services,
        **fields,
    }
