"""Service files: from TOML to a Service, refusing whatever is not in the documented form."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from consent_server.catalogue import grammar
from consent_server.catalogue.grammar import Table
from consent_server.catalogue.service import (
    CATEGORIES,
    Processor,
    Provenance,
    Provider,
    Service,
    StoredItem,
)
from consent_server.errors import CatalogueError
from consent_server.rules.connector import FIELDS, find_faults

#: Stands for the owner of the site; only our own decision record is provided by the site itself.
CONTROLLER = "{controller}"
PURPOSE_LENGTH = 140
STORAGE_KINDS = ("local_storage", "session_storage", "indexed_db", "cache_storage")


def read_service(file: Path) -> Service:
    """Read one service file; raise CatalogueError naming the file and the field."""
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CatalogueError(f"{file.name}: is not TOML in UTF-8: {error}") from error
    service = parse_service(values, file.name)
    if service.key != file.stem:
        raise CatalogueError(
            f"{file.name}: key: is {service.key!r}; rename the file to {service.key}.toml "
            f"or write key = {file.stem!r}"
        )
    return service


def parse_service(values: Mapping[str, Any], source: str) -> Service:
    """Check a service written as plain values; `source` names it in messages."""
    table = Table(
        values,
        source,
        required=("key", "name", "category", "tag", "reviewed", "provider", "texts", "connector"),
        optional=("processors", "match", "cookies", "storage", "provenance"),
    )
    match = table.table("match", optional=("hosts", "paths"))
    service = Service(
        key=table.formed("key", grammar.KEY),
        name=table.text("name"),
        category=table.choice("category", CATEGORIES),
        tag=table.flag("tag"),
        reviewed=table.date("reviewed"),
        provider=_provider(table),
        processors=_processors(table),
        hosts=match.formed_list("hosts", grammar.HOST),
        paths=match.formed_list("paths", grammar.PATH),
        cookies=_cookies(table),
        storage=_storage(table),
        purpose=_purpose(table.table("texts", required=("purpose",))),
        connector=_connector(table),
        provenance=_provenance(table),
    )
    _check_match(service, match)
    _check_necessary(service, table)
    return service


def _provider(table: Table) -> Provider:
    provider = table.table(
        "provider", required=("name", "country", "address", "policy", "transfers")
    )
    name = provider.text("name")
    own = name == CONTROLLER
    return Provider(
        name=name,
        country=provider.formed("country", grammar.COUNTRY, empty=own),
        address=provider.text("address", empty=own),
        policy=provider.formed("policy", grammar.LINK, empty=own),
        transfers=provider.formed_list("transfers", grammar.COUNTRY),
    )


def _processors(table: Table) -> tuple[Processor, ...]:
    return tuple(
        Processor(name=entry.text("name"), country=entry.formed("country", grammar.COUNTRY))
        for entry in table.tables("processors", required=("name", "country"))
    )


def _cookies(table: Table) -> tuple[StoredItem, ...]:
    entries = table.tables("cookies", required=("name", "lifetime", "party", "purpose"))
    items = tuple(
        StoredItem(
            kind="cookie",
            name=entry.formed("name", grammar.COOKIE_NAME),
            lifetime=entry.formed("lifetime", grammar.LIFETIME),
            party=entry.choice("party", ("first", "third")),
            purpose=_purpose(entry),
        )
        for entry in entries
    )
    _check_distinct(entries, items)
    return items


def _storage(table: Table) -> tuple[StoredItem, ...]:
    entries = table.tables(
        "storage", required=("kind", "name", "lifetime", "purpose"), optional=("party",)
    )
    items = []
    for entry in entries:
        item = StoredItem(
            kind=entry.choice("kind", STORAGE_KINDS),
            name=entry.formed("name", grammar.STORAGE_NAME),
            lifetime=entry.formed("lifetime", grammar.LIFETIME),
            party=entry.choice("party", ("first", "third"), default="first"),
            purpose=_purpose(entry),
        )
        if item.kind == "session_storage" and item.lifetime != "session":
            raise entry.wrong("lifetime", f"is {item.lifetime!r}", 'session storage is "session"')
        items.append(item)
    _check_distinct(entries, tuple(items))
    return tuple(items)


def _connector(table: Table) -> Mapping[str, Any]:
    """Read how the vendor's own code is told of consent; `kind = "none"` says that it cannot be."""
    connector = table.table("connector", required=("kind",), optional=FIELDS)
    kind = connector.choice("kind", ("none", "calls"))
    found = {name: connector.value(name) for name in FIELDS if connector.has(name)}
    if bool(found) != (kind == "calls"):
        raise connector.wrong("kind", f"is {kind!r}", 'write "calls" with calls, "none" without')
    for field, advice in find_faults(found):
        raise connector.wrong(field, "is not right", advice)
    return MappingProxyType(found)


def _provenance(table: Table) -> tuple[Provenance, ...]:
    found = []
    for entry in table.tables(
        "provenance", required=("source", "licence", "facts"), optional=("revision", "url")
    ):
        provenance = Provenance(
            source=entry.text("source"),
            licence=entry.text("licence"),
            facts=entry.text("facts"),
            revision=entry.text("revision", default=""),
            url=entry.formed("url", grammar.LINK, default=""),
        )
        if not provenance.revision and not provenance.url:
            raise entry.wrong("revision", "is missing", "give a revision or a url")
        found.append(provenance)
    if not found:
        raise table.wrong("provenance", "is missing", "say where the facts come from")
    return tuple(found)


def _purpose(entry: Table) -> str:
    purpose = entry.text("purpose")
    if len(purpose) > PURPOSE_LENGTH:
        raise entry.wrong(
            "purpose", f"has {len(purpose)} characters", f"say it in {PURPOSE_LENGTH} at most"
        )
    return purpose


def _check_distinct(entries: tuple[Table, ...], items: tuple[StoredItem, ...]) -> None:
    seen: set[tuple[str, str]] = set()
    for entry, item in zip(entries, items, strict=True):
        if (item.kind, item.name) in seen:
            raise entry.wrong("name", f"{item.name!r} is there twice", "keep one of them")
        seen.add((item.kind, item.name))


def _check_match(service: Service, match: Table) -> None:
    known = bool(service.hosts or service.paths)
    if service.tag and not known:
        raise match.wrong("hosts", "is empty", "a tag needs a host or a path, or write tag = false")
    if known and not service.tag:
        raise match.wrong("hosts", "is filled", "without a tag there is no request to match")


def _check_necessary(service: Service, table: Table) -> None:
    # A tag is never necessary by itself: whether one is depends on the site, which must justify it.
    if service.category == "necessary" and service.tag:
        raise table.wrong(
            "category", "is 'necessary' for a tag", "the catalogue may not suggest that"
        )
