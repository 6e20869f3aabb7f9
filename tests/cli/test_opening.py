"""Opening: what a new release changes is made good before the server serves."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from consent_server import widget
from consent_server.app import create_app
from consent_server.cli.opening import prepare_database, prepare_server
from consent_server.config import Settings
from consent_server.errors import ConfigError
from consent_server.store.database import Database
from consent_server.store.models import SiteScript
from consent_server.store.schema import schema_is_current
from tests.visitor import Visitor


def scripts(database: Database) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(SiteScript)) or 0


def test_a_decision_on_another_releases_script_is_recorded(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = scripts(database)
    monkeypatch.setattr(widget, "read_core", lambda *_, **__: "/* the next release */")
    prepare_database(settings)
    app = create_app(settings)
    answer = Visitor(app.test_client(use_cookies=False)).accept_all()
    app.extensions["consent"].database.close()
    assert answer.status_code == 201, answer.text
    assert scripts(database) > before


def test_a_start_composes_no_script(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With thousands of sites nobody would be served for a minute."""
    composed: list[object] = []
    monkeypatch.setattr("consent_server.sites.compose_scripts", lambda *one: composed.append(one))
    prepare_server(settings)
    create_app(settings).extensions["consent"].database.close()
    assert composed == []


def test_preparing_twice_changes_nothing(database: Database, settings: Settings) -> None:
    before = scripts(database)
    prepare_database(settings)
    prepare_database(settings)
    assert scripts(database) == before


def test_a_servers_first_start_makes_the_database(tmp_path: Path) -> None:
    settings = Settings(database_url=f"sqlite:///{tmp_path}/new.sqlite")
    prepare_server(settings)
    database = Database(settings.database_url)
    assert schema_is_current(database)
    database.close()


def test_a_newer_releases_database_is_refused_by_the_process_that_serves(
    database: Database, settings: Settings
) -> None:
    with database.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(ConfigError, match="comes from a newer release"):
        prepare_server(settings)
