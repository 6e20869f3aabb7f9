"""Unknown keys: while the database hangs they do not take every thread of the server."""

from __future__ import annotations

import logging
import threading
import time

import pytest
from flask import Flask
from sqlalchemy.engine import make_url

from consent_server import published as published_module
from consent_server.app import create_app
from consent_server.config import Settings
from consent_server.store.schema import upgrade_schema

from .postgresql import PostgresqlServer


@pytest.fixture
def app(postgresql: PostgresqlServer) -> Flask:
    """The application on a database without any site."""
    app = create_app(Settings(database_url=postgresql.make_database()))
    upgrade_schema(app.extensions["consent"].database)
    return app


def test_who_asks_for_unknown_sites_does_not_wait_for_one_another_where_the_database_hangs(
    app: Flask,
    postgresql: PostgresqlServer,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """As pages of retired sites do, which still have the tag: one after the other they waited."""
    caplog.set_level(logging.CRITICAL)
    monkeypatch.setattr(published_module, "_HANGING_SECONDS", 0.4)
    statuses: list[int] = []

    def ask(number: int) -> None:
        client = app.test_client(use_cookies=False)
        statuses.append(client.get(f"/w/retired-{number}.js").status_code)

    asking = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    name = make_url(app.extensions["consent"].settings.database_url).database or ""
    with postgresql.connect(name) as outside, outside.transaction():
        outside.execute("LOCK TABLE site IN ACCESS EXCLUSIVE MODE")
        began = time.monotonic()
        for one in asking:
            one.start()
        for one in asking:
            one.join(30)
        took = time.monotonic() - began
    assert statuses == [503] * 4
    assert took < 8, "the patience of the database for a lock is five seconds"
    time.sleep(published_module._FRESH_SECONDS)
    ask(5)
    assert statuses[-1] == 404
    app.extensions["consent"].database.close()
