"""Connectors of a site: what its vendors' own code is told of consent, and when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from consent_server.rules.connector import (
    CONSENT_TYPES,
    MOMENTS,
    compile_call,
    connector_for,
    fill_ids,
)
from consent_server.rules.regimes import BY_REGION, EEA, Regime, running_first
from consent_server.services import SiteService

Config = Mapping[str, Any]
#: A call as widget/src/config.ts describes it.
CompiledCall = list[Any]

#: For whoever listens to the data layer, as Tag Manager's triggers do.
_DATA_LAYER_EVENT = ["dataLayer.push", {"event": "consent_update", "consent": "all grants"}]
#: Forms of calls that fill a queue.
_QUEUED = ("@", "+")
#: What widget/src/config.ts calls traits of a connector.
_STOPS, _UNTIL_HEARD = 1, 2
#: Service, its calls once granted, once refused, traits.
_WITH_TRAITS = 4
#: Where Google's tags are told no unless a visitor said yes, whoever found out where that is.
ASKED_FIRST = tuple(sorted(EEA | {"CH", "GB"}))


def is_advanced(form: Config) -> bool:
    """Tell whether Google's tags load before a decision; of a form."""
    return bool(form["consent_mode"]["mode"] == "advanced")


def is_held(service: Config) -> bool:
    """Tell whether a service of a version waits to be granted; Google's in advanced mode do not."""
    return bool(service.get("held", True))


def describe_signals(form: Config, services: Sequence[SiteService]) -> dict[str, Any]:
    """Return what a page is told beside its services, as a version keeps it; empty for nothing."""
    consent_mode = _describe_consent_mode(form, services)
    return {
        **({"consent_mode": consent_mode} if consent_mode else {}),
        **({"signals": list(form["signals"])} if form["signals"] else {}),
    }


def _describe_consent_mode(form: Config, services: Sequence[SiteService]) -> dict[str, Any]:
    """Return what Google's tags are told, empty where nobody is to be told.

    Each consent type follows the service of the site that it is about, or else a category; one
    that nothing stands for is always denied.
    """
    asks = "google_consent_mode" in form["signals"]
    if not asks and not any("consent_types" in service.connector for service in services):
        return {}
    categories = {category["key"] for category in form["categories"]} | {"necessary"}
    decides = {name: key for name, key in CONSENT_TYPES.items() if key in categories}
    for service in services:
        decides |= dict.fromkeys(service.connector.get("consent_types", ()), service.key)
    given = form["consent_mode"]
    return {
        "types": {
            name: given["types"].get(name) or decides.get(name, "") for name in CONSENT_TYPES
        },
        "advanced": is_advanced(form),
        **{name: given[name] for name in ("ads_data_redaction", "url_passthrough")},
        "wait_for_update": given["wait_for_update"],
    }


def settle_connector(service: SiteService, *, advanced: bool) -> dict[str, Any]:
    """Return a service's connector as a version keeps it: ids filled in, what is empty left out.

    In advanced mode nothing may keep Google's tags from sending.
    """
    found = {**service.connector}
    if advanced and "consent_types" in found:
        found = {name: found[name] for name in ("update", "consent_types") if name in found}
    for moment in MOMENTS:
        found[moment] = fill_ids(found.get(moment, ()), service.ids)
    return {name: value for name, value in found.items() if value or name == "consent_types"}


def compile_connectors(config: Config, regime: Regime) -> list[Any]:
    """Return what the widget's part calls, as widget/src/config.ts describes it; empty for nothing.

    First the calls that come before all others, then each connector.
    """
    opted_out = bool(running_first(config, regime))
    ahead: list[CompiledCall] = _consent_mode_ahead(config, opted_out=opted_out)
    rows: list[Any] = _consent_mode_rows(config)
    for service in config["services"]:
        connector = connector_for(service.get("connector", {}), opted_out=opted_out)
        calls = {
            moment: [
                compile_call(call, service["key"], connector.get("awaits", ()))
                for call in connector.get(moment, ())
            ]
            for moment in MOMENTS
        }
        ahead += calls["default"]
        if calls["update"]:
            rows.append(["", calls["update"]])
        if calls["grant"] or calls["revoke"]:
            traits = _STOPS * connector.get("stoppable", False)
            traits += _UNTIL_HEARD * connector.get("until_heard", False)
            rows.append([service["key"], calls["grant"], calls["revoke"], *filter(None, [traits])])
    # Each of a queue is put before what is in there.
    queued = [call for call in ahead if call[0] in _QUEUED]
    others = [call for call in ahead if call[0] not in _QUEUED]
    return [[*others, *queued[::-1]], *rows] if ahead or rows else []


def part_of_connectors(connectors: Sequence[Any]) -> str:
    """Return the name of the part that can make these calls, and no more."""
    if not connectors:
        return ""
    ahead, *rows = connectors
    calls = [*ahead, *(call for _key, *told in rows for calls in told[:2] for call in calls)]
    asked = {
        "methods": any(form not in "@~" or _needs_methods(rest) for form, *rest in calls),
        "waits": any(form == "~" for form, *_ in calls),
        "stops": any(len(row) == _WITH_TRAITS and row[-1] & _STOPS for row in rows),
    }
    return "-".join(("connectors", *(name for name, is_asked in asked.items() if is_asked)))


def _needs_methods(value: Any) -> bool:
    if isinstance(value, str):
        return value[:1] in ("!", "$", "*")
    if isinstance(value, Mapping):
        return any(map(_needs_methods, value.values()))
    return isinstance(value, list) and any(map(_needs_methods, value))


def _consent_mode_ahead(config: Config, *, opted_out: bool) -> list[CompiledCall]:
    told = config.get("consent_mode")
    if not told:
        return []
    wait = {"wait_for_update": told["wait_for_update"]} if told["advanced"] else {}
    calls: list[CompiledCall] = [["@", "dataLayer", "consent", "default", {**_types(told), **wait}]]
    if opted_out and config["regime"] == BY_REGION:
        denied = {
            name: "granted" if key == "necessary" else "denied"
            for name, key in told["types"].items()
        }
        calls.append(
            [
                "@",
                "dataLayer",
                "consent",
                "default",
                {**denied, "region": list(ASKED_FIRST), **wait},
            ]
        )
    # Only tags that tell Google Ads of a click have something to redact.
    if told["ads_data_redaction"] and _has_ads(config):
        calls.append(["@", "dataLayer", "set", "ads_data_redaction", True])
    if told["url_passthrough"]:
        calls.append(["@", "dataLayer", "set", "url_passthrough", True])
    return calls


def _has_ads(config: Config) -> bool:
    """Whether Google Ads may be among the tags: as itself, in a container, or unknown to us."""
    types = [
        service["connector"]["consent_types"]
        for service in config["services"]
        if "consent_types" in service.get("connector", {})
    ]
    return types != [["analytics_storage"]]


def _consent_mode_rows(config: Config) -> list[Any]:
    told = config.get("consent_mode")
    rows: list[Any] = []
    if told:
        rows.append(["", [["@", "dataLayer", "consent", "update", _types(told)]]])
    tells = any(
        _DATA_LAYER_EVENT in service.get("connector", {}).get("update", ())
        for service in config["services"]
    )
    if "data_layer" in config.get("signals", ()) and not tells:
        rows.append(["", [compile_call(_DATA_LAYER_EVENT, "", ())]])
    return rows


def _types(told: Mapping[str, Any]) -> dict[str, str]:
    def value(key: str) -> str:
        if key == "necessary":
            return "granted"
        return f"?{key}" if key else "denied"

    return {name: value(key) for name, key in told["types"].items()}
