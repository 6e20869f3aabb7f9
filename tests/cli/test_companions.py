"""Companions: what SQLite keeps beside a database stays where it is of use, and goes elsewhere."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from consent_server.cli import main
from consent_server.config import Settings, sqlite_path
from consent_server.store.backup import put_in_place
from consent_server.store.database import Database
from tests.visitor import Visitor

#: What a server that is killed leaves beside its database: a journal that holds the last rows.
_KILLED = """
import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA journal_mode=WAL")
connection.execute("PRAGMA wal_autocheckpoint=0")
connection.execute("CREATE TABLE last_written (number INTEGER)")
connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
connection.execute("INSERT INTO last_written VALUES (1)")
os._exit(0)
"""


def _run(runner: CliRunner, *arguments: str | Path) -> None:
    done = runner.invoke(main, ["database", *map(str, arguments)])
    assert done.exit_code == 0, done.output


def _be_killed(file: Path) -> None:
    subprocess.run([sys.executable, "-c", _KILLED, file], check=True, timeout=60)
    assert {"-wal", "-shm"} <= set(_companions(file))


def _companions(file: Path) -> list[str]:
    """Return what stands behind the database's name in the names of its files."""
    found = file.parent.glob(f"{file.name}*")
    return sorted(one.name.removeprefix(file.name) for one in found if one != file)


@pytest.fixture
def file(settings: Settings, database: Database) -> Path:
    """The database, which nobody has open."""
    database.close()
    found = sqlite_path(settings.database_url)
    assert found is not None
    return found


@pytest.fixture
def copy(runner: CliRunner, visitor: Visitor, tmp_path: Path, file: Path) -> Path:
    """A copy in a folder of its own."""
    (tmp_path / "copies").mkdir()
    _run(runner, "backup", tmp_path / "copies" / "copy.sqlite")
    return tmp_path / "copies" / "copy.sqlite"


def test_a_restore_leaves_nothing_without_use_beside_what_it_keeps(
    runner: CliRunner, copy: Path, file: Path
) -> None:
    _be_killed(file)
    _run(runner, "restore", copy, "--yes")
    [kept] = file.parent.glob("consent.sqlite.before-*Z")
    assert _companions(file) == [kept.name.removeprefix(file.name)]
    # Whole by itself: the last rows, too.
    with closing(sqlite3.connect(kept)) as connection:
        assert connection.execute("SELECT * FROM last_written").fetchall() == [(1,)]


def test_a_journal_that_could_not_be_emptied_stays_with_its_database(
    copy: Path, file: Path
) -> None:
    _be_killed(file)
    journal = file.with_name(f"{file.name}-wal").read_bytes()
    assert journal
    kept = file.with_name("kept.sqlite")
    put_in_place(copy, file, kept)
    # Rows are had back from it; the other is made anew from it.
    assert _companions(kept) == ["-wal"]
    assert kept.with_name(f"{kept.name}-wal").read_bytes() == journal
    assert _companions(file) == []


def test_a_copy_takes_no_rows_from_the_journal_of_the_one_before(
    runner: CliRunner, copy: Path
) -> None:
    _be_killed(copy)
    _run(runner, "backup", "--force", copy)
    assert _companions(copy) == []
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema")}
    assert "last_written" not in tables
