"""The short way: the same answers as the long way, and the long way for all else."""

from __future__ import annotations

import io
import json
import random
import secrets
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError
from werkzeug.exceptions import BadRequest

from consent_server.api.bodies import read_json
from consent_server.api.context import Context
from consent_server.api.schemas import DecisionSchema
from consent_server.api.short_way import ShortWay
from consent_server.api.usual_form import read_usual
from consent_server.app import MAX_BODY_BYTES, create_app
from consent_server.config import Settings
from consent_server.rules.times import spell_time
from tests.visitor import Visitor

Environ = dict[str, Any]
Application = Callable[..., Iterable[bytes]]
Answer = tuple[str, list[tuple[str, str]], bytes]

_NOW = datetime(2026, 11, 22, 16, 47, 0, 123_000, tzinfo=UTC)
_BROWSER = {"Accept-Encoding": "gzip, deflate, br, zstd"}
_USUAL = {
    "decision_id": '"7f3f2d7e-64d6-4d0a-9d0d-54e2b1a7c001"',
    "subject_id": f'"{"0a" * 16}"',
    "method": '"save"',
    "layer": '"preferences"',
    "version": "3",
    "script": f'"{"0123456789abcdef"}"',
    "language": '"fi"',
    "grants": '{"analytics":true,"google-analytics":false}',
    "decided_at": '"2026-11-22T16:47:00.123Z"',
}
#: Values as they stand in a body: most are wrong somewhere, and some only at second sight.
_VALUES = [
    *_USUAL.values(),
    *('""', '"gpc"', '"dnt"', '"GPC"', "null", "true", "0", "1", "1.0", "-1", "1e2", "NaN", "[]"),
    *("1000000", "1000001", "9" * 30, "{}", '{"a":1}', '{"a":true,"a":false}', '{"A":true}'),
    *('{"a\\u0061":true}', '{"a":true,"":false}', '{"a":{"b":true}}', '"fi\\u000a"', '"\\ud800"'),
    *('"f"', '"' + "f" * 17 + '"', '"fi "', '"suomi"', '"\u00e4\u00e4"', '"handover"', '"page"'),
    *('"2026-11-22t16:47:00z"', '"2026-11-22T16:47:00+02:00"', '"2026-02-30T00:00:00Z"'),
    *('"2026-11-22"', '"7F3F2D7E-64D6-4D0A-9D0D-54E2B1A7C001"', f'"{"0A" * 16}"', '"withdraw"'),
    *("Infinity", '"0123456789abcdef\\n"', '"7f3f2d7e-64d6-1d0a-9d0d-54e2b1a7c001"', '"api"'),
]


def run(application: Application, environ: Environ) -> Answer:
    """Ask; return status, headers and body as they go out."""
    found: list[Any] = []
    body = b"".join(application(environ, lambda *line: found.append(line)))
    return found[0][0], found[0][1], body


def environ_of(path: str, body: bytes, **fields: str) -> Environ:
    return {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "192.0.2.7",
        "HTTP_HOST": "localhost:8000",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        **fields,
    }


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    """The application without limits."""
    many = 1_000_000
    app = create_app(replace(settings, decisions_per_minute=many, site_decisions_per_minute=many))
    yield app
    app.extensions["consent"].database.close()


@pytest.fixture
def long_way(app: Flask) -> Application:
    """The framework, at a fixed time."""
    parts: Context = app.extensions["consent"]
    app.extensions["consent"] = replace(parts, now=lambda: _NOW)
    short = app.wsgi_app
    assert isinstance(short, ShortWay)
    return short._application


@pytest.fixture
def short_way(app: Flask, long_way: Application) -> ShortWay:
    """The short way before it, at the same time."""
    return ShortWay(long_way, app.extensions["consent"], MAX_BODY_BYTES)


@pytest.fixture
def only_short(app: Flask, long_way: Application) -> ShortWay:
    """The short way before nothing: what passes it fails."""

    def refuse(*_asked: Any) -> Iterable[bytes]:
        raise AssertionError("this went the long way")

    return ShortWay(refuse, app.extensions["consent"], MAX_BODY_BYTES)


def spell(decision: dict[str, Any]) -> bytes:
    return json.dumps(decision, separators=(",", ":")).encode()


