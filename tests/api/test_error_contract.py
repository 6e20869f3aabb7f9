"""The error contract, walked over every route of the application.

Every error is application/problem+json (RFC 9457) with type, title, status and detail;
a form's errors also name each field by its path. Nothing of the inside is told.

400 unreadable body            401 no token or subject id      403 page of another origin
404 unknown site or record     405 method, with Allow          409 at odds with what is published
413 too large                  415 not JSON                    422 fields missing, unknown, wrong
429 budget, with Retry-After   500 our fault, logged           503 database, with Retry-After
"""

from __future__ import annotations

import dataclasses
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest
from flask import Flask
from flask.testing import FlaskClient

from consent_server.app import MAX_BODY_BYTES, create_app
from consent_server.config import Settings
from tests.api.answers import field_errors, read_problem
from tests.api.route_requests import is_management, list_requests
from tests.conftest import API_TOKEN, ReadSite
from tests.visitor import Visitor


@pytest.fixture
def bare_app(tmp_path: Path) -> Iterator[Flask]:
    """The application on a database that nobody upgraded: every query of it fails."""
    app = create_app(
        Settings(database_url=f"sqlite:///{tmp_path / 'bare.sqlite'}", api_token=API_TOKEN)
    )
    yield app
    app.extensions["consent"].database.close()


def test_a_method_that_a_route_lacks_is_405_with_what_is_allowed(
    app: Flask, client: FlaskClient
) -> None:
    for request in list_requests(app):
        for method in ("PATCH", "DELETE", "TRACE", "PROPFIND"):
            answer = client.open(request.path, method=method)
            problem = read_problem(answer, 405, "method_not_allowed")
            assert request.method in answer.headers["Allow"], request
            assert request.method in problem["detail"], request


def test_an_address_that_leads_nowhere_is_404(client: FlaskClient) -> None:
    for path in ("/nothing", "/w", "/w/", "/api/v1", "/w/smilee/versions/x", "/w/smilee.css"):
        read_problem(client.get(path), 404, "not_found")


def test_an_unknown_site_is_404_on_every_route_that_names_one(
    app: Flask, visitor: Visitor, admin: FlaskClient, read_site: ReadSite
) -> None:
    decision = visitor.decision()
    for request in list_requests(app, site_key="nowhere"):
        if "<site_key>" not in request.rule or request.method in {"OPTIONS", "PUT"}:
            continue
        if is_management(request):
            answer = admin.open(request.path, method=request.method)
        elif request.method == "POST":
            answer = visitor.client.post(request.path, json=decision)
        else:
            own = {"Authorization": f"Bearer {visitor.subject_id}"}
            answer = visitor.client.get(request.path, headers=own)
        problem = read_problem(answer, 404, "not_found")
        assert "nowhere" in problem["detail"], request


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        f"Basic {API_TOKEN}",
        f"Bearer {API_TOKEN}x",
        f"Bearer {API_TOKEN[:-1]}",
        f"Bearer {API_TOKEN} {API_TOKEN}",
        "Bearer AAAAAAAAAAAAAAAAAAAAAA",
        "Bearer tökén",
    ],
)
def test_management_without_the_token_is_401_on_every_route(
    app: Flask, client: FlaskClient, authorization: str | None
) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    walked = [request for request in list_requests(app) if is_management(request)]
    assert len(walked) > 10
    for request in walked:
        answer = client.open(request.path, method=request.method, headers=headers, json={})
        read_problem(answer, 401, "not_authorised")
        assert answer.headers["WWW-Authenticate"] == "Bearer", request


def test_management_is_closed_where_no_token_is_set(settings: Settings) -> None:
    app = create_app(dataclasses.replace(settings, api_token=""))
    for request in filter(is_management, list_requests(app)):
        answer = app.test_client().open(
            request.path, method=request.method, headers={"Authorization": "Bearer "}
        )
        assert "CONSENT_API_TOKEN" in read_problem(answer, 401)["detail"], request
    app.extensions["consent"].database.close()


