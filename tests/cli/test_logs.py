"""The log: what happened, for people or machines, and never whose request it was."""

from __future__ import annotations

import http.client
import json
import logging
import shutil
import sqlite3
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from sqlalchemy.exc import IntegrityError

from consent_server.cli.logs import JsonFormatter, LineFormatter, describe_exception
from consent_server.config import Settings, sqlite_path
from consent_server.errors import NotFound
from tests.api.route_requests import list_requests
from tests.api.test_privacy import TELLING, TRACES
from tests.conftest import API_TOKEN

from .serving import Serving, serving
from .test_run import free_port

SUBJECT = "5ec2e75ec2e75ec2e75ec2e75ec2e7ff"
MARKED = [*TRACES, SUBJECT, API_TOKEN, "5ec2e700-0000-4000-8000-000000000077"]


def _ask_everything(server: Serving, app: Flask) -> int:
    """Send every request there is, with a visitor's marks wherever one can put them."""
    host, port = urlsplit(server.url).hostname, urlsplit(server.url).port
    asked = 0
    kinds = ("application/json", "application/x-www-form-urlencoded")
    bodies = [
        b"",
        b'{"secret": 1',
        json.dumps({"subject_id": SUBJECT, "decision_id": MARKED[-1], "secret": "secret"}).encode(),
    ]
    for token in (SUBJECT, API_TOKEN):
        headers = {**TELLING, "Authorization": f"Bearer {token}"}
        for request in list_requests(app):
            separator = "&" if "?" in request.path else "?"
            path = f"{request.path}{separator}page=secret&event_id={MARKED[-1]}"
            for body in bodies if request.method in {"POST", "PUT"} else bodies[:1]:
                for kind in kinds if body else kinds[:1]:
                    connection = http.client.HTTPConnection(str(host), port, timeout=30)
                    connection.request(
                        request.method, path, body, {**headers, "Content-Type": kind}
                    )
                    assert connection.getresponse().read() is not None
                    connection.close()
                    asked += 1
        connection = http.client.HTTPConnection(str(host), port, timeout=30)
        connection.request("GET", f"/secret/patient/{SUBJECT}", headers=headers)
        assert connection.getresponse().status == 404
        connection.close()
        asked += 1
    return asked


def _break_database(settings: Settings) -> None:
    """Take a table away from the running server: whatever needs it is logged as failing."""
    file = sqlite_path(settings.database_url)
    assert file is not None
    connection = sqlite3.connect(file, isolation_level=None)
    for table in ("consent_event", "site_version"):
        connection.execute(f"ALTER TABLE {table} RENAME TO {table}_away")
    connection.close()


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_line_tells_whose_request_it_was_whatever_is_asked(
    form: str, app: Flask, settings: Settings, environment: dict[str, str], tmp_path: Path
) -> None:
    environment |= {
        "CONSENT_LOG_FORMAT": form,
        "CONSENT_LOG_LEVEL": "debug",
        "CONSENT_REQUEST_LOG": "true",
        "CONSENT_API_TOKEN": API_TOKEN,
        "CONSENT_TRUSTED_PROXIES": "1",
        "CONSENT_DEMO": "true",
    }
    with serving("run", environment=environment, folder=tmp_path, port=free_port()) as server:
        asked = _ask_everything(server, app)
        _break_database(settings)
        asked += _ask_everything(server, app)
        lines = server.said().splitlines()
    for trace in MARKED:
        assert not [line for line in lines if trace in line]
    told = [line for line in lines if "consent_server.requests" in line]
    # The probes of the start are requests too.
    assert len(told) >= asked
    assert any("no such table" in line for line in lines), "errors are told, and why"
    assert any("/w/<site_key>/decisions" in line for line in told)
    if form == "json":
        objects = [json.loads(line) for line in lines if line.startswith("{")]
        requests = [one for one in objects if one["logger"] == "consent_server.requests"]
        assert {one["status"] for one in requests} >= {200, 401, 404, 503}
        assert {one["route"] for one in requests} >= {"/w/<site_key>.js", "unmatched"}
        assert all(one["milliseconds"] >= 0 for one in requests)
        assert all(one["time"].endswith("Z") for one in objects)


def test_without_being_asked_for_requests_are_not_logged(
    environment: dict[str, str], tmp_path: Path
) -> None:
    environment["CONSENT_LOG_LEVEL"] = "debug"
    with serving("run", environment=environment, folder=tmp_path, port=free_port()) as server:
        assert server.fetch("/w/smilee.js")
        assert "smilee" not in server.said()


def _record(message: str, error: BaseException | None = None) -> logging.LogRecord:
    info: Any = (type(error), error, error.__traceback__) if error else None
    return logging.LogRecord("consent_server.x", logging.ERROR, "x.py", 1, message, (), info)


@pytest.mark.parametrize("formatter", [LineFormatter(), JsonFormatter()])
def test_nobody_writes_a_line_of_the_log_but_the_server(formatter: logging.Formatter) -> None:
    told = formatter.format(_record("a\n2026-01-01 ERROR forged\r\x1b[31m\u2028"))
    assert len(told.splitlines()) == 1
    assert "\x1b" not in told


def test_an_error_is_told_with_its_place_and_cause_but_without_what_it_repeats() -> None:
    def fail() -> None:
        try:
            int("secret")
        except ValueError as error:
            raise KeyError("secret") from error

    with pytest.raises(KeyError) as caught:
        fail()
    told = LineFormatter().format(_record("unexpected", caught.value))
    assert "ValueError" in told
    assert "KeyError" in told
    assert f"{__file__}:" in told
    assert "secret" not in told
    assert json.loads(JsonFormatter().format(_record("x", caught.value)))["exception"]


def test_what_postgresql_says_is_told_without_the_rows_that_it_repeats() -> None:
    class Refused(Exception):
        sqlstate = "23505"
        diag = SimpleNamespace(message_primary="duplicate key value violates constraint")

    class Wrong(Refused):
        sqlstate = "22P02"
        diag = SimpleNamespace(message_primary='invalid input syntax: "secret"')

    row = "DETAIL: Key (id)=(secret) already exists"
    [line] = describe_exception(IntegrityError("INSERT", {}, Refused(row)))
    assert line == "IntegrityError: SQLSTATE 23505 duplicate key value violates constraint"
    [line] = describe_exception(IntegrityError("SELECT", {}, Wrong(row)))
    assert line == "IntegrityError: SQLSTATE 22P02"


def test_our_own_errors_and_those_of_the_system_say_what_they_are() -> None:
    assert describe_exception(NotFound("secret")) == ["NotFound: not_found"]
    missing = shutil.which("no such program, by this name") or "/nowhere/at/all"
    with pytest.raises(OSError, match="nowhere") as caught:
        Path(missing).read_bytes()
    assert describe_exception(caught.value)[-1] == "FileNotFoundError: No such file or directory"
    assert sys.exc_info() == (None, None, None)
