"""Append-only: the database itself refuses to change evidence, on both databases."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from consent_server.store.database import Database
from consent_server.store.driver import Insert
from consent_server.store.models import Base, LedgerLeaf

from .rows import add_one_row_each

EVIDENCE = [
    "answer",
    "consent_event",
    "admin_event",
    "site_version",
    "site_script",
    "version_picture",
    "ledger",
    "ledger_leaf",
    "ledger_node",
    "checkpoint",
    "cosignature",
]
#: What operation needs to change: current state, totals, what waits, and the link that
#: erasure drops.
CHANGEABLE = [
    "site",
    "subject_data",
    "notice_count",
    "ledger_queue",
    "checkpoint_push",
    "witnessed",
    "lease",
    "hand_over",
    "webhook",
    "webhook_delivery",
    "identity",
]


@pytest.fixture
def filled(store: Database) -> Database:
    with store.write() as session:
        add_one_row_each(session)
    return store


def refuse(database: Database, statement: str) -> None:
    with pytest.raises(DBAPIError, match="append-only"), database.write() as session:
        session.execute(text(statement))


def read_all(database: Database, table: str) -> list[tuple[object, ...]]:
    with database.read() as session:
        return [tuple(row) for row in session.execute(text(f"SELECT * FROM {table}"))]


def test_every_table_is_either_evidence_or_changeable_on_purpose() -> None:
    assert set(Base.metadata.tables) == {*EVIDENCE, *CHANGEABLE}


@pytest.mark.parametrize("table", EVIDENCE)
def test_no_column_of_evidence_can_be_updated(filled: Database, table: str) -> None:
    before = read_all(filled, table)
    for column in Base.metadata.tables[table].columns:
        refuse(filled, f"UPDATE {table} SET {column.name} = {column.name}")
    assert read_all(filled, table) == before


@pytest.mark.parametrize("table", EVIDENCE)
def test_no_row_of_evidence_can_be_deleted(filled: Database, table: str) -> None:
    before = read_all(filled, table)
    refuse(filled, f"DELETE FROM {table}")
    assert read_all(filled, table) == before


@pytest.mark.parametrize("table", EVIDENCE)
def test_no_row_of_evidence_can_be_written_over(filled: Database, table: str) -> None:
    before = read_all(filled, table)
    key = ", ".join(column.name for column in Base.metadata.tables[table].primary_key)
    again = f"INTO {table} SELECT * FROM {table}"
    first = next(iter(Base.metadata.tables[table].columns)).name
    if filled.is_sqlite:
        refuse(filled, f"INSERT OR REPLACE {again}")
        refuse(filled, f"REPLACE {again}")
    else:
        change = f"ON CONFLICT ({key}) DO UPDATE SET {first} = EXCLUDED.{first}"
        refuse(filled, f"INSERT {again} {change}")
    assert read_all(filled, table) == before


@pytest.mark.parametrize("table", EVIDENCE)
def test_no_table_of_evidence_can_be_emptied_at_once(filled: Database, table: str) -> None:
    # SQLite has no TRUNCATE: its DELETE without WHERE must not be one.
    refuse(filled, f"DELETE FROM {table}" if filled.is_sqlite else f"TRUNCATE {table} CASCADE")
    assert len(read_all(filled, table)) == 1


def test_the_link_to_a_person_can_be_dropped(filled: Database) -> None:
    with filled.write() as session:
        session.execute(text("DELETE FROM subject_data"))
    assert read_all(filled, "subject_data") == []
    assert len(read_all(filled, "consent_event")) == 1


def test_a_retired_site_cannot_take_its_ledger_along(filled: Database) -> None:
    with pytest.raises(DBAPIError), filled.write() as session:
        session.execute(text("DELETE FROM site"))
    assert len(read_all(filled, "consent_event")) == 1


def steps_of_sealing(database: Database, leaves: range) -> int:
    """Insert leaves one by one; return what SQLite's virtual machine did for the last."""
    insert = Insert(LedgerLeaf, "site_id", "leaf_index", "event_id", "leaf_hash")
    done = 0

    def count() -> int:
        nonlocal done
        done += 1
        return 0

    with database.write() as session:
        connection = session.connection()
        for index in leaves:
            done = 0
            driver: Any = connection.connection.driver_connection
            driver.set_progress_handler(count, 1)
            insert(connection, [(1, index, uuid4(), bytes(32))])
            driver.set_progress_handler(None, 1)
    return done


@pytest.mark.parametrize("empty_url", ["sqlite"], indirect=True)
def test_guarding_costs_the_same_however_much_there_is(store: Database) -> None:
    few = steps_of_sealing(store, range(10))
    assert steps_of_sealing(store, range(10, 1_000)) < 2 * few
