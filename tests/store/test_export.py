"""Export: of one moment on both databases, however much is written meanwhile."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import Mock
from uuid import UUID

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.exc import DBAPIError

from consent_server import record_copy, record_lines
from consent_server.audit import (
    count_records,
    export_records,
    hold_snapshot,
    versions_of,
    write_csv,
    write_jsonl,
)
from consent_server.errors import Unavailable
from consent_server.record_lines import export_lines, spell_milliseconds
from consent_server.rules.times import spell_time
from consent_server.sites import find_site
from consent_server.store.database import Database
from consent_server.store.driver import copying
from consent_server.store.models import Answer, ConsentEvent, LedgerQueue, SubjectData
from tests.visitor import Visitor

from .sealed import Seal, remove_triggers

_WRITERS = {"csv": write_csv, "jsonl": write_jsonl}
#: What is spelled differently in SQL, in CSV and in JSON.
_ODD_VALUES: tuple[dict[str, Any], ...] = (
    {"signals": {"gpc": "header"}, "region": "US-CA"},
    {"signals": {"note": '100 % "of" C:\\new\\x01, =1\r\n\tå\x01\x02\x03'}},
    {"signals": {"\\": ["%s", None, 1.5, {}]}, "region": "FI"},
    {"signals": {"gpc": "header"}},
)


def test_an_export_under_writes_is_of_one_moment(served: Flask, store: Database) -> None:
    visitor = Visitor(served.test_client(use_cookies=False))
    receipt = visitor.accept_all().json
    with store.read() as session:
        hold_snapshot(session)
        site = find_site(session, "smilee")
        assert visitor.reject_all().status_code == 201
        assert count_records(session, site) == 1
        assert list(export_records(session, site)) == [receipt]
    with store.read() as session:
        hold_snapshot(session)
        assert count_records(session, find_site(session, "smilee")) == 2


@pytest.mark.parametrize("empty_url", ["postgresql"], indirect=True)
def test_a_copy_gives_each_row_and_leaves_the_connection_as_it_was(store: Database) -> None:
    numbers = func.generate_series(1, 5_000).column_valued("number")
    with store.read() as session:
        for _ in range(2):
            with copying(session.connection(), select(numbers)) as rows:
                found = [int(bytes(row)) for row in rows]
            assert found == list(range(1, 5_001))
        with suppress(InterruptedError), copying(session.connection(), select(numbers)) as rows:
            assert bytes(next(rows)) == b"1\n"
            raise InterruptedError
        # The last rows come with what it met.
        with (
            pytest.raises(DBAPIError, match="division by zero"),
            copying(session.connection(), select(1 / (numbers - 4_999))) as rows,
        ):
            list(rows)
        assert session.scalar(text("SELECT 1")) == 1


def test_many_records_come_in_order_from_a_cursor(served: Flask, store: Database) -> None:
    visitor = Visitor(served.test_client(use_cookies=False))
    receipts = [visitor.decide().json for _ in range(20)]
    with store.read() as session:
        site = find_site(session, "smilee")
        records = list(export_records(session, site))
        assert [one["version"] for one in versions_of(session, site)] == [1]
    assert records == sorted(receipts, key=lambda one: (one["received_at"], one["event_id"]))


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_lines_are_those_of_the_records(
    served: Flask, store: Database, visitor: Visitor, seal: Seal, form: str
) -> None:
    services = visitor.services()
    receipts = [visitor.decide(*services[: number % 4]).json for number in range(12)]
    seal()
    browser = Visitor(served.test_client(use_cookies=False))
    receipts += [browser.decide(*services[:number]).json for number in range(3)]
    remove_triggers(store)
    with store.write() as session:
        # One of whom the link was erased, and one that is neither sealed nor waits.
        for model, receipt in ((SubjectData, receipts[4]), (LedgerQueue, receipts[-2])):
            event_id = UUID(receipt["event_id"])
            session.execute(delete(model).where(model.event_id == event_id))
        for receipt, values in zip(receipts, _ODD_VALUES, strict=False):
            event_id = UUID(receipt["event_id"])
            changed = update(ConsentEvent).where(ConsentEvent.event_id == event_id)
            session.execute(changed.values(values))
    middle = datetime.now(UTC) - timedelta(milliseconds=1)
    for since, until in ((None, None), (middle, None), (None, middle), (middle, middle)):
        with store.read() as session:
            hold_snapshot(session)
            if not store.is_sqlite:
                session.execute(text("SET LOCAL TIME ZONE 'Asia/Tokyo'"))
            site = find_site(session, "smilee")
            told = list(export_lines(session, site, form, since, until))
            careful = list(export_records(session, site, since, until))
        assert all(lines for _, lines in told), "an empty piece ends some streams"
        assert b"".join(lines for _, lines in told) == b"".join(_WRITERS[form](careful))
        assert sum(number for number, _ in told) == len(careful)


@pytest.mark.parametrize("forms", [0, 256])
def test_postgresql_makes_the_lines_itself_unless_there_are_many_forms(
    visitor: Visitor, seal: Seal, store: Database, forms: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        visitor.decide(*visitor.services()[:number])
    seal()
    asked = Mock(side_effect=record_lines._columns)
    monkeypatch.setattr(record_copy, "_MAX_FORMS", forms)
    monkeypatch.setattr(record_lines, "_columns", asked)
    with store.read() as session:
        site = find_site(session, "smilee")
        told = list(export_lines(session, site, "jsonl"))
        careful = list(export_records(session, site))
    assert b"".join(lines for _, lines in told) == b"".join(write_jsonl(careful))
    assert asked.called == (store.is_sqlite or not forms)


def test_an_export_that_is_given_up_leaves_its_session_as_it_was(
    visitor: Visitor, store: Database
) -> None:
    for _ in range(3):
        visitor.accept_all()
    with store.read() as session:
        hold_snapshot(session)
        site = find_site(session, "smilee")
        lines = export_lines(session, site, "csv")
        assert [next(lines)[0], next(lines)[0]] == [0, 3]
        lines.close()
        assert visitor.accept_all().status_code == 201
        assert count_records(session, site) == 3, "of the same moment"


def test_an_answer_that_is_gone_is_told_and_nothing_is_made_up(
    visitor: Visitor, store: Database
) -> None:
    visitor.accept_all()
    remove_triggers(store)
    with store.write() as session:
        session.execute(delete(Answer))
    with store.read() as session, pytest.raises(Unavailable, match="taken out of the database"):
        list(export_lines(session, find_site(session, "smilee"), "jsonl"))


@given(st.integers(-62_135_596_800_000, 253_402_300_799_999))
def test_a_time_in_milliseconds_is_spelled_as_a_time_is(moment: int) -> None:
    told = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=moment)
    assert spell_milliseconds(moment) == spell_time(told)