@given(
    st.lists(
        st.tuples(st.sampled_from([*_USUAL, "signal", "extra"]), st.sampled_from(_VALUES)),
        max_size=3,
    ),
    st.randoms(use_true_random=False),
    st.booleans(),
)
def test_what_is_read_the_short_way_is_read_the_same_the_long_way(
    changed: list[tuple[str, str]], chance: random.Random, doubled: bool
) -> None:
    members = (
        list(_USUAL.items()) + changed if doubled else list({**_USUAL, **dict(changed)}.items())
    )
    chance.shuffle(members)
    body = ("{" + ", ".join(f'"{name}": {value}' for name, value in members) + "}").encode()
    short = read_usual(body)
    try:
        long = DecisionSchema().load(read_json(body))
    except (ValidationError, BadRequest):
        long = None
    assert short is None or short == long
    if not changed:
        assert short is not None


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b"{", b"1", b'"', b"\xff", b"[" * 15_000, b"9" * 15_000]
)
def test_what_is_no_decision_is_left_to_the_long_way(body: bytes) -> None:
    assert read_usual(body) is None


def test_a_thousand_requests_are_answered_alike(
    visitor: Visitor, short_way: ShortWay, long_way: Application, only_short: ShortWay
) -> None:
    chance = random.Random(7)
    path, origin = f"{visitor.address}/decisions", visitor.read_version()["origins"][0]
    services = visitor.services()
    usual = [
        visitor.decision(*chance.sample(services, chance.randint(0, len(services))))
        for _ in range(10)
    ]
    proven = {"QUERY_STRING": f"proof={visitor.proof}"}
    fields: list[dict[str, str]] = [
        {},
        {"HTTP_ORIGIN": origin},
        {"HTTP_ORIGIN": "http://localhost:8000"},
        {"HTTP_ORIGIN": "https://localhost", "HTTP_HOST": "localhost", "wsgi.url_scheme": "https"},
        {"HTTP_HOST": "www.example.com", "HTTP_ORIGIN": origin, "HTTP_SEC_GPC": "1"},
        {"HTTP_ORIGIN": "https://elsewhere.example"},
        {"HTTP_COOKIE": "a=b; consent_smilee=1.1.zzzzzz.%s.analytics" % ("a" * 32)},
        {"HTTP_COOKIE": "consent_smilee=1.1.1.%s.!analytics; c" % ("a" * 32), "HTTP_DNT": "1"},
        {"HTTP_HOST": "localhost:80", "HTTP_ORIGIN": "http://localhost"},
        {"QUERY_STRING": "a=b"},
        {"QUERY_STRING": ""},
        {"QUERY_STRING": "proof="},
        {"QUERY_STRING": "proof=" + "A" * 22, "HTTP_ORIGIN": origin},
        {"QUERY_STRING": "proof=%41"},
    ]
    for number in range(100):
        decision = chance.choice(usual) | {
            "decision_id": str(uuid4()),
            "subject_id": secrets.token_hex(16),
            "decided_at": spell_time(
                _NOW.replace(minute=chance.randint(0, 59), day=chance.randint(1, 22))
            ),
        }
        body = spell(decision)
        first = run(only_short, environ_of(path, body, **proven, **fields[number % 4]))
        again = run(long_way, environ_of(path, body, **proven, **fields[number % 4]))
        assert (first[0], again[0]) == ("201 CREATED", "200 OK")
        assert first[1:] == again[1:]
        for asked in fields:
            told = run(short_way, environ_of(path, body, **proven | asked))
            assert told == run(long_way, environ_of(path, body, **proven | asked)), asked


@pytest.mark.parametrize(
    "fields",
    [
        {"CONTENT_TYPE": "text/plain"},
        {"CONTENT_LENGTH": ""},
        {"CONTENT_LENGTH": "0"},
        {"CONTENT_LENGTH": "999999"},
        {"CONTENT_LENGTH": "-1"},
        {"HTTP_CONTENT_ENCODING": "gzip"},
        {"HTTP_ORIGIN": "null"},
        {"HTTP_HOST": "www..example.com"},
        {"HTTP_HOST": f"{'a' * 64}.example.com"},
        {"REQUEST_METHOD": "PUT"},
        {"PATH_INFO": "/w/nobody/decisions"},
    ],
)
def test_what_is_wrong_is_told_by_the_long_way(
    visitor: Visitor, short_way: ShortWay, long_way: Application, fields: dict[str, str]
) -> None:
    body = spell(visitor.decision())
    path = f"{visitor.address}/decisions"
    told = run(short_way, environ_of(path, body, **fields))
    assert told == run(long_way, environ_of(path, body, **fields))
    assert told[0][0] == "4"


