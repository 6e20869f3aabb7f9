"""Fixtures of the store's tests: what must hold on both databases runs on both."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask

from consent_server.app import create_app
from consent_server.cli.deliveries import Deliverer
from consent_server.config import Settings
from consent_server.demo import site_files
from consent_server.sealing import seal_waiting
from consent_server.signing import Signer
from consent_server.site_form import load_site_form
from consent_server.sites import publish_version
from consent_server.store.database import Database
from consent_server.store.schema import upgrade_schema
from tests.visitor import Visitor

from .postgresql import PostgresqlServer, running_postgresql
from .sealed import Seal
from .site_server import Receiver, receiving, set_hook


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgresqlServer]:
    """A real PostgreSQL."""
    with running_postgresql() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database without any table, on each kind of database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'consent.sqlite'}"
    server: PostgresqlServer = request.getfixturevalue("postgresql")
    return server.make_database()


@pytest.fixture
def empty_store(empty_url: str) -> Iterator[Database]:
    """A database without any table."""
    database = Database(empty_url)
    yield database
    database.close()


@pytest.fixture
def store(empty_store: Database) -> Database:
    """A database with this release's schema."""
    upgrade_schema(empty_store)
    return empty_store


@pytest.fixture
def served(store: Database, empty_url: str) -> Iterator[Flask]:
    """The application on a database that holds the Smilee site."""
    source = next(file for file in site_files() if file.stem == "smilee").read_text("utf-8")
    form = load_site_form(tomllib.loads(source))
    with store.write() as session:
        publish_version(session, form, source=source, author="tests", now=datetime.now(UTC))
    app = create_app(Settings(database_url=empty_url, api_token="t" * 32))
    yield app
    app.extensions["consent"].database.close()


@pytest.fixture
def seal(served: Flask, store: Database, signer: Signer) -> Seal:
    """Seals what waits now; returns what was sealed."""
    return lambda: seal_waiting(store, signer, now=datetime.now(UTC))


@pytest.fixture
def visitor(served: Flask) -> Visitor:
    """A visitor of the Smilee site on either database."""
    return Visitor(served.test_client(use_cookies=False))


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A site's own server."""
    with receiving() as found:
        yield found


@pytest.fixture
def hook(visitor: Visitor, store: Database, receiver: Receiver) -> None:
    """The Smilee site's server is told."""
    set_hook(store, receiver.url)


@pytest.fixture
def deliverer(store: Database, tmp_path: Path) -> Deliverer:
    """What a running server delivers with."""
    return Deliverer(store, tmp_path / "keys")
