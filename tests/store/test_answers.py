"""Answers: each is kept once and has one number, however many servers number them at once."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from consent_server.store.answers import Said, number_answers
from consent_server.store.database import Database
from consent_server.store.models import Answer

ONE = Said(1, "given", "accept_all", "notice", "c" * 64, "fi", "opt_in", (("analytics", True),))
OTHERS = [replace(ONE, language=language) for language in ("sv", "en", "de")]


def number(database: Database, *wanted: Said, site_id: int = 1) -> list[int]:
    with database.write_together() as session:
        numbers = number_answers(session.connection(), site_id, wanted)
        return [numbers[one] for one in wanted]


def test_an_answer_has_the_same_number_for_ever(store: Database) -> None:
    [first] = number(store, ONE)
    others = number(store, *OTHERS)
    assert number(store, *OTHERS, ONE) == [*others, first]
    assert sorted([first, *others]) == [1, 2, 3, 4]


def test_numbers_are_those_of_a_site(store: Database) -> None:
    assert number(store, ONE) == number(store, ONE, site_id=2) == [1]


def test_each_field_makes_another_answer(store: Database) -> None:
    changed: dict[str, Any] = {
        "version": 2,
        "kind": "changed",
        "method": "save",
        "layer": "preferences",
        "script_hash": "d" * 64,
        "language": "sv",
        "regime": "opt_out",
        "grants": (("analytics", False),),
    }
    alike = [ONE, *(replace(ONE, **{name: value}) for name, value in changed.items())]
    assert sorted(number(store, *alike)) == list(range(1, len(alike) + 1))


def test_what_is_read_is_what_was_written(store: Database) -> None:
    ordered = replace(ONE, grants=(("z", True), ("a", False)))
    number(store, ordered)
    with store.read() as session:
        assert Said.of(session.scalars(select(Answer)).one()) == ordered


@pytest.mark.parametrize("empty_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("wanted", [OTHERS, [ONE]], ids=["others", "the same"])
def test_servers_that_number_at_once_take_turns(store: Database, wanted: list[Said]) -> None:
    found: list[int] = []
    server = threading.Thread(target=lambda: found.extend(number(store, *wanted)))
    with store.write_together() as session:
        first = number_answers(session.connection(), 1, [ONE])
        server.start()
        server.join(0.5)
        assert server.is_alive(), "it waits for the number that may be taken"
    server.join(10)
    assert first == {ONE: 1}
    assert sorted(found) == ([1] if wanted == [ONE] else [2, 3, 4])
