"""Starting: servers that start beside others, at the same moment too, keep nobody waiting."""

from __future__ import annotations

import multiprocessing
import threading
from datetime import UTC, datetime
from multiprocessing.synchronize import Barrier

import pytest
from sqlalchemy import func, select

from consent_server import widget
from consent_server.cli.keeping import Keeper
from consent_server.cli.opening import prepare_database
from consent_server.config import Settings
from consent_server.sites import find_site, find_version, keep_scripts, scripts_of
from consent_server.store.database import Database
from consent_server.store.models import SiteScript
from consent_server.store.schema import schema_is_current
from tests.visitor import Visitor

_SERVERS = 3


def prepare(url: str, together: Barrier | None = None) -> None:
    if together is not None:
        together.wait(60)
    prepare_database(Settings(database_url=url))


def scripts(database: Database) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(SiteScript)) or 0


@pytest.fixture
def next_release(visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    """A release with another core, beside a server that runs."""
    assert visitor.reject_all().status_code == 201
    monkeypatch.setattr(widget, "read_core", lambda *_, **__: "/* the next release */")


def test_of_servers_that_start_together_on_an_empty_database_each_starts(
    empty_url: str, empty_store: Database
) -> None:
    context = multiprocessing.get_context("spawn")
    together = context.Barrier(_SERVERS)
    servers = [context.Process(target=prepare, args=(empty_url, together)) for _ in range(_SERVERS)]
    for server in servers:
        server.start()
    for server in servers:
        server.join(60)
    assert [server.exitcode for server in servers] == [0] * _SERVERS
    assert schema_is_current(empty_store)


def test_decisions_are_recorded_while_another_server_composes_its_scripts(
    visitor: Visitor, next_release: None, empty_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes some milliseconds a site: a minute where there are thousands."""
    composing, go_on = threading.Event(), threading.Event()
    compose = widget.compose_scripts

    def compose_slowly(*arguments: object) -> object:
        if not composing.is_set():
            composing.set()
            go_on.wait(30)
        return compose(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr("consent_server.sites.compose_scripts", compose_slowly)
    other = Database(empty_url)
    keeping = threading.Thread(target=Keeper(other).run)
    keeping.start()
    assert composing.wait(20)
    status = visitor.reject_all().status_code
    go_on.set()
    keeping.join(30)
    other.close()
    assert status == 201


def test_two_servers_of_a_new_release_keep_its_scripts_at_the_same_moment(
    store: Database, next_release: None, empty_url: str
) -> None:
    before = scripts(store)
    other = Database(empty_url)
    failed: list[Exception] = []

    def keep() -> None:
        try:
            Keeper(other).run()
        except Exception as error:
            failed.append(error)

    keeping = threading.Thread(target=keep)
    with store.write() as session:
        site = find_site(session, "smilee")
        made = scripts_of(find_version(session, site, 1))
        keep_scripts(session, site.id, 1, made, now=datetime.now(UTC))
        keeping.start()
        keeping.join(1)
    keeping.join(20)
    other.close()
    assert failed == []
    assert scripts(store) == 2 * before