@pytest.mark.parametrize("path", ["/w/smilee/decisions", "/w/smilee/decision"])
@pytest.mark.parametrize("authorization", [None, "Bearer short", f"Bearer {API_TOKEN}"])
def test_own_records_without_a_subject_id_are_401(
    client: FlaskClient, path: str, authorization: str | None
) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    read_problem(client.get(path, headers=headers), 401, "not_authorised")


def test_a_visitor_without_records_is_404(visitor: Visitor) -> None:
    own = {"Authorization": f"Bearer {visitor.subject_id}"}
    for path in ("/w/smilee/decisions", "/w/smilee/decision"):
        read_problem(visitor.client.get(path, headers=own), 404, "not_found")


def test_every_route_says_503_when_the_database_has_no_tables(
    bare_app: Flask, caplog: pytest.LogCaptureFixture, visitor: Visitor, read_site: ReadSite
) -> None:
    caplog.set_level(logging.CRITICAL)
    client = bare_app.test_client(use_cookies=False)
    without_database = {"page_files", "health.Health", "openapi"}
    decision, form = visitor.decision(), read_site("smilee")
    for request in list_requests(bare_app):
        body = {"POST": decision, "PUT": form}.get(request.method)
        authorization = API_TOKEN if is_management(request) else visitor.subject_id
        answer = client.open(
            request.path,
            method=request.method,
            json=body,
            headers={"Authorization": f"Bearer {authorization}"},
            buffered=True,
        )
        if request.endpoint in without_database or (
            request.method == "OPTIONS" and "decision" not in request.rule
        ):
            assert answer.status_code == 200, request
        else:
            problem = read_problem(answer, 503, "unavailable")
            assert int(answer.headers["Retry-After"]) > 0, request
            assert problem["detail"], request


def test_what_nobody_foresaw_is_500_and_tells_nothing(
    app: Flask, client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> NoReturn:
        raise RuntimeError("the secret of the inside")

    app.view_functions["health.Health"] = fail
    answer = client.get("/healthz")
    read_problem(answer, 500, "internal")
    assert "secret" not in answer.text
    assert "the secret of the inside" in caplog.text


def test_a_body_one_byte_too_large_is_413(visitor: Visitor) -> None:
    body = json.dumps(visitor.decision())
    for size, status in ((MAX_BODY_BYTES, 201), (MAX_BODY_BYTES + 1, 413)):
        answer = visitor.client.post(
            f"{visitor.address}/decisions",
            data=body + " " * (size - len(body)),
            content_type="application/json",
        )
        assert answer.status_code == status
    assert str(MAX_BODY_BYTES) in read_problem(answer, 413, "body_too_large")["detail"]


def test_a_site_one_byte_too_large_is_413(admin: FlaskClient) -> None:
    answer = admin.put(
        "/api/v1/sites/smilee", data=b" " * (1024 * 1024 + 1), content_type="application/json"
    )
    read_problem(answer, 413, "body_too_large")


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "",
        "json",
    ],
)
def test_a_body_that_is_not_called_json_is_415(
    visitor: Visitor, admin: FlaskClient, content_type: str
) -> None:
    body = json.dumps(visitor.decision())
    for answer in (
        visitor.client.post(f"{visitor.address}/decisions", data=body, content_type=content_type),
        admin.put("/api/v1/sites/smilee", data=body, content_type=content_type),
    ):
        assert "application/json" in read_problem(answer, 415)["detail"]


