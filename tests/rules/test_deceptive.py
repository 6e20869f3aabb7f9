"""Deceptive fields and words: the law is named, and what is harmless is let alone."""

from __future__ import annotations

import pytest

from consent_server.languages import LANGUAGES
from consent_server.rules.deceptive import reason_to_refuse
from consent_server.rules.wording import (
    LONGEST,
    doubt_words,
    refuse_words,
    sounds_necessary,
)
from consent_server.texts import OVERRIDABLE, UI_TEXTS, translate


@pytest.mark.parametrize(
    ("field", "law"),
    [
        ("rejectButtonColor", "types C, D and E"),
        ("accept-button-size", "types C, D and E"),
        ("hideRejectAll", "type A"),
        ("preselected", "Planet49"),
        ("scrollLock", "7(4)"),
        ("accept_on_scroll", "paragraph 86"),
        ("autoAccept", "paragraph 86"),
        ("custom_css", "hidden in plain sight"),
        ("reask_after_days", "continuous prompting"),
        ("font_px", "hidden in plain sight"),
    ],
)
def test_a_field_from_elsewhere_is_told_the_law(field: str, law: str) -> None:
    assert law in (reason_to_refuse(field) or "")


@pytest.mark.parametrize("field", ["raduis", "acent", "nmae", "colour", "unknown", "__proto__"])
def test_a_misspelling_is_only_an_unknown_field(field: str) -> None:
    assert reason_to_refuse(field) is None


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "By using this site you agree to cookies."),
        ("en", "You must accept to read on."),
        ("en", "Help us out!"),
        ("en", "We only use necessary cookies."),
        ("fi", "Jatkamalla hyväksyt evästeet."),
        ("fi", "Oletko varma? Menetät tarjoukset."),
        ("fi", "Käytämme vain välttämättömiä evästeitä."),
        ("sv", "Du måste godkänna kakor."),
        ("sv", "Vi använder bara nödvändiga kakor."),
        ("de", "Durch die weitere Nutzung stimmen Sie zu."),
        ("de", "Wir verwenden nur technisch notwendige Cookies."),
        ("de-AT", "Sind Sie sicher?"),
        ("fr", "En poursuivant votre navigation, vous acceptez."),
        ("fr", "Nous n’utilisons que des cookies nécessaires."),
        ("es", "Al continuar navegando, acepta."),
    ],
)
def test_words_that_steer_are_refused(language: str, text: str) -> None:
    assert list(refuse_words(language, "body", text))


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "We use your data only to measure visits."),
        ("en", "May we use more than only what is necessary?"),
        ("fi", "Saammeko käyttää muitakin kuin vain välttämättömiä evästeitä?"),
        ("de", "Dürfen wir nicht nur notwendige Cookies verwenden?"),
        ("sv", "Får vi mäta hur webbplatsen används?"),
        ("fr", "Pouvons-nous mesurer l’audience ?"),
        ("es", "¿Podemos medir las visitas?"),
        ("xx", "By continuing you agree."),
    ],
)
def test_a_plain_question_is_taken(language: str, text: str) -> None:
    assert list(refuse_words(language, "body", text)) == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("key", sorted(OVERRIDABLE))
def test_our_own_words_would_be_taken(language: str, key: str) -> None:
    text = translate(language, UI_TEXTS[key])
    assert list(refuse_words(language, key, text)) == []
    assert doubt_words(language, text) is None


def test_every_text_that_may_be_replaced_has_a_length() -> None:
    assert set(LONGEST) == OVERRIDABLE


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "We value your privacy"),
        ("en", "For the best possible experience"),
        ("fi", "Arvostamme yksityisyyttäsi"),
        ("sv", "Vi värnar om din integritet"),
        ("de", "Für ein optimales Nutzererlebnis"),
        ("fr", "Nous respectons votre vie privée"),
        ("es", "Valoramos tu privacidad"),
    ],
)
def test_praise_is_doubted_and_not_refused(language: str, text: str) -> None:
    assert doubt_words(language, text)
    assert list(refuse_words(language, "heading", text)) == []


@pytest.mark.parametrize(
    ("language", "name", "sounds"),
    [
        ("en", "Strictly necessary", True),
        ("en", "Statistics", False),
        ("fi", "Välttämättömät", True),
        ("fi", "Tilastot", False),
        ("sv", "Nödvändiga", True),
        ("de", "Technisch erforderlich", True),
        ("fr", "Cookies essentiels", True),
        ("es", "Imprescindibles", True),
    ],
)
def test_the_name_of_necessary_is_known(language: str, name: str, sounds: bool) -> None:
    assert sounds_necessary(language, name) is sounds
