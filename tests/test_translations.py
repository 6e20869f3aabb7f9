"""Translations: complete, in step with the sources, and in the words that authorities use."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

from consent_server import paths, texts
from consent_server.app import create_app
from consent_server.config import Settings
from consent_server.errors import ConfigError

ROOT = Path(__file__).parents[1]
TRANSLATIONS = ROOT / "translations"
TRANSLATED = [language for language in texts.LANGUAGES if language != texts.SOURCE_LANGUAGE]
STALE = "run: make translations"

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
#: Loan words and other people's words that a translator slips into.
FOREIGN = {
    "fi": r"cookie|\bkeks|\bkaikille evästeille\b|\bTe\b|\bTeidän\b",
    "sv": r"cookie|\bNi\b|\bEr\b|medgivande",
}


def _placeholders(text: str) -> list[str]:
    return sorted(re.findall(r"\{\w+\}|%\(\w+\)[sd]", text))


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


@pytest.fixture(scope="module")
def sources() -> set[MessageId]:
    """Every text that the sources mark."""
    with (ROOT / "babel.cfg").open(encoding="utf-8") as file:
        methods, options = parse_mapping_cfg(file)  # type: ignore[no-untyped-call]
    return {message for _, _, message, _, _ in extract_from_dir(ROOT, methods, options)}


@pytest.fixture(params=TRANSLATED)
def language(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture
def catalogue(language: str) -> Catalog:
    return _read(TRANSLATIONS / language / "LC_MESSAGES" / "messages.po", language)


def test_the_template_holds_exactly_the_texts_of_the_sources(sources: set[MessageId]) -> None:
    assert _ids(_read(TRANSLATIONS / "messages.pot")) == sources, STALE


def test_a_catalogue_holds_exactly_the_texts_of_the_sources(
    catalogue: Catalog, sources: set[MessageId]
) -> None:
    assert _ids(catalogue) == sources, STALE
    assert not catalogue.obsolete, STALE


def test_every_text_is_translated_and_none_is_a_guess(catalogue: Catalog) -> None:
    for message in _messages(catalogue):
        assert all(text.strip() for text in _translations(message)), f"missing: {message.id}"
        assert not message.fuzzy, f"fuzzy: {message.id}"


def test_a_translation_has_the_places_of_its_text(catalogue: Catalog) -> None:
    for message in _messages(catalogue):
        source = message.id if isinstance(message.id, str) else message.id[-1]
        for text in _translations(message):
            assert _placeholders(text) == _placeholders(source), message.id


def test_a_plural_has_every_form_of_the_language(catalogue: Catalog) -> None:
    plurals = [message for message in _messages(catalogue) if message.pluralizable]
    assert plurals
    for message in plurals:
        assert len(_translations(message)) == catalogue.num_plurals
        assert len(set(_translations(message))) == catalogue.num_plurals


def test_a_sentence_ends_and_a_label_does_not(catalogue: Catalog) -> None:
    for message in _messages(catalogue):
        source = message.id if isinstance(message.id, str) else message.id[0]
        for text in _translations(message):
            assert text[-1:] == source[-1:] or not {text[-1], source[-1]} & set(".?!:"), source
            assert text == text.strip()
            assert "  " not in text


def test_the_words_are_those_of_the_authorities(language: str) -> None:
    for source, expected in TERMS[language].items():
        assert texts.translate(language, source) == expected


def test_no_loan_word_and_no_formal_address(language: str, catalogue: Catalog) -> None:
    for message in _messages(catalogue):
        for text in _translations(message):
            assert not re.search(FOREIGN[language], text, re.IGNORECASE), text


def test_quotation_marks_are_those_of_the_language(catalogue: Catalog) -> None:
    for message in _messages(catalogue):
        for text in _translations(message):
            assert not re.search("[“„\"']", text), text


@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_acceptance_and_refusal_are_equally_long(language: str) -> None:
    accept, reject = (texts.translate(language, label) for label in ("Accept all", "Reject all"))
    assert abs(len(accept) - len(reject)) <= 2


def test_the_compiled_catalogue_is_that_of_the_source(language: str, catalogue: Catalog) -> None:
    file = paths.asset_dir("translations") / language / "LC_MESSAGES" / "messages.mo"
    with file.open("rb") as compiled:
        assert _texts(read_mo(compiled)) == _texts(catalogue), STALE


def test_the_server_does_not_start_without_its_languages(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, settings: Settings
) -> None:
    monkeypatch.setattr(texts, "asset_dir", lambda name: tmp_path)
    texts._translations.cache_clear()
    try:
        with pytest.raises(ConfigError, match="make translations"):
            create_app(settings)
        with pytest.raises(ConfigError, match="make translations"):
            texts.translate("fi", "Accept all")
    finally:
        texts._translations.cache_clear()
