"""The table of docs/connectors.md: what each catalogued service is told, from its own file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from consent_server.catalogue import load_catalogue


def connector_rows() -> list[list[str]]:
    """Give a row for each service that can be told something; Google's are told together."""
    return [
        [f"`{key}`", *_row(service.connector)]
        for key, service in load_catalogue().items()
        if any(service.connector.get(moment) for moment in ("grant", "revoke", "update"))
    ]


def _row(connector: Mapping[str, Any]) -> list[str]:
    def told(moment: str) -> str:
        calls = [*connector.get(moment, ()), *connector.get("update", ())]
        return ", ".join(_spell(call) for call in calls) or "-"

    before = ", ".join(_spell(call) for call in connector.get("default", ())) or "-"
    then = "the page stays" if connector.get("stoppable") else "loaded again"
    return [before, told("grant"), told("revoke"), then]


def _spell(call: Sequence[Any]) -> str:
    target, *arguments = call
    if target.endswith(" ="):
        return f"`{target} {json.dumps(arguments[0])}`"
    return f"`{target}({', '.join(json.dumps(one) for one in arguments)})`"
