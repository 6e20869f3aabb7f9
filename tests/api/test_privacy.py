"""What is not stored: nothing of a request but the decision itself."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text

from consent_server.store.database import Database
from consent_server.store.models import Base
from tests.visitor import Visitor

ADDRESS = "203.0.113.77"
TELLING = {
    "User-Agent": "Telltale/77 (secret device)",
    "Referer": "http://127.0.0.1:8000/secret-page?patient=77",
    "Origin": "http://127.0.0.1:8000",
    "Cookie": "_ga=GA1.1.secret-cookie",
    "X-Forwarded-For": "198.51.100.77",
    "Accept-Language": "sv-FI,x-secret",
    "Sec-CH-UA": '"Secret";v="77"',
    "DNT": "1",
}
TRACES = [ADDRESS, "198.51.100.77", "Telltale", "secret", "patient"]


@pytest.fixture
def told(app: Flask, visitor: Visitor, caplog: pytest.LogCaptureFixture) -> Visitor:
    """A visitor whose every request tells all that a browser can tell."""
    caplog.set_level(logging.DEBUG)
    telling = {"headers": TELLING, "environ_base": {"REMOTE_ADDR": ADDRESS}}
    decision = visitor.decision(*visitor.services())
    assert visitor.send(decision, **telling).status_code == 201
    assert visitor.send({**decision, "language": "fi"}, **telling).status_code == 409
    assert visitor.send({}, **telling).status_code == 422
    visitor.client.get(f"{visitor.address}.js?page=secret", **telling)
    visitor.client.get(
        f"{visitor.address}/decisions?secret=1",
        headers={**TELLING, "Authorization": f"Bearer {visitor.subject_id}"},
        environ_base={"REMOTE_ADDR": ADDRESS},
    )
    return visitor


def test_no_table_holds_address_browser_or_page(told: Visitor, database: Database) -> None:
    with database.read() as session:
        for table in Base.metadata.tables:
            for row in session.execute(text(f"SELECT * FROM {table}")):
                for trace in [*TRACES, told.subject_id]:
                    assert trace not in repr(tuple(row)), table


def test_no_file_of_the_database_holds_them(told: Visitor, tmp_path: Path) -> None:
    files = list(tmp_path.glob("consent.sqlite*"))
    assert len(files) >= 2, "the write-ahead log is looked at as well"
    for file in files:
        body = file.read_bytes()
        for trace in [*TRACES, told.subject_id]:
            assert trace.encode() not in body, file.name


def test_no_log_line_holds_them(told: Visitor, caplog: pytest.LogCaptureFixture) -> None:
    for trace in [*TRACES, told.subject_id]:
        assert trace not in caplog.text


def test_no_cookie_is_set_before_a_decision(app: Flask, visitor: Visitor) -> None:
    for path in (".js", "/versions", "/versions/1"):
        answer = visitor.client.get(f"{visitor.address}{path}", headers=TELLING)
        assert answer.status_code == 200
        assert "Set-Cookie" not in answer.headers
