"""Errors as people meet them: a page with what to do, where programs get a problem as ever."""

from __future__ import annotations

import re
from typing import NoReturn

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from consent_server.languages import LANGUAGES
from consent_server.texts import translate
from tests.api.answers import read_problem
from tests.api.route_requests import is_management, list_requests
from tests.conftest import API_TOKEN

#: What browsers send for a page.
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
PERSON = {"Accept": BROWSER}
NO_PAGE = "There is no such page"
#: Mistyped, or made up: no route, no site, no version, a page of the demo, a file.
NOWHERE = (
    "/nothing",
    "/w/",
    "/w/smilee.jss",
    "/w/nobody.js",
    "/w/nobody/me",
    "/w/nobody/choose",
    "/w/nobody/versions",
    "/w/smilee/versions/99",
    "/w/smilee/versions/x",
    "/w//smilee/me",
    "/demo/nobody/",
    "/demo/smilee/nothing",
    "/pages/nothing.css",
)


def _read_page(answer: TestResponse, status: int, language: str = "en") -> str:
    assert answer.status_code == status, answer.text
    assert answer.mimetype == "text/html"
    page = answer.text
    assert f'<html lang="{language}"' in page
    assert str(status) in page
    assert {"Accept", "Accept-Language"} <= set(answer.vary)
    assert answer.headers["Cache-Control"] == "no-store"
    # Nothing of others, and no script: whatever the page is told, it does not run.
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "<script" not in page
    assert not re.findall(r'(?:src|href)="(?!/pages/)', page)
    return page


@pytest.mark.parametrize("path", NOWHERE)
def test_a_person_at_an_address_that_leads_nowhere_is_told_what_to_do(
    client: FlaskClient, path: str
) -> None:
    page = _read_page(client.get(path, headers=PERSON), 404)
    assert f"<h1>{NO_PAGE}</h1>" in page
    assert "whether the address is written correctly" in page
    assert "openapi" not in page


@pytest.mark.parametrize("accept", [None, "*/*", "application/json", f"application/json,{BROWSER}"])
def test_who_asks_for_no_page_gets_the_problem(client: FlaskClient, accept: str | None) -> None:
    headers = {} if accept is None else {"Accept": accept}
    for path in NOWHERE:
        answer = client.get(path, headers=headers)
        read_problem(answer, 404, "not_found")
        # Or a cache in between would hand people the problem.
        assert "Accept" in answer.vary, path


def test_management_answers_in_json_whoever_asks(app: Flask, client: FlaskClient) -> None:
    token = {"Authorization": f"Bearer {API_TOKEN}"}
    for request in filter(is_management, list_requests(app)):
        read_problem(client.open(request.path, method=request.method, headers=PERSON), 401)
    for path in ("/api/v1", "/api/v1/nothing", "/api/v1/sites/nobody"):
        read_problem(client.get(path, headers={**PERSON, **token}), 404, "not_found")


def test_what_machines_read_stays_json_in_a_browser(client: FlaskClient) -> None:
    # An operator looks at these, and at what they say is wrong.
    read_problem(client.get("/w/smilee/decisions", headers=PERSON), 401)
    read_problem(client.get("/w/smilee/ledger/proof", headers=PERSON), 422)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_speaks_the_readers_language(client: FlaskClient, language: str) -> None:
    asked = client.get("/nothing", headers={**PERSON, "Accept-Language": f"{language},en;q=0.5"})
    for answer in (asked, client.get(f"/nothing?language={language}", headers=PERSON)):
        page = _read_page(answer, 404, language)
        assert f"<h1>{translate(language, NO_PAGE)}</h1>" in page
        assert f'dir="{"rtl" if language == "ar" else "ltr"}"' in page


def test_a_method_that_a_page_lacks_says_that_there_is_no_page(client: FlaskClient) -> None:
    answer = client.get("/w/smilee/hand-over/take", headers=PERSON)
    assert f"<h1>{NO_PAGE}</h1>" in _read_page(answer, 405)
    assert "POST" in answer.headers["Allow"]


@pytest.mark.parametrize(
    ("form", "origin", "status"),
    [
        ({}, "http://localhost", 422),
        ({"subject_id": "0" * 32, "action": "show"}, "https://elsewhere.example", 403),
        ({"action": "x" * 20_000}, "http://localhost", 413),
    ],
)
def test_a_form_that_is_refused_says_what_to_do(
    client: FlaskClient, form: dict[str, str], origin: str, status: int
) -> None:
    headers = {**PERSON, "Origin": origin}
    page = _read_page(client.post("/w/smilee/me", data=form, headers=headers), status)
    assert "Go back, load that page again, and try once more." in page
    read_problem(client.post("/w/smilee/me", data=form, headers={"Origin": origin}), status)


def test_a_fault_of_the_server_asks_to_come_again_and_tells_nothing(
    app: Flask, client: FlaskClient
) -> None:
    def fail(**_: str) -> NoReturn:
        raise RuntimeError("the secret of the inside")

    app.view_functions["own_page.OwnPage"] = fail
    page = _read_page(client.get("/w/smilee/me", headers=PERSON), 500)
    assert "Please try again in a few minutes." in page
    assert "secret" not in page


def test_nothing_of_the_request_becomes_markup(client: FlaskClient) -> None:
    page = client.get("/w/<b>nobody/me", headers=PERSON).text
    assert "&lt;b&gt;nobody" in page
    assert "<b>" not in page
