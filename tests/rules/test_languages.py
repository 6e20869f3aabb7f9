"""Languages: the first wish that the site can fulfil, whatever its region."""

from __future__ import annotations

import pytest

from consent_server.rules.languages import base_language, match_language

KNOWN = ("fi", "de", "nb", "pt", "en")

#: What is asked for, in order, and what is read then; browsers are driven with the same table.
CHOICES = [
    (("de",), "de"),
    (("de-AT",), "de"),
    (("DE-at",), "de"),
    (("pt-BR", "en"), "pt"),
    # Werkzeug's own matching would take English here: the only tag that is there to the letter.
    (("de-AT", "en"), "de"),
    (("nb-NO",), "nb"),
    (("no",), "nb"),
    (("nn-NO", "en"), "nb"),
    (("zh-Hant-TW", "de"), "de"),
    (("zh",), None),
    # Filipino is no Finnish, and Lower German no German.
    (("fil", "en"), "en"),
    (("nds",), None),
    (("", "en"), "en"),
    ((), None),
]


@pytest.mark.parametrize(("wanted", "expected"), CHOICES)
def test_the_first_language_wanted_that_is_known_is_read(
    wanted: tuple[str, ...], expected: str | None
) -> None:
    assert match_language(wanted, KNOWN) == expected


@pytest.mark.parametrize(
    ("tag", "base"), [("de-CH-1996", "de"), ("no", "nb"), ("nn", "nb"), ("nob", "nob"), ("", "")]
)
def test_a_tag_is_read_without_region(tag: str, base: str) -> None:
    assert base_language(tag) == base
