"""Regimes: the rule by which a visitor is asked, and in which region which rule holds."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from consent_server.rules.decision import NECESSARY, Signal

Config = Mapping[str, Any]


class Regime(StrEnum):
    """What runs before the visitor has said anything; strictest first."""

    #: Nothing optional (ePrivacy Directive, article 5(3)).
    OPT_IN = "opt_in"
    #: Statistics of the site's own until the visitor objects (PECR, schedule A1).
    EXEMPT_ANALYTICS = "exempt_analytics"
    #: Everything until the visitor opts out of sale and sharing (Cal. Civ. Code 1798.120).
    OPT_OUT = "opt_out"
    #: Everything; visitors are told, and may switch it off.
    NOTICE_ONLY = "notice_only"
    #: Everything, and nobody is told; signals and the preferences still hold.
    OFF = "off"


#: What a site says in place of one regime: the visitor's region decides.
BY_REGION: Final = "by_region"

#: Under it most runs before a word is said, so that a refusal must last.
_RUNS_FIRST: Final = frozenset({Regime.OPT_OUT, Regime.NOTICE_ONLY, Regime.OFF})
#: Longer than the twelve months that an opt-out must hold (Cal. Civ. Code 1798.135(c)(4)),
#: shorter than the 400 days that browsers keep a cookie.
MAX_VALID_DAYS: Final = 390

_EU: Final = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK"
_OUTERMOST: Final = "AX GF GP MF MQ RE YT"  # with codes of their own, Aaland among them
_EFTA: Final = "IS LI NO"
EEA: Final = frozenset(f"{_EU} {_OUTERMOST} {_EFTA}".split())
_STATES: Final = "CA CO CT DE FL IA IN KY MD MN MT NE NH NJ OR RI TN TX UT VA"
#: States with a law in force by which a visitor may opt out of sale or targeted advertising.
US_OPT_OUT: Final = frozenset(f"US-{state}" for state in _STATES.split())
#: Region (ISO 3166-1 or -2) -> regime; everywhere else is asked first.
BUILT_IN: Final[Mapping[str, Regime]] = {
    "GB": Regime.EXEMPT_ANALYTICS,
    **dict.fromkeys(sorted(US_OPT_OUT), Regime.OPT_OUT),
}

#: What a site means that does not say which categories these are.
_SOLD_OR_SHARED: Final = ("marketing",)
_EXEMPT: Final = ("analytics",)


def optional_keys(config: Config) -> list[str]:
    """Return the categories that visitors decide on; of a form or a snapshot."""
    return [one["key"] for one in config["categories"] if one["key"] != NECESSARY]


def sold_or_shared(config: Config) -> list[str]:
    """Return the categories that GPC, DNT and the opt-out link refuse."""
    return _named(config, "sold_or_shared", _SOLD_OR_SHARED)


def sensitive(config: Config) -> list[str]:
    """Return the categories that use sensitive personal information (Cal. Civ. Code 1798.121)."""
    return _named(config, "sensitive", ())


def exempt(config: Config) -> list[str]:
    """Return the categories that are statistics of the site's own and no more."""
    if config.get("exempt") is not None:
        return _named(config, "exempt", ())
    others = {*sold_or_shared(config), *sensitive(config)}
    return [key for key in _named(config, "exempt", _EXEMPT) if key not in others]


def honours_dnt(config: Config) -> bool:
    """Tell whether Do Not Track counts as an opt-out here; GPC always does."""
    return bool(config.get("do_not_track", True))


def signals_known(config: Config) -> list[Signal]:
    """Return the signals that a site follows and records, GPC first."""
    return [signal for signal in Signal if signal is not Signal.DNT or honours_dnt(config)]


def signals_heeded(config: Config) -> list[Signal]:
    """Return the signals that refuse anything of what a version of a site asks for."""
    return signals_known(config) if sold_or_shared(config) else []


def table_of(form: Config) -> dict[str, str]:
    """Return region -> regime as a site by region has it, its own words over the built-in."""
    table = {**BUILT_IN, **form["regions"]}
    if not exempt(form):  # there is nothing that the exemption could cover
        table = {
            region: Regime.OPT_IN if regime == Regime.EXEMPT_ANALYTICS else regime
            for region, regime in table.items()
        }
    return {region: str(table[region]) for region in sorted(table)}


def with_table(form: Config) -> Config:
    """Return a form with the table that its snapshot has, so that it can be asked the same."""
    return {**form, "regions": table_of(form)} if form["regime"] == BY_REGION else form


def is_only_told(regime: str) -> bool:
    """Tell whether the notice of a regime asks nothing, and can be closed."""
    return regime in {Regime.OPT_OUT, Regime.NOTICE_ONLY}


def regimes_of(config: Config) -> list[Regime]:
    """Return the regimes that visitors of a version can meet, strictest first."""
    if config["regime"] != BY_REGION:
        return [Regime(config["regime"])]
    found = {Regime.OPT_IN, *map(Regime, config["regions"].values())}
    return [regime for regime in Regime if regime in found]


def regimes_shown(config: Config) -> list[Regime]:
    """Return the regimes of a version in which visitors are shown something."""
    return [regime for regime in regimes_of(config) if regime is not Regime.OFF]


def regime_for(config: Config, region: str) -> Regime:
    """Return the regime of a version in a region: "US-CA", "DE", or "" for nobody knows.

    A state that the table does not name is asked as its country is; what nobody knows, as
    strictly as anywhere.
    """
    if config["regime"] != BY_REGION:
        return Regime(config["regime"])
    table: Mapping[str, str] = config["regions"]
    return Regime(table.get(region) or table.get(region.partition("-")[0]) or Regime.OPT_IN)


def running_first(config: Config, regime: Regime) -> list[str]:
    """Return the categories that run until the visitor refuses them."""
    if regime in _RUNS_FIRST:
        return optional_keys(config)
    return exempt(config) if regime == Regime.EXEMPT_ANALYTICS else []


def runs_first(regime: str) -> bool:
    """Tell whether everything runs until it is refused."""
    return regime in _RUNS_FIRST


def valid_days(config: Config, regime: str) -> int:
    """Return how long a decision holds: where things run first, an opt-out outlives a year."""
    days: int = config["valid_days"]
    return max(days, MAX_VALID_DAYS) if regime in _RUNS_FIRST else days


def longest_valid_days(config: Config) -> int:
    """Return how long the longest decision of a version holds."""
    return max(valid_days(config, regime) for regime in regimes_of(config))


def _named(config: Config, field: str, default: tuple[str, ...]) -> list[str]:
    """Return the categories that a field names, in the site's order."""
    named = config.get(field)
    chosen = default if named is None else named
    return [key for key in optional_keys(config) if key in chosen]
