"""The schema: the migrations build what the models say, on both databases."""

from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from consent_server.store.database import Database
from consent_server.store.models import Base
from consent_server.store.schema import schema_is_current, upgrade_schema

from .rows import add_one_row_each


def test_the_migrations_build_exactly_the_models(store: Database) -> None:
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


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
