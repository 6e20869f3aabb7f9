"""Languages: which there are, who has read their texts, and whether the texts are complete."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from gettext import find

from babel import Locale
from babel.support import NullTranslations, Translations

from consent_server.errors import ConfigError
from consent_server.paths import asset_dir


class Review(StrEnum):
    """How far somebody who grew up with a language has vouched for its texts."""

    #: What the texts are written in first.
    SOURCE = "source"
    #: A native speaker has read every text.
    NATIVE = "native"
    #: Written in the words of the country's authorities, which the tests hold it to.
    TERMS = "terms"
    #: Not yet read by a native speaker.
    UNREAD = "unread"


#: The texts are written in it, so that it needs no catalogue.
SOURCE_LANGUAGE = "en"

#: Every language that a site may be shown in, and the state of its texts.
REVIEWS: Mapping[str, Review] = {
    SOURCE_LANGUAGE: Review.SOURCE,
    "fi": Review.TERMS,
    "sv": Review.TERMS,
    **dict.fromkeys(
        (
            *("ar", "bg", "cs", "da", "de", "el", "es", "et", "fr", "ga", "hr", "hu", "is"),
            *("it", "lt", "lv", "mt", "nb", "nl", "pl", "pt", "ro", "sk", "sl", "uk"),
        ),
        Review.UNREAD,
    ),
}
LANGUAGES = tuple(REVIEWS)

RIGHT_TO_LEFT = frozenset({"ar"})

#: Names of the gettext catalogues of a language: ours, and what the service catalogue says.
INTERFACE, CATALOGUE = DOMAINS = ("messages", "catalogue")

#: A text without its Finnish fails a test: so the Finnish catalogues hold every text there is.
_COMPLETE = "fi"


@dataclass(frozen=True, slots=True)
class Language:
    """One language as an owner chooses among them; `complete` is in whole percents."""

    code: str
    name: str
    review: Review
    complete: int


@cache
def load_translations(language: str, domain: str = INTERFACE) -> NullTranslations:
    """Return the compiled texts of a language; raises ConfigError where they are missing."""
    found = Translations.load(asset_dir("translations"), [language], domain)
    if language != SOURCE_LANGUAGE and not isinstance(found, Translations):
        raise _not_compiled(language)
    return found


def check_translations() -> None:
    """Refuse to start without every language; raises ConfigError.

    They are looked for and not loaded: most servers need few of them.
    """
    folder = asset_dir("translations")
    for language in LANGUAGES:
        for domain in DOMAINS:
            if language != SOURCE_LANGUAGE and find(domain, folder, [language]) is None:
                raise _not_compiled(language)


def _not_compiled(language: str) -> ConfigError:
    return ConfigError(
        f"The texts in {language!r} are not compiled, and visitors would be asked in English. "
        "Run `make translations` in the checkout, or install the package again."
    )


@cache
def count_missing(language: str) -> int:
    """Return how many texts have no translation: a page would show them in English."""
    if language == SOURCE_LANGUAGE:
        return 0
    return sum(len(_texts(_COMPLETE, domain) - _texts(language, domain)) for domain in DOMAINS)


def list_languages() -> list[Language]:
    """Return every language by code."""
    total = sum(len(_texts(_COMPLETE, domain)) for domain in DOMAINS)
    return [
        Language(
            code=code,
            name=own_name(code),
            review=REVIEWS[code],
            # Rounded down: 100 is complete.
            complete=100 * (total - count_missing(code)) // total,
        )
        for code in sorted(LANGUAGES)
    ]


def note_unread(languages: Iterable[str]) -> tuple[str, ...]:
    """Return what the owner of a site should know of its languages; empty for the well-read."""
    unread = [code for code in languages if REVIEWS.get(code) is Review.UNREAD]
    if not unread:
        return ()
    return (
        f"No native speaker has read our texts in {', '.join(unread)} yet. Let one read the notice "
        "before you rely on it, and tell us what should be said otherwise.",
    )


def own_name(code: str) -> str:
    """Return a language's name in that language, as language menus should."""
    name = Locale.parse(code).get_display_name(code) or code
    return name[:1].upper() + name[1:]


def direction_of(language: str) -> str:
    """Return "rtl" or "ltr", as HTML's `dir` has it."""
    return "rtl" if language in RIGHT_TO_LEFT else "ltr"


def isolate_name(languages: Iterable[str], name: str) -> str:
    """Return a name as it stands in a text of these: apart from it where one runs right to left.

    Names of companies and services are mostly Latin: the full stop of "Example Inc." would
    jump to its other end (Unicode UAX 9; FSI and PDI).
    """
    return f"\u2068{name}\u2069" if RIGHT_TO_LEFT.intersection(languages) else name


@cache
def _texts(language: str, domain: str) -> frozenset[str]:
    """Return the texts that a compiled catalogue translates; those without are not in it."""
    # Asked when a site is published, seldom; a server need not have it in memory.
    from babel.messages.mofile import read_mo  # noqa: PLC0415

    file = asset_dir("translations") / language / "LC_MESSAGES" / f"{domain}.mo"
    with file.open("rb") as compiled:
        found = read_mo(compiled)
    # A text that depends on a number is known by its singular.
    ids = (one.id if isinstance(one.id, str) else one.id[0] for one in found)
    return frozenset(text for text in ids if text)
