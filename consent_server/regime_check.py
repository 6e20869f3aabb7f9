"""What a site may not say about regimes and regions, each with the law that it breaks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from consent_server.rules.regimes import (
    BY_REGION,
    EEA,
    US_OPT_OUT,
    Regime,
    exempt,
    optional_keys,
    sold_or_shared,
)

Finding = tuple[str, str]

_UK = frozenset({Regime.OPT_IN, Regime.EXEMPT_ANALYTICS})
_US = frozenset({Regime.OPT_IN, Regime.EXEMPT_ANALYTICS, Regime.OPT_OUT})


def check_regimes(form: Mapping[str, Any]) -> Iterator[Finding]:
    """Give every finding with its field."""
    yield from _site(form)
    yield from _regions(form)
    yield from _categories(form)


def _site(form: Mapping[str, Any]) -> Iterator[Finding]:
    regime, country = form["regime"], form["controller"]["country"]
    if regime == BY_REGION:
        return
    if form["regions"]:
        yield "regions", 'Only with regime = "by_region" does the region decide.'
    if said := _forbidden(country, regime):
        yield "regime", f'{said} Say regime = "by_region", and each region gets its own.'


def _regions(form: Mapping[str, Any]) -> Iterator[Finding]:
    for region, regime in form["regions"].items():
        if said := _forbidden(region, regime):
            yield f"regions.{region}", said


def _forbidden(region: str, regime: str) -> str:
    """Return the law that a regime would break in a region; empty for none that we know."""
    country = region.partition("-")[0]
    if country in EEA and regime != Regime.OPT_IN:
        return "Visitors there must be asked first (ePrivacy Directive, article 5(3))."
    if country == "GB" and regime not in _UK:
        return "Visitors there must be asked first (PECR, regulation 6 and schedule A1)."
    if region in US_OPT_OUT and regime not in _US:
        return "Visitors there must be able to opt out (opt_out, or stricter)."
    return ""


def _categories(form: Mapping[str, Any]) -> Iterator[Finding]:
    known, regime = optional_keys(form), form["regime"]
    for field in ("sold_or_shared", "sensitive", "exempt"):
        for index, key in enumerate(form[field] or ()):
            if key not in known:
                yield f"{field}.{index}", f"The site has no optional category {key!r}."
    if regime not in _UK and form["sold_or_shared"] is None and not sold_or_shared(form):
        yield (
            "sold_or_shared",
            "Say which categories sell or share personal information (Cal. Civ. Code 1798.135): "
            "there is no category marketing. [] says that none does.",
        )
    if regime == Regime.EXEMPT_ANALYTICS and not exempt(form):
        yield (
            "exempt",
            "Say which category holds statistics of the site's own and nothing else (PECR, "
            "schedule A1, paragraph 5): there is no category analytics.",
        )
    for key in exempt(form):
        if key in sold_or_shared(form) or key in (form["sensitive"] or ()):
            yield (
                "exempt",
                f"{key!r} cannot be exempt: statistics that are sold, shared or sensitive are not "
                "for the site's own use alone (PECR, schedule A1, paragraph 5).",
            )
