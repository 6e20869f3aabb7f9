"""Bench: figures of the real server, of which none is counted that was not stored."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from sqlalchemy import inspect

from consent_server.cli.bench import _ask, _Asked, _head
from consent_server.config import Settings, sqlite_path
from consent_server.store.database import Database
from tests.store.postgresql import running_postgresql

from .test_run import run_server

Bench = Callable[..., subprocess.CompletedProcess[str]]
SHORT = ("bench", "--seconds", "1", "--connections", "4")


@pytest.fixture
def process(environment: dict[str, str], tmp_path: Path) -> Bench:
    """Runs the command with the patience that a busy machine needs."""
    return lambda *arguments: subprocess.run(
        [sys.executable, "-m", "consent_server", *arguments],
        check=False,
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_it_measures_and_leaves_nothing_behind(process: Bench, settings: Settings) -> None:
    file = sqlite_path(settings.database_url)
    assert file is not None
    before = {one.name for one in file.parent.iterdir()}
    done = process(*SHORT, "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert [line["what"] for line in report["lines"]] == [
        *("decisions", "decisions", "script", "script, known already (304)"),
    ]
    assert [line["connections"] for line in report["lines"]] == [1, 4, 4, 4]
    for line in report["lines"]:
        assert line["per_second"] > 0
        assert 0 < line["p50_ms"] <= line["p99_ms"]
    assert report["stored"] > 2
    assert report["bytes_per_decision"] > 0
    assert report["machine"]["database"].startswith("SQLite")
    assert {one.name for one in file.parent.iterdir()} == before


def test_a_database_with_sites_in_it_is_not_touched(process: Bench, settings: Settings) -> None:
    file = sqlite_path(settings.database_url)
    assert file is not None
    before = file.read_bytes()
    done = process(*SHORT, "--database", settings.database_url)
    assert (done.returncode, "is not empty" in done.stderr) == (1, True)
    assert file.read_bytes() == before


def test_postgresql_is_measured_and_is_empty_again(process: Bench) -> None:
    with running_postgresql() as server:
        url = server.make_database()
        done = process(*SHORT, "--database", url)
        assert done.returncode == 0, done.stderr
        assert "PostgreSQL" in done.stdout
        assert "acknowledged decisions are stored" in done.stdout
        database = Database(url)
        assert inspect(database.engine).get_table_names() == []
        database.close()


def test_an_answer_that_was_not_meant_is_no_figure(
    environment: dict[str, str], tmp_path: Path
) -> None:
    with run_server(environment, tmp_path) as server:
        port = int(server.url.rpartition(":")[2])
        right = _Asked("script", 2, _head("GET", "/w/smilee.js", ""), 200)
        assert _ask(port, right, 0.2)["answers"] > 0
        wrong = _Asked("script", 2, _head("GET", "/w/nowhere.js", ""), 200)
        with pytest.raises(click.ClickException, match="404"):
            _ask(port, wrong, 0.2)


@pytest.mark.parametrize("url", ["mysql://somewhere", "sqlite:///", "nonsense"])
def test_an_address_that_is_no_database_is_told_by_its_option(process: Bench, url: str) -> None:
    done = process("bench", "--database", url)
    assert done.returncode == 1
    assert done.stderr.startswith("Error: --database must ")
