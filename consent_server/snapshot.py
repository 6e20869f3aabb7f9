"""Snapshots: everything that a version of a site is, every word included."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlsplit

from consent_server import texts
from consent_server.connectors import describe_signals, is_advanced, settle_connector
from consent_server.languages import direction_of
from consent_server.regime_texts import word_regimes
from consent_server.rules.canonical import canonical_json
from consent_server.rules.children import NONE
from consent_server.rules.decision import NECESSARY
from consent_server.rules.regimes import BY_REGION, Regime, sold_or_shared, table_of
from consent_server.services import SiteService, consent_record, resolve_service
from consent_server.theme import snapshot_theme

#: Raised when the shape of a snapshot changes.
SNAPSHOT_FORMAT = 1

Config = dict[str, Any]

#: Material facts that speak of one category or service; the others speak of all.
_FACTS_OF_ONE = frozenset({"category", "ground", "recipient", "country"})


def build_snapshot(form: Mapping[str, Any]) -> Config:
    """Return the complete configuration of a version from a checked form.

    Raises InvalidSite where the description means something impossible.
    """
    # What checks is loaded by who publishes: who serves composes scripts of what was checked.
    from consent_server.site_check import check_site  # noqa: PLC0415

    check_site(form)
    used = (resolve_service(given, form["languages"]) for given in form["services"])
    services = [consent_record(form), *used]
    categories = _categories(form, services)
    return {
        "format": SNAPSHOT_FORMAT,
        "site": form["key"],
        **{name: form[name] for name in ("name", "origins", "cookie_domain", "regime")},
        **_regime(form),
        # Only where it is said: sites of earlier releases stay as they are.
        **({"children": form["children"]} if form["children"] != NONE else {}),
        "blocking": form["blocking"],
        "allowed_hosts": list(form["allowed_hosts"]),
        "valid_days": form["valid_days"],
        "ask_again": form["ask_again"],
        **({"hand_over": list(form["hand_over"])} if form["hand_over"] else {}),
        **({"identify": True} if form["identify"] else {}),
        # Only where it is said: sites of earlier releases stay as they are.
        **({"keep_records": form["keep_records"]} if form["keep_records"] else {}),
        "compatible": list(form["compatible"]),
        "compatible_names": dict(form["compatible_names"]),
        "import_decisions": form["import_decisions"],
        # Not material: what is told to others is what visitors decided.
        **({"gpp": True} if form["gpp"] else {}),
        "languages": list(form["languages"]),
        "controller": dict(form["controller"]),
        "data_protection": dict(form["data_protection"]) if form["data_protection"] else None,
        "supervisory_authority": dict(form["supervisory_authority"]),
        "links": {
            "policy": {lang: _policy(form, lang) for lang in form["languages"]},
            "archive": form["links"]["archive"],
        },
        "theme": snapshot_theme(form["theme"]),
        "categories": categories,
        "services": [_service(service, advanced=is_advanced(form)) for service in services],
        **describe_signals(form, services),
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
        # Where the region decides, those who were asked first still are.
        ["regime", Regime.OPT_IN if config["regime"] == BY_REGION else config["regime"]],
        ["ask_again", config["ask_again"]],
    ]
    facts += [["holds_at", origin] for origin in config.get("hand_over", ())]
    facts += [["follows_sign_in"]] if config.get("identify") else []
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


def _regime(form: Mapping[str, Any]) -> dict[str, Any]:
    """Return what says who is asked how, only where it is said."""
    said = {
        name: list(form[name])
        for name in ("sold_or_shared", "sensitive", "exempt")
        if form[name] is not None
    }
    table = {"regions": table_of(form)} if form["regime"] == BY_REGION else {}
    return {**table, **said, **({} if form["do_not_track"] else {"do_not_track": False})}


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


def _service(service: SiteService, *, advanced: bool) -> dict[str, Any]:
    connector = settle_connector(service, advanced=advanced)
    return {
        **({"connector": connector} if connector else {}),
        # Its tag loads before a decision and is told that everything is denied.
        **({"held": False} if advanced and "consent_types" in service.connector else {}),
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
    ui = _interface(form, named, categories, language)
    regimes = word_regimes(form, ui, language)
    return {
        "direction": direction_of(language),
        "ui": ui,
        **({"regimes": regimes} if regimes else {}),
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
        key: texts.isolate(language, own.get(key) or texts.translate(language, default))
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
    for key in ("body", "preferences_body"):
        ui[key] = " ".join((ui[key], *_holds_also(form, language)))
    refused = [named[key]["name"] for key in sold_or_shared(form)]
    told = texts.spell_list(language, refused) if refused else ""
    # Where a signal can refuse nothing, there is nothing to tell.
    ui["honoured"] = texts.fill(ui["honoured"], categories=told) if told else ""
    if form["children"] != NONE:
        ui["children"] = texts.translate(language, texts.CHILDREN)
    return {
        **ui,
        # It leads to the preferences, also where there is nothing to count.
        "services_link": (
            texts.count_services(language, number) if number else ui["preferences_heading"]
        ),
        "policy_url": _policy(form, language),
    }


def _holds_also(form: Mapping[str, Any], language: str) -> Iterator[str]:
    """Give where else a choice holds: whoever makes it must know."""
    if form["hand_over"]:
        hosts = [urlsplit(origin).netloc for origin in form["hand_over"]]
        sites = texts.spell_list(language, hosts)
        yield texts.fill(texts.translate(language, texts.HAND_OVER), sites=sites)
    if form["identify"]:
        yield texts.translate(language, texts.SIGNED_IN)


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
