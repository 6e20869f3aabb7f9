"""Scrubbing: the bytes of erased visitors are looked for in every file of the database."""

from __future__ import annotations

import random
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import bindparam, delete, func, insert, select, text
from sqlalchemy.exc import IntegrityError

from consent_server.errors import Unavailable
from consent_server.store import database as database_module
from consent_server.store.database import Database
from consent_server.store.models import Base, SubjectData
from consent_server.store.schema import upgrade_schema
from consent_server.store.scrubbing import scrub

from .postgresql import PostgresqlServer

_BATCH = 50
#: Begins every key and salt here, so that one search of a file finds them all.
_MARK = b"\xa7marked\xa7"

#: A row of `subject_data`: event id, hashed subject id, salt.
Row = dict[str, object]


def add_subjects(database: Database, number: int) -> list[Row]:
    """Add rows as they come in life: few at a time, with random keys, some erased meanwhile."""
    rows: list[Row] = [
        {
            "site_id": 1,
            "event_id": uuid4(),
            "subject_key": _MARK + secrets.token_bytes(24),
            "salt": _MARK + secrets.token_bytes(24),
        }
        for _ in range(number)
    ]
    for start in range(0, number, _BATCH):
        with database.write() as session:
            session.execute(insert(SubjectData), rows[start : start + _BATCH])
    return rows


def erase(database: Database, rows: Iterable[Row]) -> None:
    keys = [{"key": row["subject_key"]} for row in rows]
    with database.write() as session:
        session.connection().execute(
            delete(SubjectData).where(
                SubjectData.site_id == 1, SubjectData.subject_key == bindparam("key")
            ),
            keys,
        )


def traces(folder: Path, rows: Iterable[Row]) -> dict[str, int]:
    """Return how many erased keys and salts stand in each file of a folder, raw or in hex."""
    secret = {row[name] for row in rows for name in ("subject_key", "salt")}
    found: dict[str, int] = {}
    for file in (one for one in folder.rglob("*") if one.is_file()):
        content = file.read_bytes()
        seen = {content[at : at + 32] for at in _positions(content, _MARK)}
        for spelled in (_MARK.hex(), _MARK.hex().upper()):
            for at in _positions(content, spelled.encode()):
                seen.add(bytes.fromhex(content[at : at + 64].decode("ascii")))
        if hits := len(seen & secret):
            found[str(file.relative_to(folder))] = hits
    return found


def _positions(content: bytes, mark: bytes) -> Iterator[int]:
    at = content.find(mark)
    while at >= 0:
        yield at
        at = content.find(mark, at + 1)


@pytest.fixture
def sqlite(tmp_path: Path) -> Database:
    database = Database(f"sqlite:///{tmp_path / 'files' / 'consent.sqlite'}")
    upgrade_schema(database)
    return database


def check_no_trace(database: Database, folder: Path, number: int, gone: int) -> None:
    rows = add_subjects(database, number)
    chosen = random.Random(number).sample(rows, gone)
    erase(database, chosen)
    assert traces(folder, chosen), "the journal holds what was just deleted, or nothing is shown"
    assert scrub(database) == []
    assert traces(folder, chosen) == {}
    with database.read() as session:
        kept = {row.event_id for row in session.scalars(select(SubjectData))}
    assert kept == {row["event_id"] for row in rows} - {row["event_id"] for row in chosen}


def test_no_file_of_sqlite_keeps_a_byte_of_who_was_erased(sqlite: Database, tmp_path: Path) -> None:
    check_no_trace(sqlite, tmp_path / "files", 5_000, 50)


@pytest.mark.soak
def test_no_file_of_sqlite_keeps_a_byte_of_a_thousand_of_a_hundred_thousand(
    sqlite: Database, tmp_path: Path
) -> None:
    check_no_trace(sqlite, tmp_path / "files", 100_000, 1_000)


def test_the_schema_is_the_same_after_scrubbing_twice(store: Database) -> None:
    add_subjects(store, 200)
    for _ in range(2):
        assert scrub(store) == []
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
    with pytest.raises(IntegrityError), store.write() as session:
        session.execute(text("INSERT INTO subject_data SELECT * FROM subject_data"))
    with store.read() as session:
        assert session.scalar(select(func.count()).select_from(SubjectData)) == 200


def test_rows_that_were_moved_while_they_lived_leave_nothing_behind(
    sqlite: Database, tmp_path: Path
) -> None:
    """Pages that are split keep copies in their free space, which deleting does not reach."""
    rows = add_subjects(sqlite, 6_000)
    gone = [row for number, row in enumerate(rows) if number % 10]
    for start in range(0, len(gone), 900):
        erase(sqlite, gone[start : start + 900])
    scrub(sqlite)
    assert traces(tmp_path / "files", gone) == {}


def test_a_reader_of_an_older_state_is_named_and_scrubbing_again_succeeds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "_BUSY_MILLISECONDS", 50)
    sqlite = Database(f"sqlite:///{tmp_path / 'files' / 'consent.sqlite'}")
    upgrade_schema(sqlite)
    rows = add_subjects(sqlite, 200)
    with sqlite.read() as reader:
        reader.scalar(select(SubjectData.salt))
        erase(sqlite, rows[:10])
        with pytest.raises(Unavailable, match="database scrub"):
            scrub(sqlite, patience=0.1)
        assert traces(tmp_path / "files", rows[:10])
    scrub(sqlite)
    assert traces(tmp_path / "files", rows[:10]) == {}


def test_no_table_file_of_postgresql_keeps_a_byte_of_who_was_erased(
    postgresql: PostgresqlServer,
) -> None:
    database = Database(postgresql.make_database())
    upgrade_schema(database)
    rows = add_subjects(database, 2_000)
    with database.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        # The planner's samples hold keys and salts themselves.
        connection.execute(text("ANALYZE subject_data"))
        connection.execute(text("CHECKPOINT"))
    gone = rows[::5]
    erase(database, gone)
    tables = postgresql.data / "base"
    assert traces(tables, gone)
    assert scrub(database) == []
    assert traces(tables, gone) == {}
    # What the server promises nobody: the log that replays its changes. See docs/retention.md.
    assert traces(postgresql.data / "pg_wal", gone)
    database.close()
