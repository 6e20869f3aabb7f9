"""Scrubbing: what was erased leaves the database's files too, not only its tables.

A deleted row goes on in files: in SQLite's write-ahead log, and in the free space of
pages whose rows were moved while it lived; in PostgreSQL's dead tuples, in the
samples that ANALYZE keeps of each column, and in its write-ahead log.
"""

from __future__ import annotations

import time
from contextlib import closing

from sqlalchemy import Connection, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from consent_server.errors import Unavailable
from consent_server.store.database import Database

#: The tables that tell whose something is.
_PERSONAL = ("subject_data", "identity", "webhook_delivery")
_COPY = "scrubbed"
#: Longer than an export of a large site keeps an old state of the database open.
_PATIENCE_SECONDS = 30.0
_PAUSE_SECONDS = 0.2
_MAY_SCRUB_SAMPLES = (
    "SELECT pg_has_role(datdba, 'USAGE') FROM pg_database WHERE datname = current_database()"
)


def scrub(database: Database, *, patience: float = _PATIENCE_SECONDS) -> list[str]:
    """Take erased rows out of the database's files; return what could not be reached.

    Its cost grows with the rows that link records to visitors, not with the records.
    Raises Unavailable while readers hold old states open for longer than `patience`
    seconds: nothing is lost, scrub again.
    """
    if not database.is_sqlite:
        return _scrub_postgresql(database)
    with database.write() as session:
        for table in _PERSONAL:
            _move_rows(session, table)
    _empty_journal(database, patience)
    return []


def _move_rows(session: Session, name: str) -> None:
    """Give a personal table new pages; SQLite overwrites those that it gives up with zeros.

    Deleting zeroes a row, but not the copies that stayed in free space when pages were
    split and merged: about one row in 10,000, measured. REINDEX leaves those of the table.
    """
    definitions = session.execute(
        text("SELECT type, sql FROM sqlite_master WHERE tbl_name = :table AND sql IS NOT NULL"),
        {"table": name},
    ).all()
    [table] = [sql for kind, sql in definitions if kind == "table"]
    others = [sql for kind, sql in definitions if kind != "table"]
    before, _, columns = table.partition(name)
    for statement in (
        f"{before}{_COPY}{columns}",
        f"INSERT INTO {_COPY} SELECT * FROM {name}",  # noqa: S608 (our names)
        f"DROP TABLE {name}",
        f"ALTER TABLE {_COPY} RENAME TO {name}",
        *others,
    ):
        session.execute(text(statement))


def _empty_journal(database: Database, patience: float) -> None:
    """Move the write-ahead log into the file and cut it to nothing; its pages are old rows."""
    deadline = time.monotonic() + patience
    with closing(database.engine.raw_connection()) as connection:
        while True:
            with database.turn():
                answer = connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if not answer or not answer[0]:
                return
            if time.monotonic() > deadline:
                raise Unavailable(
                    "The rows are erased, but somebody is reading an older state of the "
                    "database (an export, a backup, a shell), so the journal still holds "
                    "them. When that has ended, run: consent-server database scrub"
                )
            time.sleep(_PAUSE_SECONDS)


def _scrub_postgresql(database: Database) -> list[str]:
    missed = []
    engine = database.engine.execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        # A new file with the living rows only, and samples of those rows only.
        connection.execute(text(f"VACUUM (FULL, ANALYZE) {', '.join(_PERSONAL)}"))
        # Where the right is missing, PostgreSQL only warns and goes on.
        if connection.scalar(text(_MAY_SCRUB_SAMPLES)):
            connection.execute(text("VACUUM (FULL) pg_catalog.pg_statistic"))
        else:
            missed.append("earlier samples of the planner: only the database's owner may")
        missed += _pass_log_on(connection)
    return missed


def _pass_log_on(connection: Connection) -> list[str]:
    """Leave the write-ahead log's segments behind, where the server throws them away then.

    It removes what lies before the segment of its last checkpoint, or, with `wal_recycle`,
    keeps it under a later name with all that it holds.
    """
    try:
        # First the old table file: it is emptied already, its name goes at a checkpoint.
        connection.execute(text("CHECKPOINT"))
    except ProgrammingError:
        return [
            "pages in memory and the write-ahead log: the server writes and passes them at later "
            "checkpoints (GRANT pg_checkpoint lets this be done at once)"
        ]
    try:
        connection.execute(text("SELECT pg_switch_wal()"))
    except ProgrammingError:
        return [
            "the write-ahead log: GRANT EXECUTE ON FUNCTION pg_switch_wal() lets it be passed on"
        ]
    connection.execute(text("CHECKPOINT"))
    if connection.scalar(text("SHOW wal_recycle")) == "on":
        return [
            "segments of the write-ahead log: the server keeps them to write into them again "
            "(set wal_recycle = off)"
        ]
    return []
