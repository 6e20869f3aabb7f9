"""The page of the law: as the rules and their tests have it, and nothing that is not there."""

from __future__ import annotations

import pytest

from tests.documentation import ROOT

from .rules import RULES, Rule
from .table import FILE, find_tests, names_in, spell_page


def test_the_page_is_as_it_is_made() -> None:
    assert FILE.read_text("utf-8") == spell_page(), "run: python -m tests.browser.law.table"


@pytest.mark.parametrize("rule", RULES, ids=repr)
def test_every_rule_has_tests_with_its_id(rule: Rule) -> None:
    assert find_tests(rule)


def test_every_test_with_an_id_belongs_to_a_rule_and_stands_in_its_file() -> None:
    for file in (ROOT / "tests" / "browser" / "law").glob("test_l*.py"):
        (rule,) = [one for one in RULES if file.name.startswith(one.prefix)]
        assert names_in(file)
        assert [name for name in names_in(file) if not name.startswith(rule.prefix)] == []


@pytest.mark.parametrize("place", [one for rule in RULES for one in rule.elsewhere])
def test_what_stands_elsewhere_is_there(place: str) -> None:
    file, name = place.split("::")
    assert name in names_in(ROOT / file)
