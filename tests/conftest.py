"""Fixtures of every test: the application on a database of its own, and no network."""

from __future__ import annotations

import shutil
import socket
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import fields
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from consent_server import packing
from consent_server.app import create_app
from consent_server.config import Settings
from consent_server.demo import site_files
from consent_server.signing import Signer, open_signer
from consent_server.site_form import load_site_form
from consent_server.sites import publish_version
from consent_server.store.database import Database
from consent_server.store.schema import upgrade_schema
from tests.visitor import Visitor

API_TOKEN = "test-token-of-at-least-32-characters"
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}

#: Each of these makes something once for all its tests.
_KEPT_TOGETHER = ("test_packaging.py", "test_widget_build.py")

ReadSite = Callable[[str], dict[str, Any]]

# How long one example takes says more of the machine than of the code.
hypothesis.settings.register_profile("unhurried", deadline=None)
hypothesis.settings.load_profile("unhurried")


class Scheduling(LoadScopeScheduling):  # type: ignore[misc]
    """Test by test to whichever process is free, some files as a whole."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return file if file.endswith(_KEPT_TOGETHER) else nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling:
    """Tell pytest-xdist how to share the tests out."""
    return Scheduling(config, log)


@pytest.fixture(autouse=True)
def closed_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this process talk to this machine only: the product calls nobody."""
    connect = socket.socket.connect

    def connect_here(self: socket.socket, address: Any) -> None:
        if self.family in {socket.AF_INET, socket.AF_INET6} and address[0] not in _LOOPBACK:
            raise AssertionError(f"a test reached for the network: {address}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect_here)


@pytest.fixture(scope="session", autouse=True)
def packed_once() -> Iterator[None]:
    """Pack equal scripts once for all tests: it costs a second, and most have the demo sites'."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packing, "pack_script", lru_cache(maxsize=256)(packing.pack_script))
        yield


@pytest.fixture(scope="session")
def read_site() -> ReadSite:
    """Reads the description of a demo site as its file has it, before any check."""
    files = {path.stem: path for path in site_files()}
    return lambda key: tomllib.loads(files[key].read_text("utf-8"))


@pytest.fixture(scope="session")
def published_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the five demo sites published; each test gets a copy."""
    file = tmp_path_factory.mktemp("published") / "consent.sqlite"
    database = Database(f"sqlite:///{file}")
    upgrade_schema(database)
    with database.write() as session:
        for site_file in site_files():
            source = site_file.read_text("utf-8")
            form = load_site_form(tomllib.loads(source))
            publish_version(session, form, source=source, author="tests", now=datetime.now(UTC))
    database.close()
    return file


@pytest.fixture
def settings(tmp_path: Path, published_file: Path) -> Settings:
    """Settings of a server whose database holds the demo sites and no decision."""
    file = tmp_path / "consent.sqlite"
    shutil.copyfile(published_file, file)
    return Settings(database_url=f"sqlite:///{file}", api_token=API_TOKEN, demo=True)


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    """The whole application."""
    app = create_app(settings)
    yield app
    app.extensions["consent"].database.close()


@pytest.fixture
def database(app: Flask) -> Database:
    """The application's own database, to look at what it keeps."""
    found: Database = app.extensions["consent"].database
    return found


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser without cookies of its own."""
    return app.test_client(use_cookies=False)


@pytest.fixture
def admin(app: Flask) -> FlaskClient:
    """A client that holds the management token."""
    client = app.test_client(use_cookies=False)
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {API_TOKEN}"
    return client


@pytest.fixture
def visitor(client: FlaskClient) -> Visitor:
    """A visitor of the Smilee site (Swedish, Finnish, English; five services)."""
    return Visitor(client)


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    """The key of a server that starts for the first time."""
    return open_signer(tmp_path / "keys", now=datetime.now(UTC))


@pytest.fixture
def runner(settings: Settings) -> CliRunner:
    """Runs commands with the settings of this test and none of this shell."""
    environment: dict[str, str | None] = {
        f"CONSENT_{field.name.upper()}": None for field in fields(Settings)
    }
    environment["CONSENT_DATABASE_URL"] = settings.database_url
    environment["CONSENT_API_TOKEN"] = settings.api_token
    return CliRunner(env=environment)
