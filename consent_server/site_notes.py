"""Notes: what an owner should know of a site that may be published as it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from consent_server.connector_check import warn_of_connectors
from consent_server.languages import note_unread
from consent_server.rules.decision import NECESSARY
from consent_server.rules.lifetime import least_days, parse_lifetime
from consent_server.rules.regimes import BY_REGION, Regime, sold_or_shared, table_of
from consent_server.services import resolve_service
from consent_server.word_check import doubt_site_words

#: 13 months, the longest that CNIL takes for what measures an audience.
_LONGEST_DAYS = 396


@dataclass(frozen=True, slots=True)
class Note:
    """Something to think about, with the field that it is about."""

    path: str
    message: str


def note_site(form: Mapping[str, Any]) -> tuple[Note, ...]:
    """Return what is allowed in a checked site, and may still be held against its owner."""
    found = (note for check in _NOTES for note in check(form))
    return tuple(Note(path, message) for path, message in found)


def _tag_managers(form: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for index, service in enumerate(form["services"]):
        if service.get("use") == "google-tag-manager" and service.get("category") == NECESSARY:
            yield (
                f"services.{index}.category",
                "A tag manager is not necessary for what visitors ask for: loading it already "
                "needs consent (VG Hannover, 10 A 5385/22, not final).",
            )


def _lifetimes(form: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for index, given in enumerate(form["services"]):
        items = resolve_service(given, form["languages"]).items
        long = [item.name for item in items if _is_long(item.lifetime)]
        if long:
            yield (
                f"services.{index}",
                f"{', '.join(long)}: longer than 13 months. Shorten it in the service's own "
                "settings where that can be done (CNIL, Recommendation 2020-092).",
            )


def _is_long(lifetime: str) -> bool:
    parsed = parse_lifetime(lifetime)
    return parsed is not None and parsed.number > 0 and least_days(parsed) > _LONGEST_DAYS


def _languages(form: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for note in note_unread(form["languages"]):
        yield "languages", note


def _gpp(form: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if not form["gpp"]:
        return
    if form["regime"] != BY_REGION or Regime.OPT_OUT not in table_of(form).values():
        yield (
            "gpp",
            "GPP tells of opt-outs in US states, and no visitor of this site is known to be in one "
            'under the regime opt_out. Say regime = "by_region", or leave gpp out.',
        )
    if not sold_or_shared(form):
        yield (
            "gpp",
            "No category is sold or shared (`sold_or_shared`), so every section will say that "
            "there is nothing to opt out of. If that is so, leave gpp out.",
        )


_NOTES = (warn_of_connectors, _languages, doubt_site_words, _tag_managers, _lifetimes, _gpp)
