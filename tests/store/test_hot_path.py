"""The hot path: what a decision asks of the database costs the same however full it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import event, select, text
from sqlalchemy.exc import IntegrityError

from consent_server.appending import append_together
from consent_server.ledger import ShownVersion
from consent_server.published import PublishedSites
from consent_server.rights import decisions_of
from consent_server.rules.decision import Decision, Layer, Method, optional_keys
from consent_server.store.database import Database
from consent_server.store.driver import Find, Insert
from consent_server.store.models import LedgerQueue, SubjectData
from consent_server.wanted import Wanted

from .rows import NOW

#: Every key starts with the site: a search by the site alone reads all that it has.
_READS_ALL = re.compile(r"SCAN (consent_event|subject_data)|\(site_id=\?\)")
_insert_links = Insert(SubjectData, "site_id", "event_id", "subject_key", "salt")


@contextmanager
def plans_of(database: Database) -> Iterator[list[str]]:
    """Collect how SQLite finds the rows of every question that is asked meanwhile."""
    asked: list[str] = []
    plans: list[str] = []

    def listen(raw: Any, *_rest: Any) -> None:
        raw.set_trace_callback(asked.append)  # SQLite's own: statements with their values

    event.listen(database.engine, "checkout", listen)
    yield plans
    event.remove(database.engine, "checkout", listen)
    with database.engine.connect() as connection:
        raw: Any = connection.connection.driver_connection
        raw.set_trace_callback(None)
        for statement in {one for one in asked if one.startswith("SELECT")}:
            found = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}")
            plans += [f"{row[3]}  <-  {statement}" for row in found]


def said(shown: ShownVersion, subject_id: str) -> Wanted:
    grants = dict.fromkeys(optional_keys(shown.config), False)
    return Wanted(
        shown,
        Decision(
            decision_id=uuid4(),
            subject_id=subject_id,
            method=Method.REJECT_ALL,
            layer=Layer.NOTICE,
            version=shown.number,
            script="",
            language="fi",
            grants=grants,
            decided_at=NOW,
        ),
    )


@pytest.fixture
def shown(served: Any) -> ShownVersion:
    published: PublishedSites = served.extensions["consent"].published
    site = published.find("smilee")
    return published.shown(site, site.number, site.script.script.script_id)


# PostgreSQL chooses by what the tables hold, and here they are empty.
@pytest.mark.parametrize("empty_url", ["sqlite"], indirect=True)
def test_no_question_about_a_visitor_reads_the_whole_ledger(
    served: Any, shown: ShownVersion
) -> None:
    database: Database = served.extensions["consent"].database
    first, other = said(shown, "1" * 32), said(shown, "2" * 32)
    again = replace(first, decision=replace(first.decision, decision_id=uuid4()))
    with plans_of(database) as plans, database.write() as session:
        for batch in ([first, other], [first, again], [other]):
            append_together(session, batch, now=NOW)
        assert len(decisions_of(session, shown.site, "1" * 32)) == 2
    assert any("SEARCH consent_event" in plan for plan in plans)
    assert any("SEARCH subject_data" in plan for plan in plans)
    assert [plan for plan in plans if _READS_ALL.search(plan) and "checkpoint" not in plan] == []


@pytest.mark.parametrize("number", [1, 2, 3, 63, 64, 65, 200])
def test_rows_of_any_number_arrive_as_they_would_one_by_one(store: Database, number: int) -> None:
    rows = [(1, uuid4(), bytes([place]) * 32, b"salt") for place in range(number)]
    with store.write() as session:
        _insert_links(session.connection(), rows)
    with store.read() as session:
        found = session.scalars(select(SubjectData))
        kept = {(one.site_id, one.event_id, one.subject_key, one.salt) for one in found}
    assert kept == set(rows)


def test_times_and_json_are_spelled_as_their_columns_say(store: Database) -> None:
    waiting = Insert(LedgerQueue, "leaf_hash", "event_id", "received_at", "site_id")
    event_id = uuid4()
    with store.write() as session:
        waiting(session.connection(), [(b"hash", event_id, NOW, 7)])
    with store.read() as session:
        assert session.get(LedgerQueue, (7, NOW, event_id)) is not None


def test_nothing_of_rows_is_kept_when_one_is_refused(store: Database) -> None:
    twice = uuid4()
    rows = [(1, one, b"k", b"s") for one in (uuid4(), twice, uuid4(), twice)]
    with pytest.raises(IntegrityError), store.write() as session:
        _insert_links(session.connection(), rows)
    with store.read() as session:
        assert session.execute(text("SELECT 1 FROM subject_data")).first() is None


def test_known_values_are_told_from_unknown_ones(store: Database) -> None:
    find_events = Find(SubjectData.event_id)
    find_subjects = Find(SubjectData.subject_key, SubjectData.event_id, SubjectData.salt)
    known, key = uuid4(), b"k" * 32
    with store.write() as session:
        _insert_links(session.connection(), [(1, known, key, b"s")])
        ask = session.connection()
        others: list[UUID] = [uuid4() for _ in range(40)]
        assert find_events(ask, 1, [*others, known]) == [(known,)]
        assert find_subjects(ask, 1, [b"x" * 32, key, b"y" * 32]) == [(known, b"s")]
        assert find_events(ask, 1, others) == []
        assert find_events(ask, 2, [known]) == []
        assert find_subjects(ask, 1, [b"x" * 32]) == []
