"""Languages: what there is, what is told of it, and that nothing half translated is shown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from click.testing import CliRunner

from consent_server import languages
from consent_server.cli import main
from consent_server.errors import InvalidSite
from consent_server.languages import LANGUAGES, REVIEWS, Review, list_languages, note_unread
from consent_server.paths import asset_dir
from consent_server.site_check import check_site
from consent_server.site_form import load_site_form
from tests.conftest import ReadSite

from .documentation import code, page

#: The official languages of the Union (Regulation 1/1958), and those beside them.
EU = {
    *("bg", "cs", "da", "de", "el", "en", "es", "et", "fi", "fr", "ga", "hr", "hu"),
    *("it", "lt", "lv", "mt", "nl", "pl", "pt", "ro", "sk", "sl", "sv"),
}
BESIDE = {"ar", "is", "nb", "uk"}


def test_every_official_language_of_the_union_is_there() -> None:
    assert set(LANGUAGES) == EU | BESIDE


def test_the_documentation_tells_every_language_and_its_state_of_review() -> None:
    rows = page("docs/languages.md").table("## What there is")
    told = [(code(tag), name, direction, code(review)) for tag, name, _, direction, review in rows]
    assert told == [
        (
            one.code,
            one.name,
            {"rtl": "right to left", "ltr": "left to right"}[languages.direction_of(one.code)],
            one.review,
        )
        for one in list_languages()
    ]


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_how_many_there_are_is_told_as_it_is(name: str) -> None:
    told = page(name).text
    assert set(re.findall(r"(\d+) \[?languages", told)) == {str(len(LANGUAGES))}
    assert "English, Finnish and Swedish" not in told


def test_the_command_tells_the_same(runner: CliRunner) -> None:
    told = runner.invoke(main, ["languages"]).output
    for one in list_languages():
        line = next(line for line in told.splitlines() if line.startswith(f"{one.code} "))
        assert line.split() == [one.code, *one.name.split(), str(one.complete), "%", one.review]


def test_a_publication_in_a_language_that_nobody_has_read_says_so() -> None:
    assert note_unread(["en", "fi", "sv"]) == ()
    (note,) = note_unread(["fi", "mt", "de"])
    assert "mt, de" in note
    assert {code for code, review in REVIEWS.items() if review is Review.UNREAD} == (
        set(LANGUAGES) - {"en", "fi", "sv"}
    )


@pytest.fixture
def german_with_a_gap(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Our catalogues, but the German one lacks "Accept all"."""
    root = asset_dir("translations")
    for name in ("fi", "sv", "de"):
        (tmp_path / name / "LC_MESSAGES").mkdir(parents=True)
        for domain in languages.DOMAINS:
            file = root / name / "LC_MESSAGES" / f"{domain}.po"
            with file.open("rb") as source:
                catalogue = read_po(source, locale=name)
            # All of it, whatever has not been translated yet, but for one text.
            for message in catalogue:
                if message.id and not message.pluralizable:
                    message.string = message.string or "x"
            if (name, domain) == ("de", languages.INTERFACE):
                catalogue.delete("Accept all")
            with (tmp_path / name / "LC_MESSAGES" / f"{domain}.mo").open("wb") as target:
                write_mo(target, catalogue)
    monkeypatch.setattr(languages, "asset_dir", lambda name: tmp_path)
    languages._texts.cache_clear()
    languages.count_missing.cache_clear()
    yield
    languages._texts.cache_clear()
    languages.count_missing.cache_clear()


@pytest.mark.usefixtures("german_with_a_gap")
def test_a_language_that_lacks_one_text_cannot_be_published(read_site: ReadSite) -> None:
    site = {**read_site("smilee"), "languages": ["sv", "fi", "en", "de"]}
    with pytest.raises(InvalidSite) as refused:
        check_site(load_site_form(site))
    assert refused.value.errors is not None
    assert refused.value.errors["languages.3"][0].startswith(
        "The texts in 'de' are not complete (1 missing)"
    )
