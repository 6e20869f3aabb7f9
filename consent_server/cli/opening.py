"""Opening the database, for commands: with this release's schema, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from multiprocessing import get_context
from multiprocessing.connection import Connection
from tempfile import TemporaryDirectory

from sqlalchemy import inspect
from sqlalchemy.exc import NoResultFound

from consent_server.config import Settings, load_settings, sqlite_path
from consent_server.errors import ConfigError, Unavailable
from consent_server.rules.times import to_utc
from consent_server.store.database import Database
from consent_server.store.schema import (
    UnknownSchema,
    missing_tables,
    schema_is_current,
    upgrade_schema,
)
from consent_server.store.types import UNREADABLE


@contextmanager
def open_database(*, create: bool = False) -> Iterator[Database]:
    """Open the database of the settings; `create` makes a new one ready to use.

    Raises ConfigError when there is none, or when it has another release's schema.
    """
    settings = load_settings()
    path = sqlite_path(settings.database_url)
    if not create and path is not None and not path.exists():
        raise ConfigError(
            f"There is no database at {path.absolute()}. Set CONSENT_DATABASE_URL, "
            "or begin one with: consent-server site apply FILE"
        )
    database = Database(settings.database_url)
    try:
        if create and not inspect(database.engine).get_table_names():
            bring_up_to_date(database)
        elif not schema_is_current(database):
            raise ConfigError(
                "The database has another release's schema. Run: consent-server database upgrade"
            )
        yield database
    finally:
        database.close()


@contextmanager
def open_follower(address: str | None) -> Iterator[Database | None]:
    """Open a database that follows that of the settings, to look only; None without an address.

    Raises ConfigError when it has another release's schema.
    """
    if address is None:
        yield None
        return
    path = sqlite_path(address)
    if path is not None and not path.exists():
        raise ConfigError(f"There is no database to read from at {path.absolute()}.")
    database = Database(address)
    try:
        if not schema_is_current(database):
            raise ConfigError(
                "The database to read from has not the schema of this release: it is none of this "
                "server's, or does not follow it yet."
            )
        yield database
    finally:
        database.close()


@contextmanager
def open_to_compare() -> Iterator[Database]:
    """Open the database to look only; where there is none, an empty one for the while."""
    path = sqlite_path(load_settings().database_url)
    if path is None or path.exists():
        with open_database() as database:
            yield database
        return
    with TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/empty.sqlite")
        try:
            upgrade_schema(database)
            yield database
        finally:
            database.close()


def prepare_server(settings: Settings) -> None:
    """Bring the database up to date before a server serves.

    A process of its own migrates, where that is called for: the 10 MB that it loads go with it.
    """
    database = Database(settings.database_url)
    try:
        is_current = schema_is_current(database)
    finally:
        database.close()
    if not is_current:
        _prepare_apart(settings)
    prepare_database(settings)


def _prepare_apart(settings: Settings) -> None:
    context = get_context("fork")  # nothing is loaded twice, and no other thread is at work
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_prepare_and_tell, args=(settings, theirs), daemon=True)
    process.start()
    theirs.close()
    with ours:
        try:
            problem = ours.recv()
        except EOFError:  # it was killed
            problem = ConfigError("The database was not brought up to date. Start the server anew.")
    process.join()
    if problem:
        raise problem


def _prepare_and_tell(settings: Settings, problems: Connection) -> None:
    try:
        prepare_database(settings)
    except Exception as error:
        problems.send(error)
    else:
        problems.send(None)


def prepare_database(settings: Settings) -> None:
    """Bring a database up to date."""
    database = Database(settings.database_url)
    try:
        bring_up_to_date(database)
    finally:
        # No connection may be open when the server forks its worker.
        database.close()


def bring_up_to_date(database: Database) -> None:
    """Give the database this release's schema.

    Scripts are kept as they are first asked for: to compose all would take milliseconds a site.
    """
    try:
        upgrade_schema(database)
    except UnknownSchema as error:
        raise ConfigError(
            f"The database comes from a newer release ({error}). Run that release, or restore "
            "a copy from before the upgrade."
        ) from error
    missing = missing_tables(database)
    if missing:
        raise ConfigError(
            f"The database lacks {', '.join(missing)}, though it says that it is up to date: it "
            "is damaged. Restore a backup: consent-server database restore FILE"
        )


def now() -> datetime:
    """Return the time, as records keep it."""
    return to_utc(datetime.now(UTC))


@contextmanager
def reading_records(site_key: str) -> Iterator[None]:
    """Say what to do where the database holds what no record can: it was changed, or broke."""
    try:
        yield
    except (*UNREADABLE, NoResultFound) as error:
        raise Unavailable(
            f"What the database holds of {site_key!r} cannot be read ({error!r}). Which record it "
            f"is of tells: consent-server ledger verify --site {site_key}"
        ) from error
