"""Taken back: what PostgreSQL ends for another's sake is tried again, and holds up nobody else."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from queue import SimpleQueue

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from consent_server.sealing import seal_waiting
from consent_server.signing import open_signer
from consent_server.site_form import load_site_form
from consent_server.sites import publish_version
from consent_server.store.database import Database
from consent_server.store.models import Ledger, LedgerQueue, Site
from consent_server.store.schema import upgrade_schema
from consent_server.store.writer import GroupWriter
from tests.conftest import ReadSite

from .postgresql import PostgresqlServer
from .rows import NOW


@pytest.fixture
def url(postgresql: PostgresqlServer) -> str:
    """The address of an empty database."""
    return f"{postgresql.make_database()}?options=-clock_timeout%3D500"


@pytest.fixture
def store(url: str) -> Database:
    """A database of PostgreSQL with this release's schema."""
    database = Database(url)
    upgrade_schema(database)
    return database


def test_decisions_of_a_transaction_that_met_a_deadlock_are_written_all_the_same(
    store: Database, url: str, postgresql: PostgresqlServer
) -> None:
    """Two servers may wait for each other where one visitor says two new things at once."""
    with store.write() as session:
        session.add_all(Site(key=key, name="", created_at=NOW) for key in ("a", "b"))
    rename = "UPDATE site SET name = name || 'x' WHERE key = "
    begun, go_on = threading.Event(), threading.Event()

    def append(session: Session, items: Sequence[str]) -> list[str | Exception]:
        session.execute(text("SET LOCAL deadlock_timeout = '200ms'"))
        session.execute(text(f"{rename}'b'"))
        begun.set()
        go_on.wait(10)
        session.execute(text(f"{rename}'a'"))
        return list(items)

    writer = GroupWriter[str, str](store, append)
    told: SimpleQueue[object] = SimpleQueue()
    with postgresql.connect(make_url(url).database or "") as other, other.transaction():
        other.execute(f"{rename}'a'".encode())
        writer.submit("one", told.put)
        assert begun.wait(10)
        go_on.set()
        # What the other waits for it gets once the writer was ended.
        other.execute(f"{rename}'b'".encode())
    assert told.get(timeout=10) == "one"
    with store.read() as session:
        assert session.scalars(select(Site.name)).all() == ["xx", "xx"]
    store.close()


def test_a_site_whose_rows_another_holds_does_not_keep_the_next_from_being_sealed(
    store: Database, tmp_path: Path, read_site: ReadSite, caplog: pytest.LogCaptureFixture
) -> None:
    signer = open_signer(tmp_path / "keys", now=datetime.now(UTC))

    def publish(name: str) -> None:
        with store.write() as session:
            for key in ("smilee", "ujet"):
                form = load_site_form({**read_site(key), "name": name})
                publish_version(session, form, source="", author="tests", now=datetime.now(UTC))

    publish("One")
    assert len(seal_waiting(store, signer, now=datetime.now(UTC))) == 2
    publish("Other")
    with store.write() as session:
        first = session.scalar(select(func.min(LedgerQueue.site_id)))
        session.execute(select(Ledger).where(Ledger.site_id == first).with_for_update())
        (sealed,) = seal_waiting(store, signer, now=datetime.now(UTC))
    assert sealed.site == "ujet"
    assert "'smilee' is not sealed yet" in caplog.text
    assert len(seal_waiting(store, signer, now=datetime.now(UTC))) == 1
    store.close()
