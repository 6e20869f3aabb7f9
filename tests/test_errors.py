"""Errors: one family, each with a status, a word for machines and a title."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from consent_server import app, audit, catalogue, sites  # noqa: F401 (their errors are walked too)
from consent_server.errors import ConsentError, NotAuthorised


def family(base: type[ConsentError]) -> Iterator[type[ConsentError]]:
    yield base
    for child in base.__subclasses__():
        yield from family(child)


FAMILY = sorted(set(family(ConsentError)), key=lambda error: error.__qualname__)


@pytest.mark.parametrize("error", FAMILY, ids=lambda error: error.__name__)
def test_every_error_has_what_a_problem_needs(error: type[ConsentError]) -> None:
    assert 400 <= error.status < 600
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", error.code)
    assert error.title[0].isupper()
    assert error.__doc__


def test_no_two_errors_share_a_word() -> None:
    codes = [error.code for error in FAMILY]
    assert len(codes) == len(set(codes))


def test_an_error_keeps_what_it_was_told() -> None:
    error = ConsentError("Do this.", errors={"field": ["wrong"]}, headers={"Retry-After": "5"})
    assert str(error) == error.detail == "Do this."
    assert error.errors == {"field": ["wrong"]}
    assert error.headers == {"Retry-After": "5"}
    assert ConsentError("Do this.", errors={}).errors is None


def test_a_missing_token_asks_for_one() -> None:
    assert NotAuthorised("Send it.").headers == {"WWW-Authenticate": "Bearer"}
