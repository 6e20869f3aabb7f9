"""Services of a site: from the catalogue or the owner's own, in one form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from consent_server.catalogue import Service, StoredItem, get_service
from consent_server.rules.decision import NECESSARY
from consent_server.rules.regimes import is_only_told, regimes_of, with_table
from consent_server.texts import (
    CLOSED_PURPOSE,
    CONSENT_RECORD_NAME,
    TOLD_PURPOSE,
    translate,
    translate_purpose,
)

#: Our own decision cookie: every site has it, as a service like any other.
CONSENT_RECORD = "consent-record"


@dataclass(frozen=True, slots=True)
class Item:
    """A cookie or storage item that a service keeps in the browser."""

    kind: str
    name: str
    lifetime: str
    purpose: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SiteService:
    """A service as a site uses it, texts in every language it has."""

    key: str
    name: str
    category: str
    legal_basis: str
    retention: str
    justification: str
    provider: str
    country: str
    address: str
    policy: str
    transfers: tuple[str, ...]
    processors: tuple[Mapping[str, str], ...]
    hosts: tuple[str, ...]
    paths: tuple[str, ...]
    items: tuple[Item, ...]
    purpose: Mapping[str, str]
    #: How the vendor's own code is told of consent, see rules/connector.py.
    connector: Mapping[str, Any]
    #: What the vendor calls this site: measurement ids and the like.
    ids: tuple[str, ...]


def resolve_service(given: Mapping[str, Any], languages: Sequence[str]) -> SiteService:
    """Return the service that one `[[services]]` table describes, in these languages.

    Raises UnknownService, with near matches, for a `use` that no catalogue file has.
    """
    if given.get("use"):
        return _from_catalogue(get_service(given["use"]), given, languages)
    provider = given["provider"]
    return SiteService(
        key=given["key"],
        name=given["name"],
        category=given["category"],
        legal_basis=given["legal_basis"],
        retention=given["retention"],
        justification=given["justification"],
        provider=provider["name"],
        country=provider["country"],
        address=provider["address"],
        policy=provider["policy"],
        transfers=tuple(provider["transfers"]),
        processors=(),
        hosts=tuple(given["hosts"]),
        paths=tuple(given["paths"]),
        items=tuple(
            Item(i["kind"], i["name"], i["lifetime"], i["purpose"]) for i in given["items"]
        ),
        purpose=given["purpose"],
        connector=_own_connector(given["connector"]),
        ids=tuple(given["ids"]),
    )


def _own_connector(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the connector that a site file writes, or that of the catalogued service it names."""
    if "use" in given:
        return get_service(given["use"]).connector
    return dict(given)


def consent_record(form: Mapping[str, Any]) -> SiteService:
    """Return our own necessary service: the cookie that remembers the choice."""
    controller = form["controller"]
    found = get_service(CONSENT_RECORD)
    days = f"{form['valid_days']}d"

    def own(item: StoredItem) -> Item:
        name = item.name.replace("{site_key}", form["key"])
        lifetime = days if item.kind == "cookie" else item.lifetime
        return Item(item.kind, name, lifetime, purpose_in(form["languages"], item.purpose))

    items = [own(item) for item in found.items]
    if form["announcement"]:
        items.append(_closed_announcement(form))
    if any(is_only_told(regime) for regime in regimes_of(with_table(form))):
        items.append(_closed_notice(form))
    return SiteService(
        key=found.key,
        name=CONSENT_RECORD_NAME,
        category=NECESSARY,
        legal_basis="legal_obligation",
        retention=days,
        justification="",
        provider=controller["name"],
        country=controller["country"],
        address=controller["address"],
        policy="",
        transfers=(),
        processors=(),
        hosts=(),
        paths=(),
        items=tuple(items),
        purpose=purpose_in(form["languages"], found.purpose),
        connector={},
        ids=(),
    )


def _closed_announcement(form: Mapping[str, Any]) -> Item:
    """Return what the browser keeps of a visitor who closed the announcement: no id is in it."""
    purpose = {language: translate(language, CLOSED_PURPOSE) for language in form["languages"]}
    return Item("session_storage", f"consent_{form['key']}_announcement", "session", purpose)


def purpose_in(languages: Sequence[str], purpose: str) -> Mapping[str, str]:
    """Return a purpose of the catalogue as these languages say it."""
    return {language: translate_purpose(language, purpose) for language in languages}


def _closed_notice(form: Mapping[str, Any]) -> Item:
    """Return what the browser keeps of a visitor who closed a notice that asks nothing."""
    purpose = {language: translate(language, TOLD_PURPOSE) for language in form["languages"]}
    return Item("local_storage", f"consent_{form['key']}_told", "persistent", purpose)


def _from_catalogue(
    found: Service, given: Mapping[str, Any], languages: Sequence[str]
) -> SiteService:
    return SiteService(
        key=found.key,
        name=found.name,
        category=given.get("category") or found.category,
        legal_basis=given["legal_basis"],
        retention=given["retention"],
        justification=given["justification"],
        provider=found.provider.name,
        country=found.provider.country,
        address=found.provider.address,
        policy=found.provider.policy,
        transfers=tuple(found.provider.transfers),
        processors=tuple({"name": p.name, "country": p.country} for p in found.processors),
        hosts=(*found.hosts, *given["hosts"]),
        paths=(*found.paths, *given["paths"]),
        items=tuple(
            Item(i.kind, i.name, i.lifetime, purpose_in(languages, i.purpose)) for i in found.items
        ),
        purpose={**purpose_in(languages, found.purpose), **given["purpose"]},
        connector=_own_connector(given["connector"]) or found.connector,
        ids=tuple(given["ids"]),
    )
