"""The database: durable when it says so, and never half written."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from consent_server.errors import ConfigError, Unavailable
from consent_server.store import database as database_module
from consent_server.store.database import Database
from consent_server.store.models import Site
from consent_server.store.schema import upgrade_schema

from .rows import NOW


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "that" / "is" / "new" / "consent.sqlite"


def test_a_sqlite_that_cannot_return_what_it_deletes_is_refused(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 34, 1))
    with pytest.raises(ConfigError, match=r"3\.35\.0"):
        Database(f"sqlite:///{file}")


@pytest.mark.parametrize(
    ("pragma", "expected"),
    [
        ("journal_mode", "wal"),
        # 2 is FULL: a commit is on the disk before it is acknowledged.
        ("synchronous", 2),
        ("foreign_keys", 1),
        ("secure_delete", 1),
        ("busy_timeout", 5000),
    ],
)
def test_every_connection_to_sqlite_is_set_for_durability(
    file: Path, pragma: str, expected: object
) -> None:
    database = Database(f"sqlite:///{file}")
    question = text(f"PRAGMA {pragma}")
    with database.write() as writer, database.read() as one, database.read() as other:
        assert [session.scalar(question) for session in (writer, one, other)] == [expected] * 3
    database.close()


def test_what_is_in_use_while_the_database_is_closed_is_closed_when_it_comes_back(
    store: Database,
) -> None:
    """As of a thread that still looks while the server ends."""
    with store.read() as session:
        driver: Any = session.connection().connection.driver_connection
        store.close()
        assert session.scalar(select(func.count()).select_from(Site)) == 0
    with pytest.raises((sqlite3.ProgrammingError, psycopg.OperationalError), match="closed"):
        driver.execute("SELECT 1")
    with store.read() as session:
        assert session.scalar(select(func.count()).select_from(Site)) == 0


def test_what_fails_half_way_leaves_nothing_behind(store: Database) -> None:
    def add_twice() -> None:
        with store.write() as session:
            session.add(Site(key="other", name="", created_at=NOW))
            session.flush()
            session.add_all(Site(key="site", name="", created_at=NOW) for _ in range(2))

    with pytest.raises(IntegrityError):
        add_twice()
    with store.read() as session:
        assert session.scalar(select(func.count()).select_from(Site)) == 0


def test_an_error_does_not_repeat_what_was_to_be_written(store: Database) -> None:
    with pytest.raises(DBAPIError) as caught, store.write() as session:
        session.execute(text("INSERT INTO nowhere VALUES (:secret)"), {"secret": "whose"})
    assert "whose" not in str(caught.value)


def test_a_reader_sees_what_was_committed_while_another_writes(store: Database) -> None:
    with store.write() as session:
        session.add(Site(key="first", name="", created_at=NOW))
    with store.write() as session:
        session.add(Site(key="second", name="", created_at=NOW))
        session.flush()
        with store.read() as reader:
            assert list(reader.scalars(select(Site.key))) == ["first"]


def test_two_writers_of_two_processes_wait_for_each_other(file: Path) -> None:
    one, other = Database(f"sqlite:///{file}"), Database(f"sqlite:///{file}")
    upgrade_schema(one)

    def add(database: Database, name: str) -> None:
        for number in range(20):
            with database.write() as session:
                session.scalar(select(func.count()).select_from(Site))
                session.add(Site(key=f"{name}-{number}", name="", created_at=NOW))

    writers = [
        threading.Thread(target=add, args=(database, name))
        for database, name in ((one, "a"), (other, "b"))
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    with one.read() as session:
        assert session.scalar(select(func.count()).select_from(Site)) == 40
    one.close()
    other.close()


def test_a_writer_gives_up_waiting_for_another_process(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "_BUSY_MILLISECONDS", 50)
    one, other = Database(f"sqlite:///{file}"), Database(f"sqlite:///{file}")
    upgrade_schema(one)
    with other.write() as session:
        session.add(Site(key="other", name="", created_at=NOW))
        session.flush()
        with pytest.raises(OperationalError, match="locked"), one.write() as late:
            late.scalar(select(Site.key))
    with one.write() as session:
        session.add(Site(key="one", name="", created_at=NOW))
    one.close()
    other.close()


def test_a_writer_gives_up_waiting_for_its_turn(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "_BUSY_MILLISECONDS", 50)
    database = Database(f"sqlite:///{file}")
    upgrade_schema(database)
    with database.write(), pytest.raises(Unavailable) as refused, database.write():
        pass
    assert refused.value.headers["Retry-After"] == "5"
    with database.write() as session:
        session.add(Site(key="later", name="", created_at=NOW))
    database.close()
