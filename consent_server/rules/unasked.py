"""Unasked: what runs without a question is no consent where a question is asked.

A decision that holds some of it tells so in its cookie, by refused keys that are no
category's and no service's (widget/src/unasked.ts); the record tells it by its regime.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Any, Final

from consent_server.rules.decision import Grants, Layer, Method
from consent_server.rules.regimes import Regime


class Unasked(IntEnum):
    """How much of what is granted nobody was asked for; each value is the number of its marks."""

    NOTHING = 0
    #: Some of it: the exempt categories.
    SOME = 1
    #: Nothing of it was asked for.
    ALL = 2


#: The keys that mark a decision, refused, behind all others.
MARKS: Final = ("asked", "asked-any")


def without_marks(grants: Grants) -> Grants:
    """Return what a browser sent without its marks: the server knows the regime by the script."""
    if grants.keys().isdisjoint(MARKS):
        return grants
    return {key: granted for key, granted in grants.items() if key not in MARKS}


def unasked_in(regime: str) -> Unasked:
    """Return how much of what runs under a regime is asked for nowhere."""
    if regime == Regime.OPT_IN:
        return Unasked.NOTHING
    return Unasked.SOME if regime == Regime.EXEMPT_ANALYTICS else Unasked.ALL


def unasked(regime: str, method: Method, layer: Layer, grants: Grants) -> Unasked:
    """Return how much of what a decision grants nobody was asked for.

    Whoever accepted all has said so. So has who used the form without script: nothing runs
    there, and nothing is ticked that was not asked for. Of a copy nobody knows.
    """
    if method is Method.ACCEPT_ALL or layer is Layer.FORM or not any(grants.values()):
        return Unasked.NOTHING
    return unasked_in(regime)


def unasked_of(receipt: Mapping[str, Any]) -> Unasked:
    """Return how much of what a record grants nobody was asked for."""
    method, layer = Method(receipt["method"]), Layer(receipt["layer"])
    return unasked(receipt["regime"], method, layer, receipt["grants"])
