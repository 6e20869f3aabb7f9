"""The database away: 503, nothing lost, nothing half written, and pages go on being served."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from sqlite3 import Connection
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, func, select, text

from consent_server import cores, widget
from consent_server import published as published_module
from consent_server.config import Settings
from consent_server.store import database as database_module
from consent_server.store.database import Database
from consent_server.store.models import ConsentEvent, NoticeCount, SubjectData
from tests.api.answers import read_problem
from tests.visitor import Visitor


@contextmanager
def pragma_on_every_connection(database: Database, pragma: str) -> Iterator[None]:
    """Let each connection of `database` run a pragma when it opens, for a while."""

    def run(connection: Connection, _record: Any) -> None:
        connection.execute(f"PRAGMA {pragma}")

    event.listen(database.engine, "connect", run)
    database.close()
    yield
    event.remove(database.engine, "connect", run)
    database.close()


def count_rows(database: Database) -> tuple[int, int, int]:
    with database.read() as session:
        events, links = (
            session.scalar(select(func.count()).select_from(table)) or 0
            for table in (ConsentEvent, SubjectData)
        )
        return events, links, session.scalar(select(func.sum(NoticeCount.refused))) or 0


def assert_refused_and_told_to_come_again(send: Callable[[], Any]) -> None:
    answer = send()
    read_problem(answer, 503, "unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    assert "Set-Cookie" not in answer.headers


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)


def test_a_read_only_database_refuses_and_takes_the_same_decision_later(
    visitor: Visitor, database: Database
) -> None:
    decision = visitor.decision()
    with pragma_on_every_connection(database, "query_only=ON"):
        assert_refused_and_told_to_come_again(lambda: visitor.send(decision))
        assert count_rows(database) == (0, 0, 0)
        assert visitor.client.get(f"{visitor.address}.js").status_code == 200
    assert visitor.send(decision).status_code == 201
    assert count_rows(database) == (1, 1, 1)


def test_a_full_disk_loses_nothing_that_was_acknowledged(
    visitor: Visitor, database: Database
) -> None:
    with database.read() as session:
        pages = session.scalar(text("PRAGMA page_count")) or 0
    # One visitor an address, or the budget would end the test before the disk does.
    addresses = [{"REMOTE_ADDR": f"127.0.1.{number}"} for number in range(60)]
    waiting, acknowledged = [], 0
    with pragma_on_every_connection(database, f"max_page_count={pages + 4}"):
        for address in addresses:
            decision = Visitor(visitor.client).decision()
            answer = visitor.send(decision, environ_base=address)
            if answer.status_code == 201:
                acknowledged += 1
            else:
                read_problem(answer, 507)
                waiting.append((decision, address))
        assert acknowledged
        assert waiting
        assert count_rows(database) == (acknowledged,) * 3
    for decision, address in waiting:
        assert visitor.send(decision, environ_base=address).status_code == 201
    assert count_rows(database) == (60, 60, 60)


def test_a_database_locked_by_another_process_refuses_in_time(
    settings: Settings, visitor: Visitor, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    decision = visitor.decision()
    monkeypatch.setattr(database_module, "_BUSY_MILLISECONDS", 50)
    database.close()
    other = Database(settings.database_url)
    with other.write() as session:
        session.execute(text("SELECT 1"))
        assert_refused_and_told_to_come_again(lambda: visitor.send(decision))
    other.close()
    assert visitor.send(decision).status_code == 201
    assert count_rows(database) == (1, 1, 1)


def test_scripts_are_served_from_memory_while_the_database_is_away(
    visitor: Visitor, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = visitor.client.get(f"{visitor.address}.js").data
    monkeypatch.setattr(published_module, "_FRESH_SECONDS", -1.0)
    with database.write() as session:
        session.execute(text("ALTER TABLE site RENAME TO site_away"))
    assert visitor.client.get(f"{visitor.address}.js").data == before
    unknown = visitor.client.get("/w/jackbot.js")
    read_problem(unknown, 503)
    with database.write() as session:
        session.execute(text("ALTER TABLE site_away RENAME TO site"))
    assert visitor.client.get("/w/jackbot.js").status_code == 200


def test_a_page_can_read_that_the_server_is_unavailable(
    visitor: Visitor, database: Database
) -> None:
    decision = visitor.decision()
    with pragma_on_every_connection(database, "query_only=ON"):
        answer = visitor.send(decision, headers={"Origin": "http://127.0.0.1:8000"})
    read_problem(answer, 503)
    assert answer.headers["Access-Control-Allow-Origin"] == "http://127.0.0.1:8000"


def test_a_script_of_a_new_build_is_kept_before_it_is_served(
    app: Flask, client: FlaskClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor = Visitor(client)
    old = visitor.read_script()["script"]
    core = cores.read_core()
    monkeypatch.setattr(widget, "read_core", lambda *_, **__: core + ";")
    app.extensions["consent"].published.forget()
    decision = visitor.decision()
    assert decision["script"] != old
    assert visitor.send(decision).status_code == 201
