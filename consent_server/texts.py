"""Interface texts: every word of the notice, resolved per language at publish time.

Nothing is worded in the browser: counts, countries and lifetimes are spelled here, so
that the published snapshot holds exactly what a visitor can read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from babel import Locale
from babel.lists import format_list

from consent_server.durations import spell_duration
from consent_server.languages import CATALOGUE, isolate_name, load_translations
from consent_server.rules.decision import NECESSARY
from consent_server.rules.lifetime import parse_lifetime


def _(text: str) -> str:
    """Mark a text for the translation catalogues; it is looked up later."""
    return text


def ngettext(one: str, many: str) -> tuple[str, str]:
    """Mark a text that depends on a number."""
    return one, many


UI_TEXTS: Mapping[str, str] = {
    "heading": _("May we use cookies beyond what is necessary?"),
    "body": _(
        "{controller} asks to use cookies and similar techniques. "
        "You can change or withdraw your choice at any time under “{entry}”."
    ),
    "accept_all": _("Accept all"),
    "reject_all": _("Reject all"),
    "settings": _("Settings"),
    "policy": _("Privacy policy"),
    "preferences_heading": _("Cookie settings"),
    "preferences_body": _("Everything beyond the necessary stays off until you switch it on."),
    "save": _("Save my choices"),
    "withdraw": _("Withdraw consent"),
    "close": _("Back"),
    "entry": _("Cookie settings"),
    "always_on": _("Always on"),
    "purpose_label": _("What for"),
    "provider_label": _("Provider"),
    "transfers_label": _("Data also goes to"),
    "legal_basis_label": _("Legal basis"),
    "retention_label": _("Data is kept"),
    "items_label": _("Cookies and storage"),
    "no_items": _("Stores nothing in your browser"),
    "decided": _("You decided on {date} (version {version})."),
    # Once it led to the version alone; published versions hold it under this name.
    "shown_link": _("My record"),
    "id_label": _("Consent ID"),
    "held": _("{service} sends data to {provider} and needs your consent."),
    "allow_service": _("Always allow {service}"),
    "load_once": _("Load once"),
    "saved": _("Your choice is saved."),
    "honoured": _("Opt-out request honoured: {categories}."),
    "news": _("New or changed since your last choice: {services}."),
}

#: What a site may word in its own way. Labels of buttons are not among them: a
#: refusal must be called by its name (EDPB Guidelines 03/2022).
OVERRIDABLE = frozenset(
    {"heading", "body", "policy", "preferences_heading", "preferences_body", "always_on", "held"}
)

CATEGORY_TEXTS: Mapping[str, tuple[str, str]] = {
    NECESSARY: (
        _("Necessary"),
        _("Make the site work and remember your choice."),
    ),
    "functional": (
        _("Functional"),
        _("Chats, maps, videos and other added features."),
    ),
    "analytics": (
        _("Analytics"),
        _("Measures how the site is used."),
    ),
    "marketing": (
        _("Marketing"),
        _("Follows your visits to show you targeted advertising."),
    ),
}

LEGAL_BASES: Mapping[str, str] = {
    "consent": _("Your consent"),
    "contract": _("Contract"),
    "legal_obligation": _("Legal obligation"),
    "legitimate_interest": _("Legitimate interest"),
}

#: Names of programming interfaces: the same in every language.
STORAGE_NAMES: Mapping[str, str] = {
    "local_storage": "localStorage",
    "session_storage": "sessionStorage",
    "indexed_db": "IndexedDB",
    "cache_storage": "Cache Storage",
}

#: Where the preferences open on pages for children.
CHILDREN = _("On pages for children everything optional stays off, and nothing is asked.")
CLOSE = _("Close")
#: What closing a notice that asks nothing leaves in the browser.
TOLD_PURPOSE = _("Remembers that you closed the notice.")
#: What closing an announcement leaves in the browser.
CLOSED_PURPOSE = _("Remembers that you closed the announcement, until the tab is closed.")
#: Where a decision is handed over to other addresses of the same site.
HAND_OVER = _("Your choice also holds here: {sites}.")
#: Where a decision follows visitors who sign in.
SIGNED_IN = _("If you sign in, your choice also holds on your other devices.")
CONSENT_RECORD_NAME = _("Your cookie choice")
_SERVICES = ngettext("{n} service", "{n} services")
_SESSION = _("until the browser is closed")
_PERSISTENT = _("until deleted")


def translate(language: str, text: str) -> str:
    """Return the interface text in `language` (English where `language` is en)."""
    return str(load_translations(language).ugettext(text))


def translate_purpose(language: str, purpose: str) -> str:
    """Return the purpose of a catalogued service, cookie or storage item in `language`."""
    return str(load_translations(language, CATALOGUE).ugettext(purpose))


def count_services(language: str, number: int) -> str:
    """Return e.g. "3 services"."""
    pattern = load_translations(language).ungettext(*_SERVICES, number)
    return str(pattern).replace("{n}", str(number))


def spell_country(language: str, code: str) -> str:
    """Return the country's name, or "" for no country."""
    return str(Locale.parse(language).territories.get(code, code)) if code else ""


def spell_list(language: str, items: Iterable[str]) -> str:
    """Return "a, b and c" as the language writes it."""
    return format_list(list(items), locale=language)


def spell_lifetime(language: str, lifetime: str) -> str:
    """Return the lifetime in words; raises ValueError where it is none."""
    parsed = parse_lifetime(lifetime)
    if parsed is None:
        raise ValueError(f"{lifetime!r} is no lifetime")
    if parsed.unit == "session":
        return translate(language, _SESSION)
    if parsed.unit == "persistent":
        return translate(language, _PERSISTENT)
    return spell_duration(language, parsed.number, parsed.unit)


def spell_item(language: str, kind: str, lifetime: str) -> str:
    """Return how long an item lives and, where it is no cookie, where: "2 years · IndexedDB"."""
    lives = spell_lifetime(language, lifetime)
    return f"{lives} · {STORAGE_NAMES[kind]}" if kind in STORAGE_NAMES else lives


def isolate(language: str, text: str) -> str:
    """Keep what stands in the places of a right-to-left text apart from the text."""
    return re.sub(r"\{\w+\}", lambda place: isolate_name([language], place[0]), text)


def fill(text: str, **values: str) -> str:
    """Put `values` into their `{places}`; other braces stay for the browser."""
    for name, value in values.items():
        text = text.replace("{" + name + "}", value)
    return text
