"""Archive: every version with its dates, and what changed since the one before, as facts.

The facts are words of a fixed list, so that a page can say them in every language and a
program can count them. `consent-server site diff` and the API tell each changed field.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from consent_server.rules.admin_event import Action
from consent_server.sites import find_version, read_config
from consent_server.snapshot import Config, material_facts
from consent_server.store.models import AdminEvent, Site, SiteVersion

#: Fields of a service, and the fact that a difference in them is.
_OF_A_SERVICE: Mapping[str, str] = {
    "category": "service_moved",
    "legal_basis": "service_ground",
    "justification": "service_ground",
    "provider": "service_recipients",
    "address": "service_recipients",
    "processors": "service_recipients",
    "policy": "service_recipients",
    "country": "service_countries",
    "transfers": "service_countries",
    "retention": "service_retention",
    "items": "service_items",
    "hosts": "service_addresses",
    "paths": "service_addresses",
}
#: Fields of a snapshot beside categories, services and texts; likewise.
_OF_A_SITE: Mapping[str, str] = {
    "name": "name",
    "announcement": "announcement",
    "controller": "controller",
    "data_protection": "contacts",
    "supervisory_authority": "contacts",
    **dict.fromkeys(
        (
            *("regime", "regions", "sold_or_shared", "sensitive", "exempt", "do_not_track"),
            "children",
        ),
        "regime",
    ),
    "ask_again": "ask_again",
    "valid_days": "valid_days",
    "keep_records": "keep_records",
    "origins": "site_addresses",
    "cookie_domain": "site_addresses",
    "hand_over": "site_addresses",
    "identify": "site_addresses",
    "blocking": "technique",
    "allowed_hosts": "technique",
    "compatible": "technique",
    "compatible_names": "technique",
    "import_decisions": "technique",
    "format": "technique",
}
_OF_A_THEME: Mapping[str, str] = {"form": "form", "light": "colours", "dark": "colours"}
#: Fields of a snapshot that need more than a look at whether they differ.
_TOLD_APART = {"theme", "categories", "services", "texts", "links", "new_since"}
#: Texts that follow from the services, and change with them alone.
_DERIVED = {"services_link", "count", "direction"}

#: What a new material fact is called as a reason to ask again.
_REASONS: Mapping[str, str] = {
    "controller": "controller",
    "regime": "regime",
    "ask_again": "ask_again",
    "holds_at": "site_addresses",
    "follows_sign_in": "site_addresses",
    "category": "category_added",
    "ground": "service_ground",
    "recipient": "service_recipients",
    "country": "service_countries",
}


@dataclass(frozen=True, slots=True, order=True)
class Fact:
    """One thing that changed: what, of which category, service or language, and its name."""

    what: str
    key: str = ""
    #: Language -> name, where a category or service is meant.
    names: Mapping[str, str] = field(default_factory=dict, compare=False, hash=False)


@dataclass(frozen=True, slots=True)
class ArchivedVersion:
    """A version in its place in time."""

    version: SiteVersion
    config: Config
    #: When the next one, or the end of the site, came, or the site was retired before the
    #: next one brought it back; None while it is shown.
    until: datetime | None
    changes: tuple[Fact, ...]
    #: Why visitors were asked again; empty where they were not.
    reasons: tuple[Fact, ...]

    @property
    def is_first(self) -> bool:
        """Tell whether no version came before."""
        return self.version.number == 1

    @property
    def asked_again(self) -> bool:
        """Tell whether decisions on earlier versions stopped counting."""
        return self.version.material_since == self.version.number


def archive_versions(
    session: Session, site: Site, versions: list[SiteVersion]
) -> list[ArchivedVersion]:
    """Return the versions of a site, newest first, as the archive tells them."""
    ordered = sorted(versions, key=lambda version: version.number)
    configs = [read_config(version) for version in ordered]
    retired = _retired(session, site) if len(ordered) > 1 else {}
    found = []
    for place, version in enumerate(ordered):
        is_last = place == len(ordered) - 1
        before = configs[place - 1] if place else None
        until = None if is_last else ordered[place + 1].published_at
        found.append(
            ArchivedVersion(
                version=version,
                config=configs[place],
                until=site.retired_at if is_last else retired.get(version.number, until),
                changes=tuple(describe_changes(before, configs[place])) if before else (),
                reasons=tuple(describe_reasons(before, configs[place])) if before else (),
            )
        )
    return found[::-1]


def archive_version(session: Session, site: Site, number: int) -> ArchivedVersion:
    """Return one version between its neighbours; raises NotFound."""
    found = [find_version(session, site, number)]
    found += filter(
        None, (session.get(SiteVersion, (site.id, n)) for n in (number - 1, number + 1))
    )
    told = archive_versions(session, site, found)
    return next(one for one in told if one.version.number == number)


def _retired(session: Session, site: Site) -> dict[int, datetime]:
    """Return when the site was retired with a version that never came back."""
    query = (
        select(AdminEvent.action, AdminEvent.details, AdminEvent.happened_at)
        .where(
            AdminEvent.site_id == site.id,
            AdminEvent.action.in_([Action.PUBLISH, Action.RETIRE]),
        )
        # Of one moment, being shown counts.
        .order_by(AdminEvent.happened_at, AdminEvent.action.desc())
    )
    last = {json.loads(row.details)["version"]: row for row in session.execute(query)}
    return {number: row.happened_at for number, row in last.items() if row.action == Action.RETIRE}


def describe_changes(old: Config, new: Config) -> list[Fact]:
    """Return what differs, each fact once: services first, texts and looks last."""
    facts = [
        *_of_keyed(old, new, "services", "service"),
        *_of_keyed(old, new, "categories", "category"),
        *_of_table(old, new, _OF_A_SITE, _TOLD_APART),
        *([Fact("links")] if _links(old, new) != _links(new, old) else []),
        *_of_languages(old, new),
        *_of_table(old["theme"], new["theme"], _OF_A_THEME, set(), "looks"),
    ]
    return list(dict.fromkeys(facts))


def describe_reasons(old: Config, new: Config) -> list[Fact]:
    """Return why visitors were asked again: what is new among what they decide on."""
    facts = [json.loads(fact) for fact in material_facts(new) - material_facts(old)]
    known = {service["key"] for service in old["services"]}
    found = []
    for kind, *details in facts:
        is_service = kind in {"ground", "recipient", "country"}
        key = details[0] if is_service or kind == "category" else ""
        what = "service_added" if is_service and key not in known else _REASONS[kind]
        found.append(Fact(what, key, _names(new, key)))
    return sorted(set(found))


def _of_keyed(old: Config, new: Config, field: str, noun: str) -> Iterator[Fact]:
    was, now = ({one["key"]: one for one in config[field]} for config in (old, new))
    for key in now:
        if key not in was:
            yield Fact(f"{noun}_added", key, _names(new, key))
    for key in was:
        if key not in now:
            yield Fact(f"{noun}_removed", key, _names(old, key))
    for key in now:
        if noun == "service" and key in was:
            for fact in _of_table(was[key], now[key], _OF_A_SERVICE, set(), "service_details"):
                yield Fact(fact.what, key, _names(new, key))
    both = [key for key in now if key in was]
    if both != [key for key in was if key in now] or (
        noun == "category"
        and any(
            [k for k in was[key]["services"] if k in now[key]["services"]]
            != [k for k in now[key]["services"] if k in was[key]["services"]]
            for key in both
        )
    ):
        yield Fact("order")


def _of_table(
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    words: Mapping[str, str],
    left_out: set[str],
    otherwise: str = "technique",
) -> Iterator[Fact]:
    for name in (*new, *(name for name in old if name not in new)):
        if name not in left_out and name != "languages" and old.get(name) != new.get(name):
            yield Fact(words.get(name, otherwise))


def _of_languages(old: Config, new: Config) -> Iterator[Fact]:
    for language in new["languages"]:
        if language not in old["languages"]:
            yield Fact("language_added", language)
        elif _wording(old, new, language) != _wording(new, old, language):
            yield Fact("wording", language)
    for language in old["languages"]:
        if language not in new["languages"]:
            yield Fact("language_removed", language)
    kept = [one for one in new["languages"] if one in old["languages"]]
    if kept != [one for one in old["languages"] if one in new["languages"]]:
        yield Fact("order")


def _links(config: Config, other: Config) -> Any:
    """Return the addresses, without those of languages that only one side has."""
    policy = config["links"]["policy"]
    kept = {language: policy[language] for language in policy if language in other["languages"]}
    return {**config["links"], "policy": kept}


def _wording(config: Config, other: Config, language: str) -> Any:
    """Return the texts that are not said by another fact already.

    Those of services and categories that only one side has go with them, as do counts,
    and words for facts such as countries and lifetimes.
    """
    words = config["texts"][language]
    shared = other["texts"][language]
    return [
        {k: v for k, v in words["ui"].items() if k not in _DERIVED and k != "policy_url"},
        {k: v for k, v in words.get("regimes", {}).items() if k in shared.get("regimes", {})},
        [
            {k: v for k, v in words["categories"][key].items() if k not in _DERIVED}
            for key in sorted(words["categories"])
            if key in shared["categories"]
        ],
        [
            (told["name"], told["purpose"], _item_purposes(config, other, key, told))
            for key, told in sorted(words["services"].items())
            if key in shared["services"]
        ],
    ]


def _item_purposes(
    config: Config, other: Config, key: str, told: Mapping[str, Any]
) -> list[str] | None:
    """Return what the items are for; None where they are not the same ones, which is told."""
    here, there = (
        next(service["items"] for service in one["services"] if service["key"] == key)
        for one in (config, other)
    )
    return [item["purpose"] for item in told["items"]] if here == there else None


def _names(config: Config, key: str) -> dict[str, str]:
    found = {}
    for language, words in config["texts"].items():
        told = words["services"].get(key) or words["categories"].get(key)
        if told:
            found[language] = told["name"]
    return found
