"""The matrix in each engine: what is held, what runs after consent, what ends after it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from ..running_server import RunningServer
from . import reasons, report
from .case import Case, Engine
from .cases import CASES, FAMILIES
from .measure import CROWD, Failures, Measured, measure
from .pages import LEVELS, Level, MatrixPages, running_pages
from .record import BESIDE, Gaps, read_record, write_record
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
    engine: Engine,
    pages: MatrixPages,
    cases: Sequence[Case],
    levels: Sequence[Level],
    visitors: int = CROWD,
) -> Measured:
    # A thread of its own: the other tests' browsers keep a loop running in this one.
    with ThreadPoolExecutor(1) as own:
        walked = measure(engine, pages, cases, levels, visitors)
        return own.submit(lambda: asyncio.run(walked)).result()


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


def _gaps(engine: Engine, level: Level, *verdicts: str) -> set[str]:
    gaps = read_record()[engine][level]
    return {case for case, failed in gaps.items() if set(verdicts) & set(failed)}


def test_in_chromium_marked_and_rewritten_pages_pass_every_verdict() -> None:
    record = read_record()["chromium"]
    assert record["missing"] == {}
    assert (record["declared"], record["rewritten"]) == ({}, {})


@pytest.mark.parametrize("engine", ["chromium", "webkit"])
def test_no_code_runs_and_nothing_is_stored_ahead_of_consent_on_an_unchanged_page(
    engine: Engine,
) -> None:
    sent_on = reasons.SENT_ON_CASES if engine == "webkit" else set()
    assert _gaps(engine, "strict", "ran", "stored") - sent_on <= reasons.SHADOW_CASES
    # Known services only: nobody can tell where the frame's location is sent.
    assert _gaps(engine, "gate", "ran", "stored") - sent_on <= (
        reasons.SHADOW_CASES | reasons.LOCATION_CASES
    )


@pytest.mark.parametrize("level", ["gate", "strict"])
@pytest.mark.parametrize("engine", ["chromium", "webkit"])
def test_only_what_no_script_can_stop_is_asked_for_ahead_of_consent(
    engine: Engine, level: Level
) -> None:
    shown = reasons.SHOWN_CASES | reasons.SENT_ON_CASES if engine == "webkit" else set()
    assert _gaps(engine, level, "requested") <= (
        reasons.READ_AHEAD_CASES
        | reasons.FRAME_CASES
        | reasons.LOCATION_CASES
        | reasons.SHADOW_CASES
        | shown
    )


def test_each_engine_is_walked_at_every_level() -> None:
    for levels in read_record().values():
        assert {*LEVELS} <= {*levels}
        assert levels["missing"] == {}


def test_every_gap_on_record_has_its_reason() -> None:
    for engine, levels in read_record().items():
        for level, gaps in levels.items():
            if level not in BESIDE:
                for case, failed in gaps.items():
                    reason = reasons.reason_of(engine, case, level, list(failed))
                    assert reason != reasons.OPEN, f"{engine}, {level}: {case} {failed}"


def test_a_sample_of_the_matrix_shows_no_gap_that_is_not_on_record(pages: MatrixPages) -> None:
    record = read_record()["chromium"]
    levels = [
        level for level in _SAMPLED_LEVELS if level in record and level not in record["missing"]
    ]
    cases = [case for case in CASES[::_SAMPLE] if case.name not in record["silent"]]
    # Few at a time: other tests need the processors, too, and what comes late counts as missing.
    measured = _measure("chromium", pages, cases, levels, visitors=3)
    assert measured.silent == set()
    assert _new_gaps(measured, record) == {}


@pytest.mark.matrix
@pytest.mark.parametrize("engine", ["chromium", "firefox", "webkit"])
def test_the_whole_matrix_shows_no_gap_that_is_not_on_record(
    engine: Engine, pages: MatrixPages
) -> None:
    before = read_record()[engine]
    levels = [level for level in LEVELS if level in before]
    measured = _measure(engine, pages, CASES, levels)
    write_record(engine, measured, levels)
    report.write()
    assert measured.silent == set(before["silent"]), "a case that does nothing proves nothing"
    assert _new_gaps(measured, before) == {}


def _new_gaps(measured: Measured, record: Mapping[str, Gaps]) -> Failures:
    """What a timing may hide once and show another time is on record as soon as it was seen."""
    return {
        (level, case): found
        for (level, case), found in measured.failures.items()
        if not set(found) <= set(record[level].get(case, ()))
    }
