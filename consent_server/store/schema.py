"""The schema's version: bring a database up to date, or say that it is not."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect

from consent_server.store import outside_models  # noqa: F401 (the other half of the tables)
from consent_server.store.database import Database
from consent_server.store.models import Base

_MIGRATIONS = Path(__file__).with_name("migrations")


def upgrade_schema(database: Database, to: str = "head") -> None:
    """Run every migration up to `to` that the database has not seen, in one transaction."""
    with database.writing.connect() as connection, connection.begin():
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, to)


def schema_is_current(database: Database) -> bool:
    """Tell whether the database has exactly the schema of this release."""
    with database.engine.connect() as connection:
        found = MigrationContext.configure(connection).get_current_revision()
    return found == ScriptDirectory.from_config(_config()).get_current_head()


def missing_tables(database: Database) -> list[str]:
    """Return the tables of this release that the database lacks, in order."""
    return sorted(set(Base.metadata.tables) - set(inspect(database.engine).get_table_names()))


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    return config
