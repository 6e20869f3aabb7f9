"""Scrubbing: the bytes of erased visitors are looked for in every file of the database."""

from __future__ import annotations

import random
import secrets
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
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
from .rows import add_one_row_each

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
        scrub(store)
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


@pytest.mark.parametrize("table", ["subject_data", "identity", "webhook_delivery"])
def test_every_table_that_tells_whose_something_is_gets_new_pages(
    sqlite: Database, table: str
) -> None:
    root = text("SELECT rootpage FROM sqlite_master WHERE name = :table")
    with sqlite.write() as session:
        add_one_row_each(session)
        before = session.scalar(root, {"table": table})
    scrub(sqlite)
    with sqlite.read() as session:
        assert session.scalar(root, {"table": table}) != before
        assert session.scalar(text(f"SELECT count(*) FROM {table}")) == 1


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


@pytest.fixture
def postgresql_store(postgresql: PostgresqlServer) -> Iterator[Database]:
    database = Database(postgresql.make_database())
    upgrade_schema(database)
    yield database
    database.close()


@contextmanager
def recycling(server: PostgresqlServer, setting: str) -> Iterator[None]:
    """Tell the server what to do with segments of its log that are full."""
    with server.connect("postgres") as connection:
        try:
            connection.execute(f"ALTER SYSTEM SET wal_recycle = {setting}".encode())
            connection.execute("SELECT pg_reload_conf()")
            _wait_for_setting(server, setting)
            yield
        finally:
            connection.execute("ALTER SYSTEM RESET wal_recycle")
            connection.execute("SELECT pg_reload_conf()")


def _wait_for_setting(server: PostgresqlServer, setting: str) -> None:
    for _ in range(100):
        with server.connect("postgres") as connection:
            if connection.execute("SHOW wal_recycle").fetchone() == (setting,):
                return
        time.sleep(0.05)
    raise AssertionError("the server does not read its configuration again")


def add_and_erase(database: Database, number: int = 2_000, leaving: int = 400) -> list[Row]:
    """Add visitors that the planner has sampled, erase some and return those."""
    rows = add_subjects(database, number)
    with database.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        # The planner's samples hold keys and salts themselves.
        connection.execute(text("ANALYZE subject_data"))
        connection.execute(text("CHECKPOINT"))
    gone = random.Random(number).sample(rows, leaving)
    erase(database, gone)
    return gone


@pytest.mark.parametrize(
    ("number", "leaving"), [(2_000, 400), pytest.param(100_000, 1_000, marks=pytest.mark.soak)]
)
def test_no_file_of_postgresql_keeps_a_byte_of_who_was_erased_where_it_recycles_no_log(
    postgresql: PostgresqlServer, postgresql_store: Database, number: int, leaving: int
) -> None:
    with recycling(postgresql, "off"):
        gone = add_and_erase(postgresql_store, number, leaving)
        assert traces(postgresql.data / "base", gone)
        assert traces(postgresql.data / "pg_wal", gone)
        assert scrub(postgresql_store) == []
        assert traces(postgresql.data, gone) == {}


def test_a_postgresql_that_recycles_its_log_is_told_not_reached(
    postgresql: PostgresqlServer, postgresql_store: Database
) -> None:
    with recycling(postgresql, "on"):
        gone = add_and_erase(postgresql_store)
        (missed,) = scrub(postgresql_store)
    assert "wal_recycle = off" in missed
    # Whether the log really still holds them hangs on which of its files it took up again.
    assert traces(postgresql.data / "base", gone) == {}


@pytest.mark.parametrize(
    ("granted", "named"),
    [((), "pg_checkpoint"), (("pg_checkpoint",), "pg_switch_wal")],
)
def test_a_role_that_may_not_pass_the_log_on_is_told_which_right_it_lacks(
    postgresql: PostgresqlServer, postgresql_store: Database, granted: tuple[str, ...], named: str
) -> None:
    role = f"role_{secrets.token_hex(4)}"
    url = postgresql_store.engine.url
    with postgresql.connect(str(url.database)) as connection:
        connection.execute(f"CREATE ROLE {role} LOGIN".encode())
        connection.execute(f"ALTER TABLE subject_data OWNER TO {role}".encode())
        for group in granted:
            connection.execute(f"GRANT {group} TO {role}".encode())
    lesser = Database(url.set(username=role).render_as_string())
    try:
        missed = scrub(lesser)
    finally:
        lesser.close()
    assert [one for one in missed if named in one]
