"""The schema's version: bring a database up to date, or say that it is not."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from consent_server.store.database import Database

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


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    return config
