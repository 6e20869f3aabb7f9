"""The schema: the migrations build what the models say, on both databases."""

from __future__ import annotations

import subprocess
import sys

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, select, text

from consent_server.store.database import Database
from consent_server.store.models import Base, LedgerQueue, VersionPicture
from consent_server.store.schema import CURRENT, MIGRATIONS, schema_is_current, upgrade_schema

from .rows import EVENT_ID, NOW, add_one_row_each


def test_the_migrations_build_exactly_the_models(store: Database) -> None:
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_this_releases_schema_is_that_of_the_last_migration() -> None:
    assert ScriptDirectory(str(MIGRATIONS)).get_current_head() == CURRENT


def test_a_server_with_nothing_to_migrate_does_without_alembic() -> None:
    code = "import sys, consent_server.cli.run; print('alembic' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_upgrading_again_changes_nothing_and_keeps_every_row(store: Database) -> None:
    with store.write() as session:
        add_one_row_each(session)
    upgrade_schema(store)
    with store.read() as session:
        for table in Base.metadata.tables:
            assert session.scalar(text(f"SELECT count(*) FROM {table}")) == 1


def test_an_empty_database_is_not_current(empty_store: Database) -> None:
    assert not schema_is_current(empty_store)
    upgrade_schema(empty_store)
    assert schema_is_current(empty_store)


def test_a_database_of_a_newer_release_is_not_current(store: Database) -> None:
    with store.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert not schema_is_current(store)


def test_what_was_recorded_before_sealing_existed_waits_to_be_sealed(
    empty_store: Database,
) -> None:
    upgrade_schema(empty_store, "0001")
    columns = inspect(empty_store.engine).get_columns("consent_event")
    values = {
        "event_id": f"'{EVENT_ID.hex if empty_store.is_sqlite else EVENT_ID}'",
        "site_id": "1",
        "version": "1",
        "leaf_hash": "X'0a'" if empty_store.is_sqlite else r"'\x0a'",
        "subject_commitment": "X'0b'" if empty_store.is_sqlite else r"'\x0b'",
        "signals": "'{}'",
        "grants": "'{}'",
        **dict.fromkeys(("decided_at", "received_at", "valid_until"), "'2026-11-22T16:47:00.000Z'"),
    }
    row = ", ".join(values.get(column["name"], "'x'") for column in columns)
    names = ", ".join(column["name"] for column in columns)
    with empty_store.write() as session:
        session.execute(text(f"INSERT INTO consent_event ({names}) VALUES ({row})"))
    upgrade_schema(empty_store)
    with empty_store.read() as session:
        (waiting,) = session.scalars(select(LedgerQueue))
        assert (waiting.event_id, waiting.received_at, waiting.leaf_hash) == (EVENT_ID, NOW, b"\n")


def test_pictures_of_earlier_releases_are_those_of_asking_first(empty_store: Database) -> None:
    upgrade_schema(empty_store, "0005")
    body = "X'0a'" if empty_store.is_sqlite else r"'\x0a'"
    with empty_store.write() as session:
        session.execute(
            text(
                "INSERT INTO version_picture VALUES (1, 2, 'fi', 'notice', 'mobile', 'aa', "
                f"{body}, '2026-11-22T16:47:00.000Z')"
            )
        )
    upgrade_schema(empty_store)
    with empty_store.read() as session:
        (picture,) = session.scalars(select(VersionPicture))
        assert (picture.version, picture.language, picture.regime) == (2, "fi", "opt_in")
        assert (picture.body, picture.taken_at) == (b"\n", NOW)