def test_a_compressed_body_is_415_and_never_inflated(visitor: Visitor) -> None:
    answer = visitor.send(visitor.decision(), headers={"Content-Encoding": "gzip"})
    read_problem(answer, 415)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b"{}{}",
        b"{'a': 1}",
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": 1, "a": 2}',
        b'{"a": {"b": 1, "b": 1}}',
        b'{"a": "\xff"}',
        b'{"a": "\\ud800"}',
        b'{"\\udfff": 1}',
        b'{"a": ' + b"9" * 5000 + b"}",
        b"[" * 8000,
        b'{"a":' * 2500,
        b"\xef\xbb\xbf{}",
        '{"a": 1}'.encode("utf-16"),
        b"\x00",
    ],
    ids=lambda body: ascii(body[:20]),
)
def test_a_body_that_is_not_json_with_one_meaning_is_400(
    client: FlaskClient, admin: FlaskClient, body: bytes
) -> None:
    for answer in (
        client.post("/w/smilee/decisions", data=body, content_type="application/json"),
        admin.put("/api/v1/sites/smilee", data=body, content_type="application/json"),
    ):
        read_problem(answer, 400, "bad_request")


@pytest.mark.parametrize("body", ["null", "[]", '"text"', "1", "true", "1e400", "[[]]"])
def test_json_that_is_no_object_is_422(client: FlaskClient, body: str) -> None:
    answer = client.post("/w/smilee/decisions", data=body, content_type="application/json")
    read_problem(answer, 422, "invalid_form")


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"decision_id": None}, "decision_id"),
        ({"decision_id": "7F3F2D7E-64D6-4D0A-9D0D-54E2B1A7C001"}, "decision_id"),
        ({"decision_id": "7f3f2d7e-64d6-1d0a-9d0d-54e2b1a7c001"}, "decision_id"),
        ({"decision_id": "7f3f2d7e-64d6-4d0a-9d0d-54e2b1a7c001\n"}, "decision_id"),
        ({"subject_id": ""}, "subject_id"),
        ({"subject_id": "0" * 31}, "subject_id"),
        ({"subject_id": "0" * 33}, "subject_id"),
        ({"subject_id": "0" * 32 + "\n"}, "subject_id"),
        ({"subject_id": 1}, "subject_id"),
        ({"method": "ask"}, "method"),
        ({"method": "__class__"}, "method"),
        ({"layer": []}, "layer"),
        ({"version": 0}, "version"),
        ({"version": -1}, "version"),
        ({"version": 1.5}, "version"),
        ({"version": 1e300}, "version"),
        ({"version": "1"}, "version"),
        ({"version": True}, "version"),
        ({"version": 2**60}, "version"),
        ({"script": "X" * 16}, "script"),
        ({"language": ""}, "language"),
        ({"language": "x" * 17}, "language"),
        ({"grants": {}}, "grants"),
        ({"grants": []}, "grants"),
        ({"grants": {"analytics": "yes"}}, "grants.analytics"),
        ({"grants": {"analytics": 1}}, "grants.analytics"),
        ({"grants": {"analytics": None}}, "grants.analytics"),
        ({"grants": {"__proto__": True}}, "grants.__proto__"),
        ({"grants": {"constructor.prototype": True}}, "grants.constructor.prototype"),
        ({"grants": {"a" * 41: True}}, "grants." + "a" * 41),
        ({"grants": {"a\x00": True}}, "grants.a\x00"),
        ({"grants": {f"k{n}": False for n in range(401)}}, "grants"),
        ({"decided_at": "yesterday"}, "decided_at"),
        ({"decided_at": "2026-11-22T16:47:00"}, "decided_at"),
        ({"decided_at": "2026-02-30T16:47:00Z"}, "decided_at"),
        ({"decided_at": "10000-01-01T00:00:00Z"}, "decided_at"),
        ({"decided_at": 0}, "decided_at"),
        ({"__proto__": {"admin": True}}, "__proto__"),
        ({"ip": "203.0.113.1"}, "ip"),
    ],
    ids=lambda value: ascii(value)[:50],
)
def test_a_wrong_field_is_422_and_named(
    visitor: Visitor, changes: dict[str, Any], path: str
) -> None:
    problem = read_problem(visitor.send(visitor.decision(**changes)), 422, "invalid_form")
    assert list(field_errors(problem)) == [path]


