"""Standby: an export is read from a database that takes no writes, and the ledger notes it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select
from sqlalchemy.engine import make_url

from consent_server import following
from consent_server.app import create_app
from consent_server.cli import main
from consent_server.config import Settings
from consent_server.store.database import Database
from consent_server.store.models import AdminEvent
from tests.verification.checking import said
from tests.visitor import Visitor

from .postgresql import PostgresqlServer, running_postgresql
from .test_failing_over import publish

Export = Callable[..., Result]


@pytest.fixture(scope="module")
def primary() -> Iterator[PostgresqlServer]:
    with running_postgresql() as server:
        yield server


@pytest.fixture(scope="module")
def standby(primary: PostgresqlServer) -> Iterator[PostgresqlServer]:
    with primary.followed() as server:
        yield server


@pytest.fixture
def url(primary: PostgresqlServer) -> Iterator[str]:
    """The address of the primary's database, with a decision in it."""
    url = publish(primary)
    app = create_app(Settings(database_url=url))
    assert Visitor(app.test_client(use_cookies=False)).accept_all().status_code == 201
    yield url
    app.extensions["consent"].database.close()


@pytest.fixture
def export(url: str, tmp_path: Path) -> Export:
    """Exports the site into a folder for the test."""

    def run(name: str, *options: str, address: str = url) -> Result:
        command = ["audit", "export", "--site", "smilee", "-o", str(tmp_path / name), *options]
        env = {"CONSENT_DATABASE_URL": address, "CONSENT_KEY_FOLDER": str(tmp_path / "keys")}
        return CliRunner(env=env).invoke(main, command)

    return run


def at(server: PostgresqlServer, url: str) -> str:
    """Return the address of the same database at another server."""
    return make_url(url).set(port=server.port).render_as_string(hide_password=False)


def noted(url: str) -> list[str]:
    """Return the forms of the exports that the ledger notes."""
    database = Database(url)
    query = select(AdminEvent.details).where(AdminEvent.action == "export")
    with database.read() as session:
        found = [json.loads(details)["format"] for details in session.scalars(query)]
    database.close()
    return found


@pytest.mark.parametrize("name", ["smilee.csv", "smilee.jsonl"])
def test_records_are_read_from_the_standby_and_noted_on_the_primary(
    url: str, standby: PostgresqlServer, export: Export, tmp_path: Path, name: str
) -> None:
    done = export(name, "--read-from", at(standby, url))
    assert done.exit_code == 0, done.output
    assert export(f"same-{name}").exit_code == 0
    assert (tmp_path / name).read_bytes() == (tmp_path / f"same-{name}").read_bytes()
    assert noted(url) == [name[7:]] * 2


def test_a_bundle_that_is_read_from_the_standby_holds_the_note_of_its_export(
    url: str, standby: PostgresqlServer, export: Export, tmp_path: Path
) -> None:
    done = export("smilee.zip", "--no-screenshots", "--read-from", at(standby, url))
    assert done.exit_code == 0, done.output
    assert noted(url) == ["bundle"]
    assert "1 record" in done.output
    assert said(tmp_path / "smilee.zip") == ""


def test_a_standby_alone_is_refused_with_what_to_do(
    url: str, standby: PostgresqlServer, export: Export, tmp_path: Path
) -> None:
    # What was written just now must have arrived.
    assert export("before.jsonl", "--read-from", at(standby, url)).exit_code == 0
    done = export("alone.jsonl", address=at(standby, url))
    assert done.exit_code == 1
    assert "--read-from" in done.output
    assert "Traceback" not in done.output
    assert not (tmp_path / "alone.jsonl").exists()


def test_a_ledger_is_verified_on_a_standby(
    url: str, standby: PostgresqlServer, export: Export, tmp_path: Path
) -> None:
    assert export("a.zip", "--no-screenshots", "--read-from", at(standby, url)).exit_code == 0
    env = {"CONSENT_DATABASE_URL": at(standby, url), "CONSENT_KEY_FOLDER": str(tmp_path / "keys")}
    done = CliRunner(env=env).invoke(main, ["ledger", "verify", "--site", "smilee"])
    assert done.exit_code == 0, done.output


def test_a_database_that_does_not_follow_gives_no_export(
    url: str,
    primary: PostgresqlServer,
    export: Export,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(following, "_PATIENCE_SECONDS", 0.3)
    other = publish(primary)
    for name in ("other.jsonl", "other.zip"):
        done = export(name, "--no-screenshots", "--read-from", other)
        assert done.exit_code == 1
        assert "does it follow?" in done.output
        assert not (tmp_path / name).exists()
    empty = primary.make_database()
    assert "schema of this release" in export("empty.jsonl", "--read-from", empty).output
    missing = f"sqlite:///{tmp_path}/missing.sqlite"
    assert "no database to read from" in export("missing.jsonl", "--read-from", missing).output
    assert not (tmp_path / "missing.sqlite").exists()
