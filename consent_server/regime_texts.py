"""Regime texts: what visitors are told where something runs before they said so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from consent_server import texts
from consent_server.rules.regimes import (
    Regime,
    regimes_of,
    runs_first,
    sensitive,
    sold_or_shared,
    valid_days,
    with_table,
)


def _(text: str) -> str:
    """Mark a text for the translation catalogues; it is looked up later."""
    return text


#: Buttons that only some regimes have, in the order in which the widget reads them.
REGIME_BUTTONS = ("opt_out", "limit_use", "object", "close")

_RUNS_FIRST: Mapping[str, str] = {
    "preferences_body": _("What is switched on here runs until you switch it off."),
}
_CHOICES = _("Your Privacy Choices")
#: Interface texts that a regime words in its own way. Labels of the opt-out are those of
#: 11 CCR 7013 to 7015.
_WORDS: Mapping[Regime, Mapping[str, str]] = {
    Regime.EXEMPT_ANALYTICS: {
        "body": _(
            "{controller} measures how the site is used; you can object at any time. "
            "Anything more waits for your consent. You can change your choice under “{entry}”."
        ),
        "preferences_body": _(
            "Measuring how the site is used runs until you object. "
            "Anything more stays off until you switch it on."
        ),
        "object": _("Object to measurement"),
    },
    Regime.OPT_OUT: {
        **_RUNS_FIRST,
        "heading": _CHOICES,
        "body": _(
            "{controller} uses cookies and similar techniques, and may sell or share personal "
            "information. You can opt out at any time under “{entry}”."
        ),
        "preferences_heading": _CHOICES,
        "entry": _CHOICES,
        "opt_out": _("Do Not Sell or Share My Personal Information"),
        "limit_use": _("Limit the Use of My Sensitive Personal Information"),
        "close": texts.CLOSE,
    },
    Regime.NOTICE_ONLY: {
        **_RUNS_FIRST,
        "heading": _("This site uses cookies"),
        "body": _(
            "{controller} uses cookies and similar techniques. "
            "You can switch them off at any time under “{entry}”."
        ),
        "close": texts.CLOSE,
    },
    Regime.OFF: _RUNS_FIRST,
}


def word_regimes(
    form: Mapping[str, Any], ui: Mapping[str, str], language: str
) -> dict[str, dict[str, str]]:
    """Return regime -> what it words otherwise than `ui`, for the regimes that a site can show.

    An owner's own heading and body are written for asking first, so they do not hold here.
    """
    shown = [regime for regime in regimes_of(with_table(form)) if regime in _WORDS]
    return {str(regime): dict(_word(form, regime, ui, language)) for regime in shown}


def _word(
    form: Mapping[str, Any], regime: Regime, ui: Mapping[str, str], language: str
) -> Iterator[tuple[str, str]]:
    own_entry = _WORDS[regime].get("entry")
    entry = texts.translate(language, own_entry) if own_entry else ui["entry"]
    left_out = {
        "opt_out": not sold_or_shared(form),
        "limit_use": not sensitive(form),
    }
    for key, text in _WORDS[regime].items():
        if not left_out.get(key):
            told = texts.isolate(language, texts.translate(language, text))
            yield key, texts.fill(told, controller=form["controller"]["name"], entry=entry)
    if runs_first(regime):
        # Of our own cookie, which lives longer there.
        yield "valid", texts.spell_lifetime(language, f"{valid_days(form, regime)}d")
