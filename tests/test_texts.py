"""Texts: every word of the notice in every language, and the spelling of numbers and times."""

from __future__ import annotations

import re

import pytest

from consent_server import texts
from consent_server.languages import LANGUAGES

#: What each language calls the withdrawal of consent (GDPR article 7(3)), as its authority does.
WITHDRAW = {
    "ar": "سحبه",
    "bg": "оттеглите",
    "cs": "odvolat",
    "da": "trække .* tilbage",
    "de": "widerrufen",
    "el": "ανακαλέσετε",
    "en": "withdraw",
    "es": "retirar",
    "et": "tagasi võtta",
    "fi": "peruuttaa",
    "fr": "retirer",
    "ga": "a tharraingt siar",
    "hr": "povući",
    "hu": "visszavonhatja",
    "is": "afturkallað",
    "it": "revocare",
    "lt": "atšaukti",
    "lv": "atsaukt",
    "mt": "tirtira",
    "nb": "trekke tilbake",
    "nl": "intrekken",
    "pl": "wycofać",
    "pt": "retirar",
    "ro": "retrage",
    "sk": "odvolať",
    "sl": "prekličete",
    "sv": "återkalla",
    "uk": "відкликати",
}


@pytest.mark.parametrize(
    ("language", "number", "expected"),
    [
        ("pl", 22, "22 usługi"),
        ("sl", 2, "2 storitvi"),
        ("lv", 0, "0 pakalpojumu"),
        ("mt", 12, "12-il servizz"),
        ("en", 0, "0 services"),
        ("en", 1, "1 service"),
        ("en", 2, "2 services"),
        ("fi", 0, "0 palvelua"),
        ("fi", 1, "1 palvelu"),
        ("fi", 5, "5 palvelua"),
        ("sv", 0, "0 tjänster"),
        ("sv", 1, "1 tjänst"),
        ("sv", 21, "21 tjänster"),
    ],
)
def test_services_are_counted_as_the_language_counts(
    language: str, number: int, expected: str
) -> None:
    assert texts.count_services(language, number) == expected


@pytest.mark.parametrize(
    ("language", "lifetime", "expected"),
    [
        ("en", "1d", "1 day"),
        ("en", "14mo", "14 months"),
        ("fi", "2y", "2 vuotta"),
        ("fi", "1mo", "1 kuukausi"),
        ("sv", "30min", "30 minuter"),
        ("sv", "1y", "1 år"),
        ("en", "session", "until the browser is closed"),
        ("fi", "session", "kunnes selain suljetaan"),
        ("sv", "session", "tills webbläsaren stängs"),
        ("en", "persistent", "until deleted"),
        ("fi", "persistent", "kunnes tieto poistetaan"),
        ("sv", "persistent", "tills uppgiften raderas"),
        ("de", "13mo", "13 Monate"),
        ("pl", "2y", "2 lata"),
        ("ar", "2y", "سنتان"),
        ("is", "30min", "30 mínútur"),
        # Where CLDR has abbreviations or English letters.
        ("mt", "1d", "jum"),
        ("mt", "7d", "7 ijiem"),
        ("mt", "13mo", "13-il xahar"),
        ("mt", "180d", "180 jum"),
        ("ga", "2y", "2 bhliain"),
        ("ga", "30min", "30 nóiméad"),
        ("ga", "180d", "180 lá"),
    ],
)
def test_a_lifetime_is_told_in_words(language: str, lifetime: str, expected: str) -> None:
    assert texts.spell_lifetime(language, lifetime) == expected


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("unit", ["min", "h", "d", "w", "mo", "y"])
def test_no_lifetime_is_told_in_letters_that_stand_for_words(language: str, unit: str) -> None:
    for number in (1, 2, 3, 7, 12, 21, 180):
        said = texts.spell_lifetime(language, f"{number}{unit}").replace(str(number), "")
        assert re.search(r"[^\W\d_]{2}", said), said
        assert "." not in said


def test_what_is_no_lifetime_is_refused() -> None:
    with pytest.raises(ValueError, match="is no lifetime"):
        texts.spell_lifetime("en", "for ever")


@pytest.mark.parametrize(
    ("language", "kind", "expected"),
    [
        ("en", "cookie", "2 years"),
        ("fi", "indexed_db", "2 vuotta · IndexedDB"),
        ("sv", "local_storage", "2 år · localStorage"),
    ],
)
def test_an_item_that_is_no_cookie_says_where_it_lies(
    language: str, kind: str, expected: str
) -> None:
    assert texts.spell_item(language, kind, "2y") == expected


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", "United States"),
        ("fi", "Yhdysvallat"),
        ("sv", "USA"),
        ("mt", "l-Istati Uniti"),
        ("ga", "Stáit Aontaithe Mheiriceá"),
        ("ar", "الولايات المتحدة"),
    ],
)
def test_a_country_has_the_name_that_the_language_gives_it(language: str, expected: str) -> None:
    assert texts.spell_country(language, "US") == expected


def test_no_country_is_no_word() -> None:
    assert texts.spell_country("fi", "") == ""


@pytest.mark.parametrize(
    ("language", "expected"),
    [("en", "a, b, and c"), ("fi", "a, b ja c"), ("sv", "a, b och c")],
)
def test_a_list_is_joined_as_the_language_joins_it(language: str, expected: str) -> None:
    assert texts.spell_list(language, ["a", "b", "c"]) == expected


def test_filling_touches_only_its_own_places() -> None:
    filled = texts.fill("{name} asks on {date}: {name}?", name="{date} Oy")
    assert filled == "{date} Oy asks on {date}: {date} Oy?"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_interface_text_differs_from_every_other_button(language: str) -> None:
    buttons = ("accept_all", "reject_all", "settings", "save", "withdraw", "close")
    labels = [texts.translate(language, texts.UI_TEXTS[name]) for name in buttons]
    assert len(set(labels)) == len(labels)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_notice_says_that_consent_can_be_withdrawn_and_where(language: str) -> None:
    body = texts.translate(language, texts.UI_TEXTS["body"])
    assert "{entry}" in body
    assert re.search(WITHDRAW[language], body)


def test_a_place_in_a_right_to_left_text_is_kept_apart_from_its_surroundings() -> None:
    assert texts.isolate("ar", "{a}. {b}") == "\u2068{a}\u2069. \u2068{b}\u2069"
    assert texts.isolate("fi", "{a}. {b}") == "{a}. {b}"


def test_labels_of_buttons_cannot_be_worded_by_a_site() -> None:
    buttons = {"accept_all", "reject_all", "settings", "save", "withdraw"} | {
        "allow_service",
        "load_once",
    }
    assert buttons <= set(texts.UI_TEXTS)
    assert not buttons & texts.OVERRIDABLE
