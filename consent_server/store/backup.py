"""Backup: a whole copy of a SQLite database while others write, and the way back."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from consent_server.errors import Conflict

#: What belongs to a database beside its file.
_COMPANIONS = ("", "-wal", "-shm")
#: The bytes that whoever reads has locked (SQLite's os.h); with a journal, all the while.
_SHARED_FIRST, _SHARED_BYTES = 0x40000002, 510
#: Of SQLite's machine; some milliseconds.
_STEPS = 10_000


def belongs_to(file: Path, database: Path) -> bool:
    """Tell whether a file is the database's own, by name or as a link to it."""
    for companion in _COMPANIONS:
        own = database.with_name(database.name + companion)
        if file.resolve() == own.resolve():
            return True
        if file.exists() and own.exists() and file.samefile(own):
            return True
    return False


def copy_database(source: Path, target: Path) -> None:
    """Write all of `source`, as of one moment, to the new file `target`.

    Writers go on meanwhile. Free pages are left behind, and with them whatever was
    deleted. Raises sqlite3.Error; a half written file is the caller's to remove.
    """
    with closing(_read_only(source)) as connection:
        connection.execute("VACUUM INTO ?", (str(target),))
    target.chmod(0o600)


def check_file(file: Path, told: Path | None = None) -> None:
    """Read every page of a database; raises Conflict that says what is wrong with it.

    The message names `told`, where the file is a copy under a name that nobody knows.
    """
    name = told or file
    try:
        with closing(_read_only(file)) as connection:
            (found,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    except sqlite3.DatabaseError as error:
        raise Conflict(f"{name} is not a SQLite database ({error}).") from error
    if found != "ok":
        raise Conflict(f"{name} is damaged: {found}")


def settle(copy: Path) -> None:
    """Bring all of a copy into its one file, and that onto the disk; nobody may have it open.

    Raises Conflict.
    """
    try:
        with closing(sqlite3.connect(copy)) as connection:
            (mode,) = connection.execute("PRAGMA journal_mode=DELETE").fetchone()
    except sqlite3.DatabaseError as error:
        raise Conflict(f"{copy} could not be finished ({error}).") from error
    if mode != "delete":
        raise Conflict(f"{copy} could not be finished: another program has it open.")
    _sync(copy)


def is_in_use(file: Path) -> bool:
    """Tell whether another process has the database open, damaged as it may be."""
    try:
        with closing(sqlite3.connect(file, timeout=0, isolation_level=None)) as connection:
            connection.execute("PRAGMA locking_mode=EXCLUSIVE")
            connection.execute("BEGIN EXCLUSIVE")
            connection.execute("ROLLBACK")
    except sqlite3.DatabaseError as error:
        # The lower byte is the kind, the upper ones say more of it.
        if error.sqlite_errorcode & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            return True
        return _is_locked(file)
    return False


def _is_locked(file: Path) -> bool:
    """Tell what SQLite cannot of a damaged file: whether somebody holds its shared lock."""
    with file.open("r+b") as opened:
        try:
            fcntl.lockf(opened, fcntl.LOCK_EX | fcntl.LOCK_NB, _SHARED_BYTES, _SHARED_FIRST)
        except BlockingIOError:
            return True
    return False


def put_in_place(copy: Path, target: Path, aside: Path | None = None) -> None:
    """Let a settled `copy` become `target`; what was there before stays as `aside`, or goes.

    `copy` must lie on the disk of `target`, and nobody may have either of them open.
    """
    for companion in _COMPANIONS:
        old = target.with_name(target.name + companion)
        if not old.exists():
            continue
        if aside is not None and _is_of_use(old, companion):
            old.rename(aside.with_name(aside.name + companion))
        elif companion:
            # Read together with the copy, it would put its own rows into it.
            old.unlink()
    copy.replace(target)
    _sync(target.parent)


def _is_of_use(file: Path, companion: str) -> bool:
    """Tell whether rows are lost without it: SQLite makes the index of a journal anew from it."""
    return companion != "-shm" and (not companion or file.stat().st_size > 0)


def _read_only(file: Path) -> sqlite3.Connection:
    # As it is, `?` or `#` would end the name, and `%` begin another character.
    connection = sqlite3.connect(f"file:{quote(str(file))}?mode=ro", uri=True)
    # One statement may take minutes: so Python comes to hear of a signal meanwhile.
    connection.set_progress_handler(lambda: 0, _STEPS)
    return connection


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
