"""Decisions: what a visitor may say about a version, and what it amounts to."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from consent_server.errors import Conflict

NECESSARY = "necessary"

#: 16 random bytes in hex: nothing of the device or the person is in it.
SUBJECT_ID = re.compile(r"[0-9a-f]{32}", re.ASCII)

Grants = Mapping[str, bool]


class Method(StrEnum):
    """How the visitor said it."""

    ACCEPT_ALL = "accept_all"
    REJECT_ALL = "reject_all"
    SAVE = "save"
    SERVICE = "service"
    WITHDRAW = "withdraw"
    API = "api"
    IMPORT = "import"


class Layer(StrEnum):
    """Where the visitor said it."""

    NOTICE = "notice"
    PREFERENCES = "preferences"
    PLACEHOLDER = "placeholder"
    API = "api"
    #: The visitor's own page, which this server shows.
    PAGE = "page"


class Kind(StrEnum):
    """What the decision is, seen from the one before it."""

    GIVEN = "given"
    REFUSED = "refused"
    CHANGED = "changed"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    ERASED = "erased"


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision as it left the browser."""

    decision_id: UUID
    subject_id: str
    method: Method
    layer: Layer
    version: int
    script: str
    language: str
    grants: Grants
    decided_at: datetime


def optional_services(config: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Return every optional category of a version with the keys of its services."""
    return {
        category["key"]: tuple(category["services"])
        for category in config["categories"]
        if category["key"] != NECESSARY
    }


def grants_for(config: Mapping[str, Any], allowed: Collection[str]) -> dict[str, bool]:
    """Return the grants that allow these services, and these categories without services.

    What the version does not know is not granted to anybody.
    """
    grants: dict[str, bool] = {}
    for category, services in optional_services(config).items():
        grants |= {key: key in allowed for key in services}
        grants[category] = all(grants[key] for key in services) if services else category in allowed
    return grants


def check_decision(config: Mapping[str, Any], decision: Decision) -> None:
    """Refuse a decision that the version it names could not have led to.

    Every optional category and service must be answered, nothing else may be,
    and a category with services is granted exactly when all of them are.
    Raises Conflict.
    """
    categories = optional_services(config)
    known = set(categories).union(*categories.values())
    given = set(decision.grants)
    if given != known:
        raise Conflict(
            f"The grants do not answer version {decision.version}: "
            "every optional category and service must be true or false, and nothing else.",
            errors={"missing": sorted(known - given), "unknown": sorted(given - known)},
        )
    for category, services in categories.items():
        if services and decision.grants[category] != all(decision.grants[s] for s in services):
            raise Conflict(
                f"The category {category!r} must be granted exactly when all its services are.",
                errors={category: sorted(services)},
            )
    if decision.language not in config["languages"]:
        raise Conflict(
            f"Version {decision.version} was not shown in {decision.language!r}.",
            errors={"language": list(config["languages"])},
        )
    _check_method(config, decision)


def _check_method(config: Mapping[str, Any], decision: Decision) -> None:
    values = set(decision.grants.values())
    refusing = {Method.REJECT_ALL, Method.WITHDRAW}
    if decision.method is Method.ACCEPT_ALL and False in values:
        raise Conflict("`accept_all` cannot refuse anything.")
    if decision.method in refusing and True in values:
        raise Conflict(f"`{decision.method}` cannot grant anything.")
    if decision.method is Method.IMPORT and not config.get("import_decisions"):
        raise Conflict(f"Version {decision.version} takes no decisions over from elsewhere.")


def kind_of(grants: Grants, previous: Grants | None) -> Kind:
    """Name the event that `grants` are after the subject's `previous` ones."""
    grants_any = any(grants.values())
    granted_before = any(previous.values()) if previous else False
    if not grants_any:
        return Kind.WITHDRAWN if granted_before else Kind.REFUSED
    if not granted_before or previous == grants:
        return Kind.GIVEN
    return Kind.CHANGED
