"""The doctor on both databases: each thing is made wrong for real, and turns red."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import select, text

from consent_server import doctor as doctor_module
from consent_server.cli import main
from consent_server.cli.upkeep import run_retention
from consent_server.config import Settings
from consent_server.doctor import Finding, examine_server
from consent_server.doctor_sites import examine_sites
from consent_server.rules.merkle import EMPTY_ROOT
from consent_server.sealing import seal_waiting
from consent_server.signing import LEDGER_KEYS, Published, open_signer
from consent_server.store import database as database_module
from consent_server.store.database import Database
from consent_server.store.models import ConsentEvent, Ledger
from tests.visitor import Visitor

from .test_retention import publish, record

Examine = Callable[..., dict[str, Finding]]

#: For what is the same on both databases.
on_sqlite = pytest.mark.parametrize("empty_url", ["sqlite"], indirect=True)


@pytest.fixture
def settings(empty_url: str, tmp_path: Path) -> Settings:
    return Settings(database_url=empty_url, key_folder=str(tmp_path / "keys"))


@pytest.fixture
def examine(settings: Settings, store: Database) -> Examine:
    """Examines what is now, or was after some time, with settings changed."""

    def examine(later: timedelta = timedelta(), **changes: Any) -> dict[str, Finding]:
        changed, now = replace(settings, **changes), datetime.now(UTC) + later
        found = [
            *examine_server(changed, store, now=now),
            *examine_sites(changed, store, now=now),
        ]
        return {one.name: one for one in found}

    return examine


@pytest.fixture
def doctor(settings: Settings) -> Callable[..., tuple[int, str]]:
    """Runs the command."""
    environment = {
        "CONSENT_DATABASE_URL": settings.database_url,
        "CONSENT_KEY_FOLDER": settings.key_folder,
    }

    def doctor(*options: str, **changes: str) -> tuple[int, str]:
        done = CliRunner(env={**environment, **changes}).invoke(main, ["doctor", *options])
        return done.exit_code, done.output

    return doctor


@pytest.fixture
def sealed(served: Flask, store: Database, settings: Settings) -> Database:
    """A database whose ledger has six leaves, four of them records, all sealed."""
    for _ in range(4):
        assert Visitor(served.test_client(use_cookies=False)).reject_all().status_code == 201
    seal(store, settings)
    return store


def seal(database: Database, settings: Settings, now: datetime | None = None) -> None:
    signer = open_signer(Path(settings.key_folder), now=datetime.now(UTC))
    assert seal_waiting(database, signer, now=now or datetime.now(UTC))


def bad(found: dict[str, Finding]) -> list[str]:
    """Return what is red; the tests' PostgreSQL runs without fsync, to be fast."""
    return [name for name, one in found.items() if not one.good and name != "durability"]


def check_red(found: dict[str, Finding], name: str, said: str) -> None:
    assert bad(found) == [name]
    assert said in f"{found[name].said} {found[name].todo}"


def change_behind_the_triggers(database: Database, table: str, statement: str) -> None:
    with database.write() as session:
        if database.is_sqlite:
            for verb in ("update", "delete"):
                session.execute(text(f"DROP TRIGGER {table}_refuses_{verb}"))
        else:
            session.execute(text(f"DROP TRIGGER {table}_refuses_change ON {table}"))
        session.execute(text(statement))


def test_a_server_that_is_well_is_green(sealed: Database, examine: Examine) -> None:
    found = examine()
    assert bad(found) == []
    assert found["durability"].good == sealed.is_sqlite
    assert "The newest 6 of 6 leaves verify" in found["ledger smilee"].said


def test_the_command_prints_each_thing_and_its_code_tells(
    sealed: Database, doctor: Callable[..., tuple[int, str]]
) -> None:
    code, said = doctor()
    assert code == (0 if sealed.is_sqlite else 1)
    assert "good  ledger smilee: The newest 6 of 6 leaves" in said
    assert ("Everything is right." in said) == sealed.is_sqlite
    assert "\x1b" not in said, "colours are for terminals"
    code, printed = doctor("--json")
    told = json.loads(printed)
    assert (code == 0) == told["good"] == sealed.is_sqlite
    assert set(told["findings"][0]) == {"name", "good", "said", "todo"}


