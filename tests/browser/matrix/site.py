"""The site of the matrix: every service of the catalogue, and one of its own, at each level."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tomli_w

from consent_server.catalogue import Service, load_catalogue
from consent_server.rewriting.modules import ModuleRewriter
from consent_server.rewriting.plan import RewritePlan
from consent_server.rewriting.rewriter import rewrite
from consent_server.rewriting.sources import plan_from_site_file

from ..running_server import RunningServer
from .pages import Level, MatrixPages

_BLOCKING = {"declared": "declared", "gate": "gate", "strict": "strict", "rewritten": "strict"}


def site_file(level: Level, origin: str) -> dict[str, Any]:
    """The description of the site at one level."""
    optional = [one for one in load_catalogue().values() if one.category != "necessary"]
    return {
        "key": f"matrix-{level}",
        "name": "Matrix",
        "origins": [origin],
        "languages": ["en"],
        "blocking": _BLOCKING[level],
        "controller": {
            "name": "Example Oy",
            "address": "Esimerkkikatu 1, Helsinki",
            "country": "FI",
            "email": "privacy@example.com",
        },
        "supervisory_authority": {"name": "Authority", "url": "https://tietosuoja.fi/en/"},
        "links": {"policy": "/privacy"},
        "categories": [{"key": key} for key in ("functional", "analytics", "marketing")],
        "services": [*(_used(one) for one in optional), _OWN],
    }


_OWN = {
    "key": "matrix-own",
    "name": "Own",
    "category": "analytics",
    "retention": "1y",
    "purpose": {"en": "Keeps a database."},
    "provider": {"name": "Own", "country": "FI", "policy": "https://example.com/policy"},
    "items": [
        {"kind": "indexed_db", "name": "vendor-db", "lifetime": "persistent"},
        {"kind": "cache_storage", "name": "vendor-cache", "lifetime": "persistent"},
    ],
}


def _used(service: Service) -> dict[str, Any]:
    return {"use": service.key, "retention": "1y"}


def publish(server: RunningServer, pages: MatrixPages, level: Level) -> None:
    """Publish the site at that level; what rewrites its pages is told to them."""
    file = Path(server.data_dir) / f"matrix-{level}.toml"
    file.write_text(tomli_w.dumps(site_file(level, pages.url)), "utf-8")
    server.publish(file)
    if level == "rewritten":
        plan = plan_from_site_file(file, f"{server.url}/w/matrix-{level}.js", strict=True)
        pages.rewrite = lambda page: b"".join(rewrite([page], plan))
        pages.rewrite_module = lambda text: _rewrite_module(text, plan)


def _rewrite_module(text: bytes, plan: RewritePlan) -> bytes:
    rewriter = ModuleRewriter(plan)
    return rewriter.feed(text) + rewriter.finish()
