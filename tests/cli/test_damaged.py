"""Damaged: a server begins on its own database or not at all, and says in one line why not."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.test_run import free_port


def _truncate(file: Path) -> None:
    with file.open("r+b") as opened:
        opened.truncate(file.stat().st_size // 2)


def _scribble(file: Path) -> None:
    file.write_bytes(b"not a database " * 1000)


def _replace_by_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def _lose_tables(file: Path) -> None:
    connection = sqlite3.connect(file)
    connection.execute("DROP TABLE consent_event")
    connection.close()


DAMAGE: dict[str, Callable[[Path], None]] = {
    "cut off": _truncate,
    "no database": _scribble,
    "a folder": _replace_by_folder,
    "a table less": _lose_tables,
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_server_does_not_begin_on_what_is_no_database_of_its_own(
    published_file: Path, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    file = tmp_path / "consent.sqlite"
    shutil.copyfile(published_file, file)
    damage(file)
    before = file.read_bytes() if file.is_file() else b""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CONSENT_")}
    done = subprocess.run(
        [sys.executable, "-m", "consent_server", "run", "--port", str(free_port())],
        env=kept | {"CONSENT_DATABASE_URL": f"sqlite:///{file}"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    said = [line for line in done.stderr.splitlines() if not line.startswith("The management")]
    assert len(said) == 1, done.stderr
    assert "Traceback" not in done.stderr
    # Nothing was put in the place of what was there.
    assert (file.read_bytes() if file.is_file() else b"") == before
