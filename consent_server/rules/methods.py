"""Methods: what each way of saying it may grant, under the regime in which it was said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from consent_server.errors import Conflict
from consent_server.rules.decision import Decision, Method, Signal, optional_services
from consent_server.rules.regimes import (
    Regime,
    exempt,
    honours_dnt,
    runs_first,
    sensitive,
    sold_or_shared,
)

Config = Mapping[str, Any]

#: Methods that refuse some categories, and say nothing against others.
_REFUSED: Final = {
    Method.GPC: sold_or_shared,
    Method.DNT: sold_or_shared,
    Method.OPT_OUT: sold_or_shared,
    Method.LIMIT_USE: sensitive,
    Method.OBJECT: exempt,
}


def check_method(config: Config, decision: Decision, regime: Regime) -> None:
    """Refuse grants that the method could not have led to. Raises Conflict."""
    granted = {key for key, yes in decision.grants.items() if yes}
    method = decision.method
    if decision.signal == Signal.DNT and not honours_dnt(config):
        raise Conflict(f"Version {decision.version} does not listen to Do Not Track.")
    if method is Method.ACCEPT_ALL and not _accepts_all(config, decision):
        raise Conflict("`accept_all` cannot refuse anything but what a signal refuses.")
    if method in {Method.REJECT_ALL, Method.WITHDRAW} and granted:
        raise Conflict(f"`{method}` cannot grant anything.")
    if method is Method.IMPORT and not config.get("import_decisions"):
        raise Conflict(f"Version {decision.version} takes no decisions over from elsewhere.")
    if method in _REFUSED and granted & keys_in(config, _REFUSED[method](config)):
        raise Conflict(f"`{method}` cannot grant what it refuses.")
    if method in {Method.GPC, Method.DNT} and decision.signal != str(method):
        raise Conflict(f"The method `{method}` is that of a `signal` of this name.")
    has_button = {
        Method.OPT_OUT: runs_first(regime),
        Method.LIMIT_USE: runs_first(regime),
        Method.OBJECT: regime is Regime.EXEMPT_ANALYTICS,
    }
    if not has_button.get(method, True):
        raise Conflict(f"Where {regime} holds, nothing is said by `{method}`.")


def keys_in(config: Config, categories: list[str]) -> set[str]:
    """Return these categories and their services."""
    services = optional_services(config)
    return {key for category in categories for key in (category, *services[category])}


def _accepts_all(config: Config, decision: Decision) -> bool:
    refused = {key for key, yes in decision.grants.items() if not yes}
    may = keys_in(config, sold_or_shared(config)) if decision.signal else set()
    return refused <= may
