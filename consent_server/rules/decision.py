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


class Signal(StrEnum):
    """What a browser asks of every site, for its user."""

    #: Global Privacy Control: `Sec-GPC: 1`, `navigator.globalPrivacyControl`.
    GPC = "gpc"
    #: Do Not Track: `DNT: 1`, `navigator.doNotTrack`.
    DNT = "dnt"


class Method(StrEnum):
    """How the visitor said it."""

    ACCEPT_ALL = "accept_all"
    REJECT_ALL = "reject_all"
    SAVE = "save"
    SERVICE = "service"
    WITHDRAW = "withdraw"
    API = "api"
    IMPORT = "import"
    #: The visitor had said it at another address of the site.
    HANDOVER = "handover"
    #: The visitor had said it on another device where they are signed in.
    IDENTIFY = "identify"
    #: Buttons of regimes where something runs first.
    OPT_OUT = "opt_out"
    LIMIT_USE = "limit_use"
    OBJECT = "object"
    #: The browser said it; see `Signal`.
    GPC = "gpc"
    DNT = "dnt"


#: Of records that this server makes itself, from one that it has.
COPYING = frozenset({Method.HANDOVER, Method.IDENTIFY})


class Layer(StrEnum):
    """Where the visitor said it."""

    NOTICE = "notice"
    PREFERENCES = "preferences"
    PLACEHOLDER = "placeholder"
    API = "api"
    #: The visitor's own page, which this server shows.
    PAGE = "page"
    #: The form of this server for browsers without script.
    FORM = "form"
    #: Nowhere on the page: the browser said it.
    SIGNAL = "signal"


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
    #: What the browser asked for, by the word of the page.
    signal: str = ""


#: They refuse, whatever else goes on.
_REFUSING = frozenset({Method.OPT_OUT, Method.LIMIT_USE, Method.OBJECT, Method.GPC, Method.DNT})


def optional_services(config: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Return every optional category of a version with the keys of its services."""
    return {
        category["key"]: tuple(category["services"])
        for category in config["categories"]
        if category["key"] != NECESSARY
    }


def optional_keys(config: Mapping[str, Any]) -> frozenset[str]:
    """Return every optional category and service of a version."""
    categories = optional_services(config)
    return frozenset(categories).union(*categories.values())


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
    if config.get("children") == "always":
        raise Conflict(
            f"Version {decision.version} asks nobody: it is for children (`children`), whose "
            "consent a site cannot take from a notice (GDPR article 8)."
        )
    categories = optional_services(config)
    known = optional_keys(config)
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


def kind_of(grants: Grants, previous: Grants | None, method: Method) -> Kind:
    """Name the event that `grants` are after the subject's `previous` ones."""
    if previous is None and method in _REFUSING:
        return Kind.REFUSED  # what goes on was not consented to
    grants_any = any(grants.values())
    granted_before = any(previous.values()) if previous else False
    if not grants_any:
        return Kind.WITHDRAWN if granted_before else Kind.REFUSED
    if not granted_before or previous == grants:
        return Kind.GIVEN
    return Kind.CHANGED
