"""Sight: what this server saw of a request itself, beside what the browser says of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from consent_server.rules.decision import Signal

#: What the ledger calls how a signal was seen.
HEADER: Final = "header"
PROPERTY: Final = "property"
#: ... and how the region was known; nobody knows it where there is neither.
DATABASE: Final = "database"

#: The request's fields; only the exact value counts (Global Privacy Control, 3.2).
SIGNAL_HEADERS: Final[Mapping[Signal, str]] = {Signal.GPC: "Sec-GPC", Signal.DNT: "DNT"}


@dataclass(frozen=True, slots=True)
class Sight:
    """Where the request came from, how that is known, and the signals that came with it."""

    #: ISO 3166-1 or -2; empty where nobody knows, and where it decides nothing.
    region: str = ""
    #: `header`, `database`, or empty.
    region_from: str = ""
    signals: frozenset[Signal] = frozenset()

    @property
    def signal(self) -> str:
        """Return the signal that counts, GPC before DNT; empty for none."""
        return next((str(one) for one in Signal if one in self.signals), "")


def signal_in(signals: Mapping[str, str]) -> str:
    """Return the signal that a record tells of, GPC before DNT; empty for none."""
    return next((str(one) for one in Signal if one in signals), "")


def describe_signals(sight: Sight, said: str) -> dict[str, str]:
    """Return the `signals` of a record: each signal with how it was seen, and the region's.

    `said` is the signal that the page claims: `property` where no header bears it out.
    """
    found = {}
    for signal in Signal:
        if signal in sight.signals:
            found[str(signal)] = HEADER
        elif signal == said:
            found[str(signal)] = PROPERTY
    return {**found, **({"region": sight.region_from} if sight.region_from else {})}
