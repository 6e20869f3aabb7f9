"""Health: alive, and able to work; each thing that can be wrong is made wrong for real."""

from __future__ import annotations

import errno
import logging
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from consent_server import readiness as readiness_module
from consent_server.app import create_app
from consent_server.config import Settings, sqlite_path
from consent_server.doctor import Finding
from consent_server.readiness import Readiness
from consent_server.sealing import seal_waiting
from consent_server.signing import Signer
from consent_server.store.database import Database
from consent_server.store.models import LedgerQueue
from consent_server.store.schema import upgrade_schema
from tests.api.answers import read_problem
from tests.store.broken_disk import breakable_disk
from tests.store.postgresql import PostgresqlServer, running_postgresql
from tests.visitor import Visitor


@pytest.fixture(autouse=True)
def look_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness_module, "_FRESH_SECONDS", -1.0)


@pytest.fixture(autouse=True)
def nothing_waits(database: Database, signer: Signer) -> None:
    """Publishing waits to be sealed too, and no job runs here."""
    seal_waiting(database, signer, now=datetime.now(UTC))


@pytest.fixture
def file(settings: Settings) -> Path:
    """The database's file."""
    found = sqlite_path(settings.database_url)
    assert found is not None
    return found


def assert_ready(client: FlaskClient) -> None:
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json) == (200, {"status": "ok"}), answer.text


def wait_until_ready(client: FlaskClient) -> None:
    """A look that hung is over soon; the next one is good."""
    deadline = time.monotonic() + 20
    while client.get("/readyz").status_code != 200:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def assert_not_ready(client: FlaskClient, *names: str) -> str:
    """Return what the answer says; alive the server is all the same."""
    answer = client.get("/readyz")
    problem = read_problem(answer, 503, "not_ready")
    assert list(problem["errors"]) == list(names)
    assert answer.headers["Retry-After"] == "10"
    assert client.get("/healthz").json == {"status": "ok"}
    said: str = problem["detail"]
    return said


def test_a_server_that_can_work_says_so(client: FlaskClient) -> None:
    assert client.get("/healthz").json == {"status": "ok"}
    assert_ready(client)


@pytest.mark.parametrize(
    "change", ["UPDATE alembic_version SET version_num = '0000'", "DROP TABLE alembic_version"]
)
def test_a_schema_of_another_release_is_not_ready_and_says_what_to_run(
    client: FlaskClient, database: Database, change: str
) -> None:
    with database.write() as session:
        session.execute(text(change))
    assert "consent-server database upgrade" in assert_not_ready(client, "database")


def test_a_database_that_is_none_is_not_ready_and_tells_no_path(
    client: FlaskClient, database: Database, file: Path
) -> None:
    database.close()
    with file.open("r+b") as damaged:
        damaged.write(b"this is no database" * 10)
    said = assert_not_ready(client, "database", "writing", "sealing")
    assert "consent-server doctor" in said
    assert str(file.parent) not in said


@pytest.mark.parametrize("instead", ["nothing", "a copy"])
def test_a_database_whose_file_is_gone_is_not_ready_and_takes_nothing(
    client: FlaskClient, visitor: Visitor, file: Path, instead: str
) -> None:
    assert visitor.reject_all().status_code == 201
    decision = visitor.decision()
    away = file.rename(file.with_name("away.sqlite"))
    if instead == "a copy":
        file.write_bytes(away.read_bytes())
    before = file.read_bytes() if file.exists() else b""
    assert "moved, removed or replaced" in assert_not_ready(
        client, "database", "writing", "sealing"
    )
    problem = read_problem(visitor.send(decision), 503, "unavailable")
    assert "start again" in problem["detail"]
    assert visitor.client.get("/w/smilee.js").status_code == 200
    assert file.exists() == (instead == "a copy"), "no empty database takes its place"
    assert not before or file.read_bytes() == before
    away.rename(file)
    assert_ready(client)
    assert visitor.send(decision).status_code == 201


