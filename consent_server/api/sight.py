"""Sight: what the request at hand shows of its region and its signals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from flask import Response, request
from werkzeug.wrappers import Request

from consent_server.api.context import context
from consent_server.regions import Regions
from consent_server.rules.regimes import (
    BY_REGION,
    Regime,
    regime_for,
    signals_heeded,
    signals_known,
)
from consent_server.rules.sight import DATABASE, SIGNAL_HEADERS, Sight

Config = Mapping[str, Any]

#: What most requests show.
_NOTHING: Final = Sight()
#: Each signal, and where a request has its field.
_FIELDS: Final = tuple(
    (signal, f"HTTP_{name.upper().replace('-', '_')}") for signal, name in SIGNAL_HEADERS.items()
)


def see(config: Config, request: Request = request, regions: Regions | None = None) -> Sight:
    """Return what this request shows. Nobody is located where that would decide nothing."""
    found = ("", "")
    if config["regime"] == BY_REGION:
        found = (regions or context().regions).locate(request.headers, request.remote_addr or "")
    signals = [signal for signal, field in _FIELDS if request.environ.get(field) == "1"]
    if signals:
        known = signals_known(config)
        signals = [signal for signal in signals if signal in known]
    elif found == ("", ""):
        return _NOTHING
    return Sight(*found, frozenset(signals))


def regime_here(config: Config) -> Regime:
    """Return the regime that this visitor is under."""
    return regime_for(config, see(config).region)


def vary_by_sight(response: Response, config: Config) -> None:
    """Tell caches which fields of the request the script depends on."""
    response.vary.update(fields_of_sight(config, context().regions))


def fields_of_sight(config: Config, regions: Regions) -> list[str]:
    """Return the fields of a request that the script depends on."""
    signals = [SIGNAL_HEADERS[signal] for signal in signals_heeded(config)]
    return signals + (list(regions.depends_on) if config["regime"] == BY_REGION else [])


def was_located(sight: Sight) -> bool:
    """Tell whether the visitor's address decided: no field of the request tells that."""
    return sight.region_from == DATABASE
