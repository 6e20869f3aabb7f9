"""Translations: complete, in step with the sources, and in the words that authorities use."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

from consent_server import languages, paths, texts
from consent_server.app import create_app
from consent_server.config import Settings
from consent_server.errors import ConfigError
from consent_server.languages import CATALOGUE, DOMAINS, LANGUAGES, SOURCE_LANGUAGE

ROOT = Path(__file__).parents[1]
TRANSLATIONS = ROOT / "translations"
TRANSLATED = [language for language in LANGUAGES if language != SOURCE_LANGUAGE]
#: A new text is written in these by whoever writes it; the others may follow until the release.
ALWAYS_COMPLETE = ("fi", "sv")
#: What Babel reads to find the texts of each domain.
MAPPINGS = {"messages": "babel.cfg", "catalogue": "babel-catalogue.cfg"}
STALE = "run: make translations"
HOW_TO = (
    "CONTRIBUTING.md tells how a new text gets into every language; until a language is complete, "
    "no site can be published in it"
)

MessageId = str | tuple[str, ...]

#: What the authorities and the sites of each country say: Traficom and the Data Protection
#: Ombudsman in Finnish, IMY and PTS in Swedish.
TERMS = {
    "fi": {
        "May we use cookies beyond what is necessary?": (
            "Saammeko käyttää muita kuin välttämättömiä evästeitä?"
        ),
        "Accept all": "Hyväksy kaikki",
        "Reject all": "Hylkää kaikki",
        "Settings": "Asetukset",
        "Save my choices": "Tallenna valintani",
        "Withdraw consent": "Peruuta suostumus",
        "Cookie settings": "Evästeasetukset",
        "Necessary": "Välttämättömät",
        "Functional": "Toiminnalliset",
        "Analytics": "Analytiikka",
        "Marketing": "Markkinointi",
        "Controller": "Rekisterinpitäjä",
        "Legitimate interest": "Oikeutettu etu",
    },
    "sv": {
        "May we use cookies beyond what is necessary?": (
            "Får vi använda andra kakor än de nödvändiga?"
        ),
        "Accept all": "Godkänn alla",
        "Reject all": "Avvisa alla",
        "Settings": "Inställningar",
        "Save my choices": "Spara mina val",
        "Withdraw consent": "Återkalla samtycke",
        "Cookie settings": "Kakinställningar",
        "Necessary": "Nödvändiga",
        "Functional": "Funktionella",
        "Analytics": "Analys",
        "Marketing": "Marknadsföring",
        "Controller": "Personuppgiftsansvarig",
        "Legitimate interest": "Berättigat intresse",
    },
}
#: The marks that each language quotes with; ’ is an apostrophe everywhere.
QUOTES = {
    **dict.fromkeys(("fi", "sv", "da"), "”"),
    **dict.fromkeys(("bg", "cs", "de", "et", "is", "lt", "sk"), "„“"),
    **dict.fromkeys(("hr", "hu", "lv", "pl", "ro"), "„”"),
    **dict.fromkeys(("ar", "el", "es", "fr", "it", "nb", "pt", "uk"), "«»"),
    **dict.fromkeys(("ga", "mt"), "“”"),
    "nl": "‘",
    "sl": "»«",
}
#: Letters that a sentence of the language must have some of; the others write in Latin.
LETTERS = {"ar": "[\u0620-\u064a]", "bg": "[а-я]", "el": "[α-ω]", "uk": "[а-яіїєґ]"}
#: What no other language says: a sentence with one of them was left in English.
ENGLISH = r"\b(the|your|this|that|which|when|what|been)\b"
#: Loan words and other people's words that a translator slips into.
FOREIGN = {
    "fi": r"\bcookie|\bkeks|\bkaikille evästeille\b|\bTe\b|\bTeidän\b",
    "sv": r"\bcookie|\bNi\b|\bEr\b|medgivande",
}


def _placeholders(text: str) -> list[str]:
    return sorted(re.findall(r"\{\w+\}|%\(\w+\)[sd]", text))


def _said(message: Message) -> Iterator[str]:
    """Give the translations that there are: a gap is looked for by a test of its own."""
    return (text for text in _translations(message) if text)


def _messages(catalogue: Catalog) -> Iterator[Message]:
    return (message for message in catalogue if message.id)


def _id(message: Message) -> MessageId:
    return message.id if isinstance(message.id, str) else tuple(message.id)


def _ids(catalogue: Catalog) -> set[MessageId]:
    return {_id(message) for message in _messages(catalogue)}


def _translations(message: Message) -> tuple[str, ...]:
    return (message.string,) if isinstance(message.string, str) else tuple(message.string or ())


def _texts(catalogue: Catalog) -> dict[MessageId, tuple[str, ...]]:
    return {_id(message): _translations(message) for message in _messages(catalogue)}


def _read(file: Path, language: str | None = None) -> Catalog:
    with file.open("rb") as source:
        return read_po(source, locale=language)


@cache
def _sources(domain: str) -> set[MessageId]:
    """Return every text that the sources of a domain mark."""
    with (ROOT / MAPPINGS[domain]).open(encoding="utf-8") as file:
        methods, options = parse_mapping_cfg(file)  # type: ignore[no-untyped-call]
    return {message for _, _, message, _, _ in extract_from_dir(ROOT, methods, options)}


@pytest.fixture(params=DOMAINS)
def domain(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture
def sources(domain: str) -> set[MessageId]:
    return _sources(domain)


@pytest.fixture(params=TRANSLATED)
def language(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture
def catalogue(language: str, domain: str) -> Catalog:
    return _read(TRANSLATIONS / language / "LC_MESSAGES" / f"{domain}.po", language)


def test_the_template_holds_exactly_the_texts_of_the_sources(
    domain: str, sources: set[MessageId]
) -> None:
    assert _ids(_read(TRANSLATIONS / f"{domain}.pot")) == sources, STALE


def test_a_catalogue_holds_exactly_the_texts_of_the_sources(
    catalogue: Catalog, sources: set[MessageId]
) -> None:
    assert _ids(catalogue) == sources, STALE
    assert not catalogue.obsolete, STALE


def test_no_translation_is_a_guess(catalogue: Catalog) -> None:
    for message in _messages(catalogue):
        assert not message.fuzzy, f"fuzzy: {message.id}"


def _gaps(language: str, domain: str) -> list[MessageId]:
    catalogue = _read(TRANSLATIONS / language / "LC_MESSAGES" / f"{domain}.po", language)
    return [_id(one) for one in _messages(catalogue) if not all(_translations(one))]


@pytest.mark.parametrize("language", ALWAYS_COMPLETE)
def test_every_text_is_there_in_finnish_and_swedish(language: str, domain: str) -> None:
    assert not _gaps(language, domain), HOW_TO


@pytest.mark.release
def test_every_text_is_there_in_every_language(language: str, domain: str) -> None:
    assert not _gaps(language, domain), HOW_TO


def test_what_is_told_of_a_languages_gaps_is_what_its_catalogues_lack(language: str) -> None:
    assert languages.count_missing(language) == sum(len(_gaps(language, one)) for one in DOMAINS)


def test_a_translation_has_the_places_of_its_text(catalogue: Catalog) -> None:
    for message in _messages(catalogue):
        source = message.id if isinstance(message.id, str) else message.id[-1]
        for text in _said(message):
            assert _placeholders(text) == _placeholders(source), message.id


def test_a_plural_has_every_form_of_the_language(catalogue: Catalog, domain: str) -> None:
    plurals = [message for message in _messages(catalogue) if message.pluralizable]
    assert plurals or domain == CATALOGUE
    for message in plurals:
        assert len(_translations(message)) == catalogue.num_plurals
        assert len(list(_said(message))) in (0, catalogue.num_plurals)


def test_a_sentence_ends_and_a_label_does_not(language: str, catalogue: Catalog) -> None:
    marks = {"؟": "?", "؛": ";", **({";": "?"} if language == "el" else {})}
    for message in _messages(catalogue):
        source = message.id if isinstance(message.id, str) else message.id[0]
        for text in _said(message):
            if language in ("lt", "uk") and source == "%(days)s days":
                continue  # abbreviated: both count with three forms, and this text has one
            end = marks.get(text[-1], text[-1])
            assert end == source[-1] or not {end, source[-1]} & set(".?!:"), source
            assert text == text.strip()
            assert "  " not in text


@pytest.mark.parametrize("language", TERMS)
def test_the_words_are_those_of_the_authorities(language: str) -> None:
    for source, expected in TERMS[language].items():
        assert texts.translate(language, source) == expected


@pytest.mark.parametrize("language", FOREIGN)
def test_no_loan_word_and_no_formal_address(language: str, domain: str) -> None:
    catalogue = _read(TRANSLATIONS / language / "LC_MESSAGES" / f"{domain}.po", language)
    for message in _messages(catalogue):
        for text in _said(message):
            assert not re.search(FOREIGN[language], text, re.IGNORECASE), text


def test_quotation_marks_are_those_of_the_language(language: str, catalogue: Catalog) -> None:
    for message in _messages(catalogue):
        for text in _said(message):
            assert set(re.findall("[“”„‚‘«»\"']", text)) <= set(QUOTES[language]), text


def test_no_sentence_was_left_in_english(language: str, catalogue: Catalog) -> None:
    letters = LETTERS.get(language, "[a-zà-ž]")
    for message in _messages(catalogue):
        source = message.id if isinstance(message.id, str) else message.id[0]
        for text in _said(message):
            assert not re.search(ENGLISH, text), text
            if source.endswith("."):
                assert text != source
                assert re.search(letters, text), text


@pytest.mark.parametrize("language", LANGUAGES)
def test_acceptance_and_refusal_are_about_equally_long(language: str) -> None:
    accept, reject = (texts.translate(language, label) for label in ("Accept all", "Reject all"))
    assert abs(len(accept) - len(reject)) <= 5
    assert accept.count(" ") == reject.count(" ")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("name", "longest"),
    [
        *((name, 24) for name in ("accept_all", "reject_all", "settings", "close", "load_once")),
        *((name, 37) for name in ("save", "withdraw", "entry", "preferences_heading")),
    ],
)
def test_a_button_is_short_enough_for_a_small_screen(
    language: str, name: str, longest: int
) -> None:
    assert len(texts.translate(language, texts.UI_TEXTS[name])) <= longest


def test_the_compiled_catalogue_is_that_of_the_source(
    language: str, domain: str, catalogue: Catalog
) -> None:
    file = paths.asset_dir("translations") / language / "LC_MESSAGES" / f"{domain}.mo"
    translated = {text: said for text, said in _texts(catalogue).items() if all(said)}
    with file.open("rb") as compiled:
        assert _texts(read_mo(compiled)) == translated, STALE


def test_the_server_does_not_start_without_its_languages(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, settings: Settings
) -> None:
    monkeypatch.setattr(languages, "asset_dir", lambda name: tmp_path)
    languages.load_translations.cache_clear()
    try:
        with pytest.raises(ConfigError, match="make translations"):
            create_app(settings)
        with pytest.raises(ConfigError, match="make translations"):
            texts.translate("fi", "Accept all")
    finally:
        languages.load_translations.cache_clear()
