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
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from flask import Flask
from flask.testing import FlaskClient

from consent_server.app import create_app
from consent_server.config import Settings
from tests.api.answers import read_problem
from tests.api.route_requests import BODIES, is_management, list_requests
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


def test_one_type_of_problem_has_one_title(client: FlaskClient) -> None:
    # RFC 9457, section 3.1.3: it does not change from one occurrence to the other.
    titles = {client.get(path).get_json()["title"] for path in ("/nothing", "/w/nobody.js")}
    assert titles == {"Not found"}


@pytest.mark.parametrize("path", ["/w//smilee.js", "/w//smilee/decisions", "/w/smilee//me"])
def test_no_address_leads_to_where_the_request_says_that_this_server_is(
    client: FlaskClient, path: str
) -> None:
    answer = client.get(path, headers={"Host": "elsewhere.example"})
    read_problem(answer, 404, "not_found")
    assert "Location" not in answer.headers


#: In the rules of routes that answer CORS preflights for the site's own origins.
_PREFLIGHTS = ("decision", "grants", "hand-over", "identify")


def test_an_unknown_site_is_404_on_every_route_that_names_one(
    app: Flask, visitor: Visitor, admin: FlaskClient, read_site: ReadSite
) -> None:
    decision = visitor.decision()
    for request in list_requests(app, site_key="nowhere"):
        if "<site_key>" not in request.rule or request.method in {"OPTIONS", "PUT"}:
            continue
        if is_management(request):
            answer = admin.open(request.path, method=request.method, json=BODIES.get(request.rule))
        elif request.method == "POST":
            body = BODIES.get(request.rule) or decision
            answer = visitor.client.post(request.path, json=body)
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
    without_database = {"page_files", "health.Health", "openapi", "well_known.GpcSupport"}
    decision, form = visitor.decision(), read_site("smilee")
    for request in list_requests(bare_app):
        body = BODIES.get(request.rule) or {"POST": decision, "PUT": form}.get(request.method)
        authorization = API_TOKEN if is_management(request) else visitor.subject_id
        answer = client.open(
            request.path,
            method=request.method,
            json=body,
            headers={"Authorization": f"Bearer {authorization}"},
            buffered=True,
        )
        if request.endpoint in without_database or (
            request.method == "OPTIONS" and not any(part in request.rule for part in _PREFLIGHTS)
        ):
            assert answer.status_code == 200, request
        else:
            code = "not_ready" if request.endpoint == "health.Readiness" else "unavailable"
            problem = read_problem(answer, 503, code)
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


def test_a_budget_that_is_used_up_is_429_and_says_when_to_come_back(settings: Settings) -> None:
    app = create_app(dataclasses.replace(settings, decisions_per_minute=2))
    visitor = Visitor(app.test_client(use_cookies=False))
    assert [visitor.reject_all().status_code for _ in range(2)] == [201, 201]
    answer = visitor.reject_all()
    read_problem(answer, 429, "too_many_requests")
    assert 1 <= int(answer.headers["Retry-After"]) < 35  # half a minute, and spread
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
