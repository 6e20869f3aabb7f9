"""The script: core, configuration, texts and styles composed into one response."""

from __future__ import annotations

import gzip
import hashlib
import json
from dataclasses import dataclass
from functools import cache
from typing import Any

import brotli

from consent_server.paths import asset_dir

#: One letter per kind of stored item, as the widget reads it.
ITEM_KINDS = {
    "cookie": "c",
    "local_storage": "l",
    "session_storage": "s",
    "indexed_db": "i",
    "cache_storage": "k",
}
_TEXT_ITEM_FIELDS = ("name", "purpose", "provider", "country", "transfers", "legal_basis")


@dataclass(frozen=True, slots=True)
class Script:
    """A composed script: `script_id` is what it calls itself, `script_hash` its SHA-256."""

    script_id: str
    script_hash: str
    body: bytes


@dataclass(frozen=True, slots=True)
class PackedScript:
    """A script ready to be sent in each encoding."""

    script: Script
    brotli: bytes
    gzip: bytes


@cache
def read_core() -> str:
    """Return the built core; the build is committed under static/widget."""
    return (asset_dir("static") / "widget" / "core.js").read_text(encoding="utf-8")


def compose_script(config: dict[str, Any], version: int, material_since: int) -> Script:
    """Compose the script of a version; the same inputs give the same bytes."""
    core = read_core()
    known = widget_config(config, version, material_since)
    seed = hashlib.sha256(core.encode() + _to_json(known).encode()).hexdigest()
    script_id = seed[:16]
    known["script"] = script_id
    body = f"(function(SITE_CONFIG){{{core}}})({_to_json(known)});".encode()
    return Script(script_id, hashlib.sha256(body).hexdigest(), body)


def pack_script(script: Script) -> PackedScript:
    """Compress once, as well as the formats can."""
    return PackedScript(
        script,
        brotli.compress(script.body, mode=brotli.MODE_TEXT, quality=11, lgwin=18),
        gzip.compress(script.body, compresslevel=9, mtime=0),
    )


def widget_config(config: dict[str, Any], version: int, material_since: int) -> dict[str, Any]:
    """Return the part of a snapshot that the browser needs."""
    services = {service["key"]: service for service in config["services"]}
    return {
        "site": config["site"],
        "version": version,
        "material": material_since,
        "script": "",
        "days": config["valid_days"],
        "domain": config["cookie_domain"],
        "languages": config["languages"],
        "theme": config["theme"],
        "categories": config["categories"],
        "services": {
            key: {
                "policy": service["policy"],
                "items": [[item["name"], ITEM_KINDS[item["kind"]]] for item in service["items"]],
            }
            for key, service in services.items()
        },
        "texts": {
            language: {
                "dir": found["direction"],
                "ui": found["ui"],
                "categories": found["categories"],
                "services": {
                    key: {
                        **{field: words[field] for field in _TEXT_ITEM_FIELDS},
                        "retention": words["retention"],
                        "items": [item["lifetime"] for item in words["items"]],
                    }
                    for key, words in found["services"].items()
                },
            }
            for language, found in config["texts"].items()
        },
    }


def _to_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