def test_commits_that_a_crash_loses_are_red(examine: Examine, store: Database) -> None:
    if store.is_sqlite:
        with closing(store.engine.raw_connection()) as connection:
            connection.cursor().execute("PRAGMA synchronous=NORMAL")
        assert "synchronous is 1" in examine()["durability"].said
        return
    assert "fsync is off" in examine()["durability"].said
    name = store.engine.url.database
    with store.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text(f'ALTER DATABASE "{name}" SET synchronous_commit = off'))
    store.close()
    assert "synchronous_commit is off" in examine()["durability"].said


@on_sqlite
def test_a_database_of_another_release_is_red_and_says_what_to_run(
    store: Database, doctor: Callable[..., tuple[int, str]]
) -> None:
    with store.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    code, said = doctor()
    assert (code, said.startswith("bad   database: "), "database upgrade" in said) == (
        1,
        True,
        True,
    )


@on_sqlite
def test_no_database_and_a_damaged_one_are_red(
    doctor: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    code, said = doctor()
    assert (code, "There is no database at" in said) == (1, True)
    (tmp_path / "consent.sqlite").write_bytes(b"not a database at all" * 1000)
    code, said = doctor()
    assert (code, "file is not a database" in said) == (1, True)


@contextmanager
def read_only(database: Database, url: str) -> Iterator[None]:
    """Keep a database from being written: a lock that stays, a server that is a standby."""
    if database.is_sqlite:
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
        return
    name = database.engine.url.database
    with database.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on'))
    database.close()
    yield


def test_a_database_that_takes_no_writes_is_red(
    sealed: Database,
    doctor: Callable[..., tuple[int, str]],
    empty_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(database_module, "_BUSY_MILLISECONDS", 50)
    with read_only(sealed, empty_url):
        code, said = doctor()
    assert code == 1
    assert "bad   writing: The database answered: " in said
    assert ("locked" if sealed.is_sqlite else "read-only") in said


@on_sqlite
def test_a_disk_that_fills_is_red(examine: Examine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_module, "MIN_FREE_BYTES", 2**62)
    check_red(examine(), "space", "Make room")


def test_a_clock_that_differs_is_red(
    sealed: Database, examine: Examine, settings: Settings
) -> None:
    found = examine(-timedelta(hours=1))
    assert "but the last checkpoint is of" in found["sealing smilee"].said
    assert found["clock"].good == sealed.is_sqlite, "PostgreSQL has a clock of its own"


@on_sqlite
def test_a_key_that_others_may_read_is_red(
    sealed: Database, examine: Examine, settings: Settings
) -> None:
    file = Path(settings.key_folder) / LEDGER_KEYS
    file.chmod(0o644)
    found = examine()
    assert bad(found) == ["key", "ledger smilee"]
    assert f"chmod 600 {file}" in found["key"].said


@on_sqlite
def test_a_key_folder_that_is_gone_is_red(
    sealed: Database, examine: Examine, tmp_path: Path
) -> None:
    found = examine(key_folder=str(tmp_path / "elsewhere"))
    check_red(found, "ledger smilee", "Bring the key folder back")


@on_sqlite
def test_a_sealer_that_stopped_is_red(sealed: Database, served: Flask, examine: Examine) -> None:
    Visitor(served.test_client(use_cookies=False)).reject_all()
    assert bad(examine()) == []
    found = examine(timedelta(seconds=30))["sealing smilee"]
    assert (found.good, found.said[:19]) == (False, "1 wait to be sealed")
    assert "ledger seal" in found.todo


@on_sqlite
def test_a_database_older_than_what_was_published_is_red(
    sealed: Database, examine: Examine, settings: Settings
) -> None:
    now = datetime.now(UTC)
    with sealed.read() as session:
        origin = session.scalars(select(Ledger.origin)).one()
    signer = open_signer(Path(settings.key_folder), now=now)
    signer.remember(Published(origin, 100, EMPTY_ROOT, now))
    check_red(examine(), "ledger smilee", "older than what others have seen")


@on_sqlite
@pytest.mark.parametrize(
    "change",
    [
        "UPDATE consent_event SET region = 'FI' WHERE event_id = :event",
        "UPDATE consent_event SET valid_until = decided_at WHERE event_id = :event",
        "DELETE FROM consent_event WHERE event_id = :event",
    ],
)
def test_a_record_that_was_changed_behind_the_triggers_is_red(
    sealed: Database, examine: Examine, change: str
) -> None:
    with sealed.read() as session:
        event_id = session.scalars(select(ConsentEvent.event_id)).first()
    assert event_id is not None
    spelled = f"X'{event_id.hex}'"
    change_behind_the_triggers(sealed, "consent_event", change.replace(":event", spelled))
    check_red(examine(), "ledger smilee", str(event_id))


@on_sqlite
def test_of_a_long_ledger_the_newest_leaves_are_verified(
    sealed: Database,
    served: Flask,
    examine: Examine,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("consent_server.doctor_sites._NEWEST_LEAVES", 3)
    for _ in range(5):
        Visitor(served.test_client(use_cookies=False)).reject_all()
        seal(sealed, settings)
    assert "The newest 3 of 11 leaves" in examine()["ledger smilee"].said
    newest = "(SELECT event_id FROM ledger_leaf WHERE leaf_index = 9)"
    change_behind_the_triggers(
        sealed,
        "consent_event",
        f"UPDATE consent_event SET region = 'FI' WHERE event_id = {newest}",
    )
    check_red(examine(), "ledger smilee", "Record 9 ")


@on_sqlite
def test_a_place_outside_that_lags_is_red(
    sealed: Database, examine: Examine, tmp_path: Path
) -> None:
    target = f"file:{tmp_path / 'nowhere' / 'checkpoints'}"
    assert "No checkpoint leaves this server" in examine()["witnesses"].said
    assert bad(examine(checkpoint_targets=target)) == []
    found = examine(timedelta(hours=1), checkpoint_targets=target)
    assert "ledger push" in found[f"push {tmp_path}/nowhere/checkpoints"].todo
    assert not found[f"push {tmp_path}/nowhere/checkpoints"].good


@on_sqlite
def test_a_place_that_is_spelled_wrongly_is_red(sealed: Database, examine: Examine) -> None:
    check_red(examine(checkpoint_targets="nowhere"), "witnesses", "CONSENT_CHECKPOINT_TARGETS")


@on_sqlite
def test_a_witness_that_cannot_read_its_logs_is_red(
    sealed: Database, examine: Examine, tmp_path: Path
) -> None:
    logs = tmp_path / "logs"
    changes = {"witness_logs": str(logs), "witness_name": "witness.example"}
    check_red(examine(**changes), "witness", str(logs))
    logs.touch()
    assert bad(examine(**changes)) == []


@on_sqlite
def test_records_that_outlived_their_time_are_red_until_they_are_erased(
    store: Database, examine: Examine, settings: Settings
) -> None:
    record(store, publish(store, "2y"), timedelta(days=800))
    seal(store, settings)
    check_red(examine(), "retention", "1 of smilee (2y)")
    run_retention(store)
    seal(store, settings)
    assert examine()["retention"] == Finding("retention", True, "Kept as said: smilee 2y.")


@on_sqlite
def test_a_database_without_sites_is_green(store: Database, examine: Examine) -> None:
    assert bad(examine()) == []
    assert "site apply" in examine()["sites"].said


def test_a_doctor_beside_writers_finds_nothing_wrong(
    sealed: Database, served: Flask, examine: Examine
) -> None:
    stop = threading.Event()

    def decide() -> None:
        while not stop.is_set():
            Visitor(served.test_client(use_cookies=False)).reject_all()

    writer = threading.Thread(target=decide)
    writer.start()
    try:
        assert [bad(examine()) for _ in range(3)] == [[]] * 3
    finally:
        stop.set()
        writer.join()


@on_sqlite
def test_a_region_header_that_anybody_can_send_is_found(examine: Examine) -> None:
    assert "regions" not in examine()
    found = examine(region_header="CF-IPCountry")["regions"]
    assert not found.good
    assert "CONSENT_TRUSTED_PROXIES" in found.todo
    assert examine(region_header="CF-IPCountry", trusted_proxies=1)["regions"].good


@on_sqlite
def test_a_region_file_that_is_not_there_is_found(examine: Examine) -> None:
    found = examine(region_database="/nowhere/regions.mmdb")["regions"]
    assert not found.good
    assert "CONSENT_REGION_DATABASE" in found.said


@on_sqlite
def test_a_key_file_that_cannot_be_read_is_named(examine: Examine, tmp_path: Path) -> None:
    folder = tmp_path / "others"
    folder.mkdir(mode=0o700)
    (folder / LEDGER_KEYS).mkdir(mode=0o700)
    found = examine(key_folder=str(folder))["key"]
    assert not found.good
    assert found.said.startswith(f"{folder / LEDGER_KEYS}: Is a directory. ")
    assert "Run commands as that user" in found.said
