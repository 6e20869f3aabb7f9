"""Append-only: triggers that keep evidence as it was written."""

from __future__ import annotations

from collections.abc import Mapping

from alembic import op

#: Each table with what makes a row of it one of a kind.
Keys = Mapping[str, tuple[tuple[str, ...], ...]]


def guard(tables: Keys) -> None:
    """Let the database refuse to change or delete rows of `tables`; for migrations.

    On PostgreSQL `prepare_guard` must have run before.
    """
    for table, keys in tables.items():
        if op.get_bind().dialect.name == "sqlite":
            _guard_sqlite(table, keys)
        else:
            _guard_postgresql(table)


def prepare_guard() -> None:
    """Make the function that the triggers of PostgreSQL call."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
        )


def _guard_sqlite(table: str, keys: tuple[tuple[str, ...], ...]) -> None:
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER {table}_refuses_{verb.lower()} BEFORE {verb} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        )
    # INSERT OR REPLACE deletes the row in its way without asking the triggers of DELETE.
    # Each key is asked for by itself: in one question SQLite may read all that a site has.
    same = (" AND ".join(f"{column} = NEW.{column}" for column in key) for key in keys)
    taken = " OR ".join(f"EXISTS (SELECT 1 FROM {table} WHERE {key})" for key in same)  # noqa: S608 (our names)
    op.execute(
        f"CREATE TRIGGER {table}_refuses_replace BEFORE INSERT ON {table} WHEN {taken} "
        f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
    )


def _guard_postgresql(table: str) -> None:
    op.execute(
        f"CREATE TRIGGER {table}_refuses_change BEFORE UPDATE OR DELETE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        f"CREATE TRIGGER {table}_refuses_truncate BEFORE TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
