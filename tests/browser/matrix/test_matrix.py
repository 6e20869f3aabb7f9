"""The matrix in each engine: what is held, what runs after consent, what ends after it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from ..running_server import RunningServer
from . import report
from .case import Case, Engine
from .cases import CASES, FAMILIES
from .measure import Measured, measure
from .pages import LEVELS, Level, MatrixPages, running_pages
from .record import gaps_of, read_record, write_record
from .site import publish

#: One case in so many is walked on every change; `-m matrix` walks all.
_SAMPLE = 24
_SAMPLED_LEVELS: tuple[Level, ...] = ("strict", "declared", "rewritten")


@pytest.fixture(scope="module")
def pages(server: RunningServer) -> Iterator[MatrixPages]:
    with running_pages(MatrixPages(server.url)) as running:
        for level in LEVELS:
            publish(server, running, level)
        yield running


def _measure(
    engine: Engine, pages: MatrixPages, cases: Sequence[Case], levels: Sequence[Level]
) -> Measured:
    # A thread of its own: the other tests' browsers keep a loop running in this one.
    with ThreadPoolExecutor(1) as own:
        return own.submit(lambda: asyncio.run(measure(engine, pages, cases, levels))).result()


def test_the_table_in_the_documentation_is_that_of_the_cases_and_the_record() -> None:
    assert report.FILE.read_text("utf-8") == report.render(), "python -m pytest -m matrix writes it"


def test_there_are_cases_of_every_family_and_each_has_a_name_and_a_declared_form_of_its_own() -> (
    None
):
    assert len(CASES) >= 110
    assert len(FAMILIES) == 8
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names)
    assert [case.name for case in CASES if not (case.declared or case.declared_head)] == []


def test_the_record_names_only_cases_that_there_are() -> None:
    names = {case.name for case in CASES}
    for levels in read_record().values():
        for level, gaps in levels.items():
            assert level == "missing" or set(gaps) <= names


def test_a_sample_of_the_matrix_shows_no_gap_that_is_not_on_record(pages: MatrixPages) -> None:
    record = read_record()["chromium"]
    levels = [
        level for level in _SAMPLED_LEVELS if level in record and level not in record["missing"]
    ]
    cases = [case for case in CASES[::_SAMPLE] if case.name not in record["silent"]]
    measured = _measure("chromium", pages, cases, levels)
    assert measured.silent == set()
    new = {
        (level, case): found
        for (level, case), found in measured.failures.items()
        if not set(found) <= set(record[level].get(case, ()))
    }
    assert new == {}


@pytest.mark.matrix
@pytest.mark.parametrize("engine", ["chromium", "firefox", "webkit"])
def test_the_whole_matrix_shows_the_gaps_on_record_and_no_other(
    engine: Engine, pages: MatrixPages
) -> None:
    before = read_record().get(engine, {})
    measured = _measure(engine, pages, CASES, LEVELS)
    write_record(engine, measured, LEVELS)
    report.write()
    silent = set(before.get("silent", {}))
    assert measured.silent == silent, "a case that does nothing without us proves nothing"
    for level in LEVELS:
        assert gaps_of(measured, level) == before.get(level, {}), level
