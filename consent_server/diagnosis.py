"""Diagnosis: the script that tells an owner what is held, what leaks and what to mark up."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import brotli

from consent_server.catalogue import Service, load_catalogue
from consent_server.diagnosis_texts import DIAGNOSIS_TEXTS
from consent_server.languages import LANGUAGES, SOURCE_LANGUAGE, direction_of
from consent_server.packing import PackedScript
from consent_server.paths import asset_dir
from consent_server.texts import translate
from consent_server.widget import ITEM_KINDS, Script

#: Made while an owner waits: the last tenth of its size is not worth it.
_BROTLI_QUALITY = 9


def compose_diagnosis(config: Mapping[str, Any], version: int, script: Script) -> PackedScript:
    """Compose the module for one published version and the script that it serves."""
    facts = json.dumps(_facts(config, version, script), ensure_ascii=False, separators=(",", ":"))
    body = f"const FACTS={facts};{_read_code()}".encode()
    made = Script(script.script_id, hashlib.sha256(body).hexdigest(), body)
    packed: bytes = brotli.compress(body, mode=brotli.MODE_TEXT, quality=_BROTLI_QUALITY)
    return PackedScript(made, packed, gzip.compress(body, mtime=0))


@cache
def _read_code() -> str:
    return (asset_dir("static") / "widget" / "diagnose.js").read_text(encoding="utf-8")


def _facts(config: Mapping[str, Any], version: int, script: Script) -> dict[str, Any]:
    """Return what the browser needs, as widget/src/diagnose/facts.d.ts reads it."""
    return {
        "version": version,
        "script": script.script_id,
        "script_hash": script.script_hash,
        "origins": config["origins"],
        "allowed_hosts": config.get("allowed_hosts", []),  # older versions have none
        "services": dict(_services(config)),
        "texts": {language: _texts(language) for language in _languages(config)},
    }


def _languages(config: Mapping[str, Any]) -> list[str]:
    """Return the languages of the site and English; older versions may name one we lack."""
    return [code for code in LANGUAGES if code == SOURCE_LANGUAGE or code in config["languages"]]


def _services(config: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give the site's own services, then the rest of the catalogue."""
    named = config["texts"][config["languages"][0]]["services"]
    own = {service["key"]: service for service in config["services"]}
    for key, service in own.items():
        yield (
            key,
            {
                "name": named[key]["name"],
                "category": service["category"],
                "patterns": [*service["hosts"], *service["paths"]],
                "items": [ITEM_KINDS[item["kind"]] + item["name"] for item in service["items"]],
                "in_site": True,
            },
        )
    for service in load_catalogue().values():
        if service.key not in own:
            yield service.key, _catalogued(service)


def _catalogued(service: Service) -> dict[str, Any]:
    return {
        "name": service.name,
        "category": service.category,
        "patterns": [*service.hosts, *service.paths],
        "items": [ITEM_KINDS[item.kind] + item.name for item in service.items],
        "in_site": False,
    }


def _texts(language: str) -> dict[str, str]:
    found = {name: translate(language, text) for name, text in DIAGNOSIS_TEXTS.items()}
    return {"direction": direction_of(language), **found}
