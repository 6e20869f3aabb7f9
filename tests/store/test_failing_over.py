"""Failing over: a PostgreSQL that ends, answers nothing or becomes a standby is left in time.

Nothing is acknowledged that could be lost with it. `tests/soak/test_patroni.py` has the whole.
"""

from __future__ import annotations

import logging
import selectors
import socket
import threading
import time
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.engine import make_url
from werkzeug.test import TestResponse

from consent_server import published as published_module
from consent_server.app import create_app
from consent_server.config import Settings
from consent_server.demo import site_files
from consent_server.site_form import load_site_form
from consent_server.sites import publish_version
from consent_server.store import database as database_module
from consent_server.store import postgresql as postgresql_module
from consent_server.store import writer as writer_module
from consent_server.store.database import Database
from consent_server.store.models import ConsentEvent
from consent_server.store.schema import upgrade_schema
from tests.api.answers import read_problem
from tests.visitor import Visitor

from .postgresql import PostgresqlServer, running_postgresql

#: For so long and no longer is a connection believed to be alive that was used just now.
BELIEVED_SECONDS = database_module._REST_SECONDS + 0.05


def publish(server: PostgresqlServer, name: str = "") -> str:
    """Return the address of a new database with the Smilee site."""
    url = server.make_database(name)
    source = next(file for file in site_files() if file.stem == "smilee").read_text("utf-8")
    database = Database(url)
    upgrade_schema(database)
    with database.write() as session:
        form = load_site_form(tomllib.loads(source))
        publish_version(session, form, source=source, author="tests", now=datetime.now(UTC))
    database.close()
    return url


@pytest.fixture
def url(postgresql: PostgresqlServer) -> str:
    """The address of a database with the Smilee site."""
    return publish(postgresql)


@contextmanager
def serving(url: str) -> Iterator[Visitor]:
    """A visitor whose page is open: the script is read, and connections are in the pool."""
    app = create_app(Settings(database_url=url))
    visitor = Visitor(app.test_client(use_cookies=False))
    try:
        assert visitor.reject_all().status_code == 201
        yield visitor
    finally:
        database_of(app).close()


def database_of(app: Flask) -> Database:
    found: Database = app.extensions["consent"].database
    return found


def count(visitor: Visitor) -> int:
    with database_of(visitor.client.application).read() as session:
        return session.scalar(select(func.count()).select_from(ConsentEvent)) or 0


def name_of(url: str) -> str:
    return make_url(url).database or ""


def assert_sent_away(answer: TestResponse) -> dict[str, Any]:
    problem = read_problem(answer, 503, "unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    assert "Set-Cookie" not in answer.headers
    return problem


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)


def test_a_connection_that_only_reads_is_given_up_and_the_next_one_writes(
    postgresql: PostgresqlServer, url: str
) -> None:
    """As of a primary that became a standby, and answers every question still."""
    name = name_of(url)
    with postgresql.connect("postgres") as outside:
        outside.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on'.encode())
        app = create_app(Settings(database_url=url))
        visitor = Visitor(app.test_client(use_cookies=False))
        decision = visitor.decision()
        assert_sent_away(visitor.send(decision))
        outside.execute(f'ALTER DATABASE "{name}" RESET default_transaction_read_only'.encode())
    assert visitor.send(decision).status_code == 201
    database_of(app).close()


def test_a_connection_that_only_reads_is_given_up_also_where_nothing_is_waited_for(
    postgresql: PostgresqlServer, url: str
) -> None:
    """What was said before needs no row of its own: each statement is sent ahead."""
    name = name_of(url)
    with serving(url) as visitor, postgresql.connect("postgres") as outside:
        outside.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on'.encode())
        outside.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,)
        )
        time.sleep(BELIEVED_SECONDS)
        assert_sent_away(visitor.reject_all())
        outside.execute(f'ALTER DATABASE "{name}" RESET default_transaction_read_only'.encode())
        assert visitor.reject_all().status_code == 201


def test_connections_that_were_ended_are_replaced_before_anybody_notices(
    postgresql: PostgresqlServer, url: str
) -> None:
    with serving(url) as visitor:
        with postgresql.connect("postgres") as outside:
            ended = outside.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
                (name_of(url),),
            ).fetchall()
        assert ended
        time.sleep(BELIEVED_SECONDS)
        assert visitor.accept_all().status_code == 201


@contextmanager
def absent_standby(server: PostgresqlServer) -> Iterator[None]:
    """Let every commit wait for a standby that never comes."""
    with server.connect("postgres") as outside:
        try:
            outside.execute("ALTER SYSTEM SET synchronous_standby_names = 'absent'")
            outside.execute("SELECT pg_reload_conf()")
            yield
        finally:
            outside.execute("ALTER SYSTEM RESET synchronous_standby_names")
            outside.execute("SELECT pg_reload_conf()")


def stop_waiting(server: PostgresqlServer, name: str) -> None:
    """Cancel what waits for a standby, as an operator or a timeout does."""
    with server.connect("postgres") as outside:
        deadline = time.monotonic() + 10
        while not outside.execute(
            "SELECT pg_cancel_backend(pid) FROM pg_stat_activity "
            "WHERE datname = %s AND wait_event = 'SyncRep'",
            (name,),
        ).fetchall():
            assert time.monotonic() < deadline, "nobody waits for the standby"
            time.sleep(0.02)