@pytest.mark.parametrize(
    ("change", "status"),
    [({"method": "accept_all"}, 409), ({"version": 99}, 404), ({"script": "0" * 16}, 409)],
)
def test_a_decision_that_is_refused_spends_once(
    settings: Settings, change: dict[str, Any], status: int
) -> None:
    app = create_app(replace(settings, decisions_per_minute=3))
    visitor = Visitor(app.test_client(use_cookies=False))
    wrong = visitor.decision() | change
    statuses = [visitor.send(wrong).status_code for _ in range(4)]
    assert statuses == [status, status, status, 429]
    app.extensions["consent"].database.close()


def test_an_unusual_spelling_is_recorded_all_the_same(
    visitor: Visitor, short_way: ShortWay
) -> None:
    body = spell(visitor.decision()).replace(b'"method"', b'"m\\u0065thod"')
    proven = {"QUERY_STRING": f"proof={visitor.proof}"}
    path = f"{visitor.address}/decisions"
    status, _, receipt = run(short_way, environ_of(path, body, **proven))
    assert status == "201 CREATED"
    assert json.loads(receipt)["site"] == visitor.site_key


@pytest.mark.parametrize("site_key", ["smilee", "nobody"])
def test_scripts_are_answered_alike(
    visitor: Visitor, short_way: ShortWay, long_way: Application, site_key: str
) -> None:
    path = f"{visitor.widget_path}/{site_key}.js"
    etag = visitor.client.get(f"{visitor.address}.js", headers=_BROWSER).headers["ETag"]
    encodings = ["", "gzip, deflate, br, zstd", "gzip,deflate", "br", "identity", "br;q=0", "*"]
    conditions = [
        *({}, {"HTTP_IF_NONE_MATCH": etag}, {"HTTP_IF_NONE_MATCH": f"W/{etag}"}),
        *({"HTTP_IF_NONE_MATCH": ""}, {"HTTP_IF_NONE_MATCH": "*"}, {"HTTP_IF_NONE_MATCH": '"old"'}),
        *({"HTTP_IF_NONE_MATCH": f'"old", {etag}'}, {"HTTP_SEC_GPC": "1"}, {"QUERY_STRING": "x"}),
        {"HTTP_RANGE": "bytes=0-9", "HTTP_IF_NONE_MATCH": etag},
        {"HTTP_IF_MODIFIED_SINCE": "Sun, 22 Nov 2026 16:47:00 GMT"},
    ]
    for accepted in encodings:
        for condition in conditions:
            asked = {"REQUEST_METHOD": "GET", "HTTP_ACCEPT_ENCODING": accepted, **condition}
            assert _without_date(run(short_way, environ_of(path, b"", **asked))) == _without_date(
                run(long_way, environ_of(path, b"", **asked))
            ), asked


def test_what_browsers_ask_for_is_sent_the_short_way(
    visitor: Visitor, only_short: ShortWay
) -> None:
    path, browser = f"{visitor.address}.js", {"HTTP_ACCEPT_ENCODING": "gzip, deflate, br, zstd"}
    status, headers, body = run(only_short, environ_of(path, b"", REQUEST_METHOD="GET", **browser))
    assert (status, dict(headers)["Content-Length"]) == ("200 OK", str(len(body)))
    known = {"HTTP_IF_NONE_MATCH": dict(headers)["ETag"]}
    again = run(only_short, environ_of(path, b"", REQUEST_METHOD="GET", **browser, **known))
    assert (again[0], again[2]) == ("304 NOT MODIFIED", b"")


def _without_date(answer: Answer) -> Answer:
    """Leave out the second in which it was given; that there is one, and where, stays."""
    headers = [(name, "" if name == "Date" else value) for name, value in answer[1]]
    return answer[0], headers, answer[2]