def test_every_missing_field_is_422_and_named(visitor: Visitor) -> None:
    whole = visitor.decision()
    for name in whole:
        decision = {key: value for key, value in whole.items() if key != name}
        problem = read_problem(visitor.send(decision), 422, "invalid_form")
        assert list(field_errors(problem)) == [name]
    assert sorted(field_errors(read_problem(visitor.send({}), 422))) == sorted(whole)


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"version": 2}, 404),
        ({"script": "0" * 16}, 409),
        ({"language": "zz"}, 409),
        ({"language": "\x00\x00"}, 409),
        ({"language": "\u202esv"}, 409),
        ({"grants": {"analytics": False}}, 409),
        ({"grants": {"constructor": False}}, 409),
        ({"method": "accept_all"}, 409),
    ],
    ids=ascii,
)
def test_a_decision_at_odds_with_the_version_is_refused(
    visitor: Visitor, changes: dict[str, Any], status: int
) -> None:
    read_problem(visitor.send(visitor.decision(**changes)), status)


@pytest.mark.parametrize("query", ["format=xml", "from=now", "to=2026", "unknown=1", "format="])
def test_a_wrong_query_is_422_and_named(admin: FlaskClient, query: str) -> None:
    problem = read_problem(admin.get(f"/api/v1/sites/smilee/export?{query}"), 422, "invalid_form")
    assert list(field_errors(problem)) == [query.partition("=")[0]]


def test_a_budget_that_is_used_up_is_429_and_says_when_to_come_back(settings: Settings) -> None:
    app = create_app(dataclasses.replace(settings, decisions_per_minute=2))
    visitor = Visitor(app.test_client(use_cookies=False))
    assert [visitor.reject_all().status_code for _ in range(2)] == [201, 201]
    answer = visitor.reject_all()
    read_problem(answer, 429, "too_many_requests")
    assert answer.headers["Retry-After"] == "60"
    elsewhere = visitor.send(visitor.decision(), environ_base={"REMOTE_ADDR": "127.0.0.2"})
    assert elsewhere.status_code == 201
    app.extensions["consent"].database.close()


def test_the_budget_of_one_site_leaves_the_others_alone(settings: Settings) -> None:
    app = create_app(dataclasses.replace(settings, site_decisions_per_minute=1))
    visitor = Visitor(app.test_client(use_cookies=False))
    assert visitor.reject_all().status_code == 201
    read_problem(visitor.reject_all(), 429)
    visitor.site_key = "jackbot"
    assert visitor.reject_all().status_code == 201
    app.extensions["consent"].database.close()


@pytest.mark.parametrize(("proxies", "status"), [(0, 429), (1, 201)])
def test_who_asks_is_told_by_trusted_proxies_only(
    settings: Settings, proxies: int, status: int
) -> None:
    app = create_app(dataclasses.replace(settings, decisions_per_minute=1, trusted_proxies=proxies))
    visitor = Visitor(app.test_client(use_cookies=False))
    answers = [
        visitor.send(visitor.decision(), headers={"X-Forwarded-For": f"203.0.113.{number}"})
        for number in (1, 2)
    ]
    assert [answer.status_code for answer in answers] == [201, status]
    app.extensions["consent"].database.close()


@pytest.mark.parametrize(
    "path",
    [
        "/w/%00.js",
        "/w/%ff.js",
        "/w/%ED%A0%80/versions",
        "/w/a%0d%0ab.js",
        "/w/..%2f..%2fetc%2fpasswd.js",
        "/w/smilee/versions/0",
        "/w/smilee/versions/99999999999999999999",
        "/w/smilee/versions/" + "9" * 5000,
        "/w/smilee/" + "G" * 64 + ".js",
        "/w/" + "a" * 5000 + ".js",
        "/pages/..%2f..%2fpyproject.toml",
        "/pages/%00",
    ],
    ids=lambda path: path[:40],
)
def test_a_hostile_address_is_404(client: FlaskClient, path: str) -> None:
    read_problem(client.get(path), 404)
