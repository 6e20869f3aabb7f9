"""Health: alive, and able to work."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from consent_server.store.database import Database
from tests.api.answers import read_problem


def test_a_server_that_can_work_says_so(client: FlaskClient) -> None:
    for path in ("/healthz", "/readyz"):
        answer = client.get(path)
        assert (answer.status_code, answer.json) == (200, {"status": "ok"})


@pytest.mark.parametrize(
    "change", ["UPDATE alembic_version SET version_num = '0000'", "DROP TABLE alembic_version"]
)
def test_a_schema_of_another_release_is_not_ready_and_says_what_to_run(
    client: FlaskClient, database: Database, change: str
) -> None:
    with database.write() as session:
        session.execute(text(change))
    answer = client.get("/readyz")
    assert "consent-server database upgrade" in read_problem(answer, 503)["detail"]
    assert answer.headers["Retry-After"] == "10"
    assert client.get("/healthz").status_code == 200


def test_a_database_that_does_not_answer_is_not_ready(
    client: FlaskClient, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    url = database.engine.url
    database.close()
    assert url.database is not None
    with Path(url.database).open("r+b") as file:
        file.write(b"this is no database" * 10)
    read_problem(client.get("/readyz"), 503)
    assert client.get("/healthz").status_code == 200