@pytest.mark.parametrize(
    ("code", "said"), [(errno.EROFS, "may write"), (errno.EIO, "may write"), (errno.ENOSPC, "full")]
)
def test_a_disk_that_takes_nothing_is_not_ready(client: FlaskClient, code: int, said: str) -> None:
    assert_ready(client)
    with breakable_disk() as disk, disk.failing(1, code, for_good=True):
        assert said in assert_not_ready(client, "writing")
    assert_ready(client)


def test_a_disk_that_is_nearly_full_is_not_ready(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness_module, "MIN_FREE_BYTES", 2**62)
    assert "Make room" in assert_not_ready(client, "space")


def test_a_commit_that_hangs_is_not_ready_before_it_is_given_up(
    client: FlaskClient,
    settings: Settings,
    visitor: Visitor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(readiness_module, "MAX_COMMIT_SECONDS", 0.3)
    monkeypatch.setattr(readiness_module, "_PATIENCE_SECONDS", 1.5)
    decision = visitor.decision()
    other = Database(settings.database_url)
    with other.write() as session:
        session.execute(text("SELECT 1"))
        waiting = threading.Thread(target=visitor.send, args=(decision,))
        waiting.start()
        time.sleep(0.5)
        said = assert_not_ready(client, "writer", "writing")
        assert "holds" in said
        assert "No answer within" in said
    waiting.join(20)
    other.close()
    wait_until_ready(client)
    assert visitor.send(decision).status_code == 200, "it was written once it could be"


def test_records_that_nobody_seals_are_not_ready(
    client: FlaskClient, visitor: Visitor, database: Database, signer: Signer
) -> None:
    visitor.accept_all()
    assert_ready(client)
    late = datetime.now(UTC) - readiness_module.MAX_UNSEALED - timedelta(seconds=1)
    with database.write() as session:
        session.query(LedgerQueue).update({"received_at": late})
    assert "consent-server doctor" in assert_not_ready(client, "sealing")
    seal_waiting(database, signer, now=datetime.now(UTC))
    assert_ready(client)


def test_a_stopped_postgresql_turns_it_red_within_ten_seconds_and_back(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    with running_postgresql() as server:
        client = _on_postgresql(settings, server)
        assert_ready(client)
        with server.stopped():
            began = time.monotonic()
            assert_not_ready(client, "database", "writing", "sealing")
            assert time.monotonic() - began < 10
        assert_ready(client)
        with server.frozen():
            began = time.monotonic()
            assert "No answer within" in assert_not_ready(client, "database")
            assert time.monotonic() - began < 10
        wait_until_ready(client)
        client.application.extensions["consent"].database.close()


def _on_postgresql(settings: Settings, server: PostgresqlServer) -> FlaskClient:
    url = server.make_database()
    database = Database(url)
    upgrade_schema(database)
    database.close()
    return create_app(replace(settings, database_url=url)).test_client()


def test_however_many_ask_one_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness_module, "_FRESH_SECONDS", 60.0)
    looked, go_on = [], threading.Event()

    def look() -> Finding:
        looked.append(threading.current_thread().name)
        go_on.wait(10)
        return Finding("one", True, "")

    readiness = Readiness([("one", look)])
    asking = [threading.Thread(target=readiness.findings) for _ in range(8)]
    for one in asking:
        one.start()
    go_on.set()
    for one in asking:
        one.join(10)
    assert [one.good for one in readiness.findings()] == [True]
    assert looked == ["readiness"]


def test_without_a_thread_it_is_not_ready_and_looks_again_when_there_is_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    readiness = Readiness([("one", lambda: Finding("one", True, ""))])
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        assert [one.good for one in readiness.findings()] == [False]
    assert [one.good for one in readiness.findings()] == [True]


def test_a_look_that_nobody_foresaw_to_fail_is_not_good(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)

    def fail() -> Finding:
        raise RuntimeError("inside")

    [found] = Readiness([("one", fail)]).findings()
    assert not found.good
    assert "inside" not in found.said
