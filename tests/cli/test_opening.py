"""Opening: what a new release changes is made good before the server serves."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from consent_server import widget
from consent_server.app import create_app
from consent_server.cli.opening import prepare_database
from consent_server.config import Settings
from consent_server.store.database import Database
from consent_server.store.models import SiteScript
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
    assert scripts(database) == 2 * before
    app = create_app(settings)
    answer = Visitor(app.test_client(use_cookies=False)).accept_all()
    app.extensions["consent"].database.close()
    assert answer.status_code == 201, answer.text


def test_preparing_twice_changes_nothing(database: Database, settings: Settings) -> None:
    before = scripts(database)
    prepare_database(settings)
    prepare_database(settings)
    assert scripts(database) == before