def answer_of(send: Callable[[], TestResponse], meanwhile: Callable[[], None]) -> TestResponse:
    found: list[TestResponse] = []
    sending = threading.Thread(target=lambda: found.append(send()))
    sending.start()
    try:
        meanwhile()
    finally:
        sending.join(20)
    return found[0]


def test_what_no_standby_has_is_not_acknowledged_not_even_when_it_is_sent_again(
    postgresql: PostgresqlServer, url: str
) -> None:
    with serving(url) as visitor:
        decision = visitor.decision()

        def send() -> TestResponse:
            return answer_of(
                lambda: visitor.send(decision), lambda: stop_waiting(postgresql, name_of(url))
            )

        with absent_standby(postgresql):
            first = assert_sent_away(send())
            assert "may be recorded" in first["detail"]
            # The row is there, on this server alone.
            assert count(visitor) == 2
            again = assert_sent_away(send())
            assert "may be recorded" in again["detail"]
        assert visitor.send(decision).status_code == 200
        assert count(visitor) == 2


def test_pages_do_not_wait_for_a_database_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(published_module, "_FRESH_SECONDS", 0.0)
    with running_postgresql() as server, serving(publish(server)) as visitor:
        before = visitor.client.get(f"{visitor.address}.js").data
        took = []
        with server.frozen():
            # Made-up keys ask the database, too, and must not hold up the others.
            unknown = threading.Thread(target=visitor.client.get, args=("/w/made-up.js",))
            unknown.start()
            for _ in range(3):
                began = time.monotonic()
                asked = threading.Thread(
                    target=lambda: took.append(visitor.client.get(f"{visitor.address}.js").data)
                )
                asked.start()
                asked.join(5)
                assert time.monotonic() - began < 1.5
        unknown.join(20)
        assert took == [before] * 3


def test_a_primary_that_hangs_is_left_once_another_takes_writes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(postgresql_module, "_LOOK_EVERY", 0.3)
    monkeypatch.setattr(writer_module, "_PATIENCE_SECONDS", 1.0)
    with running_postgresql() as old, running_postgresql() as new:
        name = make_url(publish(old)).database or ""
        # What a standby has: the same database, on another server.
        publish(new, name)
        hosts = "&".join(f"host=127.0.0.1:{one.port}" for one in (old, new))
        several = f"postgresql+psycopg://tests@/{name}?{hosts}&target_session_attrs=read-write"
        with serving(f"{several}&connect_timeout=2") as visitor:
            decision = visitor.decision()
            with old.frozen():
                began = time.monotonic()
                assert_sent_away(visitor.send(decision))
                while visitor.send(decision).status_code not in {200, 201}:
                    assert time.monotonic() - began < 30, "it still waits for the old one"
                    time.sleep(0.2)
            with new.connect(name) as beside:
                found = beside.execute("SELECT event_id::text FROM consent_event").fetchall()
            assert found == [(decision["decision_id"],)]


@dataclass
class Wire:
    """Stands between the server and PostgreSQL; can lose the answer to a commit."""

    target: int
    #: How many answers to a commit are to be lost from now on.
    to_lose: int = 0
    lost: int = 0
    port: int = 0
    _listener: socket.socket = field(default_factory=socket.socket)

    def start(self) -> None:
        """Listen on a free port."""
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen()
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self) -> None:
        """Take no more connections."""
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client = self._listener.accept()[0]
                threading.Thread(target=self._pass_on, args=(client,), daemon=True).start()

    def _pass_on(self, client: socket.socket) -> None:
        target = socket.create_connection(("127.0.0.1", self.target))
        with client, target as server, selectors.DefaultSelector() as ready:
            losing = False
            ready.register(client, selectors.EVENT_READ)
            ready.register(server, selectors.EVENT_READ)
            while True:
                for come in [key.fileobj for key, _ in ready.select()]:
                    assert isinstance(come, socket.socket)
                    data = come.recv(65_536)
                    if come is client and self.to_lose and b"COMMIT" in data:
                        self.to_lose -= 1
                        losing = True
                    elif come is server and losing:
                        # PostgreSQL has answered: the commit is done, and nobody hears of it.
                        self.lost += 1
                        return
                    if not data:
                        return
                    (server if come is client else client).sendall(data)


@pytest.fixture
def wire(postgresql: PostgresqlServer) -> Iterator[Wire]:
    found = Wire(postgresql.port)
    found.start()
    yield found
    found.stop()


def test_a_connection_that_breaks_between_commit_and_answer_gives_the_same_receipt_later(
    url: str, wire: Wire
) -> None:
    address = make_url(url).set(port=wire.port)
    with serving(address.render_as_string(hide_password=False)) as visitor:
        decision = visitor.decision()
        wire.to_lose = 1
        problem = assert_sent_away(visitor.send(decision))
        assert "may be recorded" in problem["detail"]
        assert wire.lost == 1
        assert count(visitor) == 2
        again = visitor.send(decision)
        assert again.status_code == 200
        assert again.json is not None
        assert again.json["event_id"] == decision["decision_id"]
        assert count(visitor) == 2


def test_the_address_may_say_how_long_a_connection_is_waited_for(url: str) -> None:
    own = make_url(url).update_query_dict({"connect_timeout": "2", "tcp_user_timeout": "4000"})
    database = Database(own.render_as_string(hide_password=False))
    with database.engine.connect() as connection:
        driver: Any = connection.connection.dbapi_connection
        found = driver.info.get_parameters()
    database.close()
    assert (found["connect_timeout"], found["tcp_user_timeout"]) == ("2", "4000")
    assert found["keepalives_idle"] == "5"
