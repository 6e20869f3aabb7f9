"""Interface texts: every word of the notice, resolved per language at publish time.

Nothing is worded in the browser: counts, countries and lifetimes are spelled here, so
that the published snapshot holds exactly what a visitor can read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache

from babel import Locale
from babel.lists import format_list
from babel.support import NullTranslations, Translations
from babel.units import format_unit

from consent_server.errors import ConfigError
from consent_server.paths import asset_dir
from consent_server.rules.decision import NECESSARY
from consent_server.rules.lifetime import parse_lifetime

#: Languages whose interface texts are complete.
LANGUAGES = ("en", "fi", "sv")

#: The texts below are written in it, so that it needs no catalogue.
SOURCE_LANGUAGE = "en"

RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur"})


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

CLOSE = _("Close")
#: What closing an announcement leaves in the browser.
CLOSED_PURPOSE = _("Remembers that you closed the announcement, until the tab is closed.")
CONSENT_RECORD_NAME = _("Your cookie choice")
_SERVICES = ngettext("{n} service", "{n} services")
_SESSION = _("until the browser is closed")
_PERSISTENT = _("until deleted")


@cache
def _translations(language: str) -> NullTranslations:
    found = Translations.load(asset_dir("translations"), [language])
    if language != SOURCE_LANGUAGE and not isinstance(found, Translations):
        raise ConfigError(
            f"The texts in {language!r} are not compiled, and visitors would be asked in English. "
            "Run `make translations` in the checkout, or install the package again."
        )
    return found


def check_translations() -> None:
    """Refuse to start without every language; raises ConfigError."""
    for language in LANGUAGES:
        _translations(language)


def translate(language: str, text: str) -> str:
    """Return the interface text in `language` (English where `language` is en)."""
    return str(_translations(language).ugettext(text))


def count_services(language: str, number: int) -> str:
    """Return e.g. "3 services"."""
    pattern = _translations(language).ungettext(*_SERVICES, number)
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
    return format_unit(parsed.number, f"duration-{parsed.unit}", length="long", locale=language)


def spell_item(language: str, kind: str, lifetime: str) -> str:
    """Return how long an item lives and, where it is no cookie, where: "2 years · IndexedDB"."""
    lives = spell_lifetime(language, lifetime)
    return f"{lives} · {STORAGE_NAMES[kind]}" if kind in STORAGE_NAMES else lives


def fill(text: str, **values: str) -> str:
    """Put `values` into their `{places}`; other braces stay for the browser."""
    for name, value in values.items():
        text = text.replace("{" + name + "}", value)
    return text
