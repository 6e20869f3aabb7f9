"""Snapshots: everything that a version of a site is, every word included."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from consent_server import texts
from consent_server.rules.canonical import canonical_json
from consent_server.rules.contrast import text_colour_on
from consent_server.rules.decision import NECESSARY
from consent_server.services import SiteService, consent_record, resolve_service
from consent_server.site_check import check_site

#: Raised when the shape of a snapshot changes.
SNAPSHOT_FORMAT = 1

Config = dict[str, Any]

#: Material facts that speak of one category or service; the others speak of all.
_FACTS_OF_ONE = frozenset({"category", "ground", "recipient", "country"})


def build_snapshot(form: Mapping[str, Any]) -> Config:
    """Return the complete configuration of a version from a checked form.

    Raises InvalidSite where the description means something impossible.
    """
    check_site(form)
    services = [consent_record(form), *(resolve_service(given) for given in form["services"])]
    categories = _categories(form, services)
    return {
        "format": SNAPSHOT_FORMAT,
        "site": form["key"],
        **{name: form[name] for name in ("name", "origins", "cookie_domain", "regime")},
        "blocking": form["blocking"],
        "allowed_hosts": list(form["allowed_hosts"]),
        "valid_days": form["valid_days"],
        "ask_again": form["ask_again"],
        "compatible": list(form["compatible"]),
        "compatible_names": dict(form["compatible_names"]),
        "import_decisions": form["import_decisions"],
        "languages": list(form["languages"]),
        "controller": dict(form["controller"]),
        "data_protection": dict(form["data_protection"]) if form["data_protection"] else None,
        "supervisory_authority": dict(form["supervisory_authority"]),
        "links": {
            "policy": {lang: _policy(form, lang) for lang in form["languages"]},
            "archive": form["links"]["archive"],
        },
        "theme": _theme(form["theme"]),
        "categories": categories,
        "services": [_service(service) for service in services],
        "texts": {
            language: _language(form, services, categories, language)
            for language in form["languages"]
        },
        **({"announcement": _announcement(form)} if form["announcement"] else {}),
    }


def hash_config(config: Config) -> str:
    """Return the SHA-256 of the canonical snapshot, in hex."""
    return hashlib.sha256(canonical_json(config)).hexdigest()


def material_facts(config: Config) -> frozenset[bytes]:
    """Return what visitors decide on, one entry per fact; wording and looks left out.

    A new fact (a service, a recipient, a country, another ground) asks visitors
    again; a fact that went away does not.
    """
    facts: list[Any] = [
        ["controller", config["controller"]["name"]],
        ["regime", config["regime"]],
        ["ask_again", config["ask_again"]],
    ]
    facts += [["category", category["key"]] for category in config["categories"]]
    for service in config["services"]:
        recipients = [service["provider"], *(p["name"] for p in service["processors"])]
        countries = [service["country"], *service["transfers"]]
        facts.append(["ground", service["key"], service["category"], service["legal_basis"]])
        facts += [["recipient", service["key"], name] for name in recipients]
        facts += [["country", service["key"], code] for code in countries if code]
    return frozenset(canonical_json(fact) for fact in facts)


def hash_material(config: Config) -> str:
    """Return the SHA-256 of the sorted material facts, in hex."""
    return hashlib.sha256(b"\n".join(sorted(material_facts(config)))).hexdigest()


def new_since(
    new: Config, number: int, old: Config | None, old_material_since: int
) -> dict[str, int]:
    """Return for each category and service of version `number` since when it is what it is.

    A decision on an older version than that says nothing of it: the visitor did not know
    this recipient, country or ground. What says nothing of one service (another
    controller, a wish to ask everybody) makes all of them new. Left out is what never
    was new to a visitor of version 1.
    """
    if old is None:
        return {}
    known = known_since(old, old_material_since)
    fresh = [json.loads(fact) for fact in material_facts(new) - material_facts(old)]
    all_new = any(kind not in _FACTS_OF_ONE for kind, *_ in fresh)
    keys = {details[0] for kind, *details in fresh if kind in _FACTS_OF_ONE}
    found = {
        key: number if all_new or key in keys else known.get(key, 1) for key in _decided_on(new)
    }
    return {key: since for key, since in found.items() if since > 1}


def known_since(config: Config, material_since: int) -> dict[str, int]:
    """Return `new_since` of a published version.

    Versions of an earlier release do not tell: then all is as new as the last question.
    """
    found: dict[str, int] = config.get(
        "new_since", dict.fromkeys(_decided_on(config), material_since)
    )
    return found


def _decided_on(config: Config) -> list[str]:
    return [one["key"] for one in (*config["categories"], *config["services"])]


def _announcement(form: Mapping[str, Any]) -> dict[str, Any]:
    """Return a coming change as it is told: from the first day to the day of the change."""
    told = form["announcement"]
    day = date.fromisoformat(told["date"])
    return {
        "date": told["date"],
        "shown_from": (day - timedelta(days=told["days"])).isoformat(),
        "texts": {
            language: {
                "text": told["text"][language],
                "close": texts.translate(language, texts.CLOSE),
            }
            for language in form["languages"]
        },
    }


def _categories(form: Mapping[str, Any], services: list[SiteService]) -> list[dict[str, Any]]:
    keys = [category["key"] for category in form["categories"] if category["key"] != NECESSARY]
    return [
        {"key": key, "services": [s.key for s in services if s.category == key]}
        for key in (NECESSARY, *keys)
    ]


def _theme(theme: Mapping[str, Any]) -> dict[str, Any]:
    def colours(suffix: str) -> dict[str, str]:
        accent = theme["accent" + suffix]
        return {
            "accent": accent,
            "on_accent": text_colour_on(accent),
            "text": theme["text" + suffix],
            "surface": theme["surface" + suffix],
        }

    chosen = {name: theme[name] for name in ("form", "position", "entry", "order", "radius")}
    return {**chosen, "light": colours(""), "dark": colours("_dark")}


def _service(service: SiteService) -> dict[str, Any]:
    return {
        "key": service.key,
        "category": service.category,
        "legal_basis": service.legal_basis,
        "justification": service.justification,
        "provider": service.provider,
        "address": service.address,
        "country": service.country,
        "transfers": list(service.transfers),
        "processors": [dict(processor) for processor in service.processors],
        "policy": service.policy,
        "retention": service.retention,
        "hosts": list(service.hosts),
        "paths": list(service.paths),
        "items": [
            {"kind": item.kind, "name": item.name, "lifetime": item.lifetime}
            for item in service.items
        ],
    }


def _policy(form: Mapping[str, Any], language: str) -> str:
    policy = form["links"]["policy"]
    return str(policy.get(language) or policy[""])


def _language(
    form: Mapping[str, Any],
    services: list[SiteService],
    categories: list[dict[str, Any]],
    language: str,
) -> dict[str, Any]:
    named = {category["key"]: _category_texts(form, category, language) for category in categories}
    return {
        "direction": "rtl" if language in texts.RIGHT_TO_LEFT else "ltr",
        "ui": _interface(form, named, categories, language),
        "categories": named,
        "services": {service.key: _service_texts(service, language) for service in services},
    }


def _interface(
    form: Mapping[str, Any],
    named: Mapping[str, Mapping[str, str]],
    categories: list[dict[str, Any]],
    language: str,
) -> dict[str, str]:
    own = form["texts"].get(language, {})
    optional = [category for category in categories if category["key"] != NECESSARY]
    number = sum(len(category["services"]) for category in optional)
    ui = {
        key: own.get(key) or texts.translate(language, default)
        for key, default in texts.UI_TEXTS.items()
    }
    values = {
        "controller": form["controller"]["name"],
        "name": form["name"],
        "categories": texts.spell_list(language, [named[c["key"]]["name"] for c in optional]),
        "entry": ui["entry"],
    }
    for key in ("heading", "body", "preferences_heading", "preferences_body"):
        ui[key] = texts.fill(ui[key], **values)
    return {
        **ui,
        "services_link": texts.count_services(language, number),
        "policy_url": _policy(form, language),
    }


def _category_texts(
    form: Mapping[str, Any], category: Mapping[str, Any], language: str
) -> dict[str, str]:
    key = category["key"]
    own: Mapping[str, Any] = next((c for c in form["categories"] if c["key"] == key), {})
    name, description = texts.CATEGORY_TEXTS.get(key, ("", ""))

    def words(field: str, default: str) -> str:
        return str(own.get(field, {}).get(language) or texts.translate(language, default))

    return {
        "name": words("name", name),
        "description": words("description", description),
        "count": texts.count_services(language, len(category["services"])),
    }


def _service_texts(service: SiteService, language: str) -> dict[str, Any]:
    transfers = [texts.spell_country(language, code) for code in service.transfers]
    return {
        "name": texts.translate(language, service.name),
        "purpose": service.purpose[language],
        "provider": service.provider,
        "country": texts.spell_country(language, service.country),
        "transfers": texts.spell_list(language, transfers) if transfers else "",
        "legal_basis": texts.translate(language, texts.LEGAL_BASES[service.legal_basis]),
        "retention": texts.spell_lifetime(language, service.retention),
        "items": [
            {
                "lifetime": texts.spell_item(language, item.kind, item.lifetime),
                "purpose": item.purpose.get(language, ""),
            }
            for item in service.items
        ],
    }
