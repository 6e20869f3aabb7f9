"""Origins: the site's own pages, and no other page of the web."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from tests.api.answers import read_problem
from tests.visitor import Visitor

OWN = "http://127.0.0.1:8000"
FOREIGN = [
    "null",
    "",
    "http://127.0.0.1:8001",
    "https://127.0.0.1:8000",
    "http://127.0.0.1:8000.evil.example",
    "http://127.0.0.1:8000/",
    "http://127.0.0.1:8000@evil.example",
    "HTTP://127.0.0.1:8000",
    "https://evil.example",
    "*",
]


def test_the_sites_own_page_may_send_and_read(visitor: Visitor) -> None:
    answer = visitor.send(visitor.decision(), headers={"Origin": OWN})
    assert answer.status_code == 201
    assert answer.headers["Access-Control-Allow-Origin"] == OWN
    assert answer.headers["Access-Control-Allow-Credentials"] == "true"
    assert "Origin" in answer.headers["Vary"]


def test_the_sites_own_page_can_read_errors_too(visitor: Visitor) -> None:
    answer = visitor.send({}, headers={"Origin": OWN})
    read_problem(answer, 422)
    assert answer.headers["Access-Control-Allow-Origin"] == OWN
    assert answer.headers["Access-Control-Expose-Headers"] == "Retry-After"


@pytest.mark.parametrize("origin", FOREIGN)
def test_a_page_elsewhere_may_neither_send_nor_read(visitor: Visitor, origin: str) -> None:
    headers = {"Origin": origin, "Authorization": f"Bearer {visitor.subject_id}"}
    decision = visitor.decision()
    for answer in (
        visitor.send(decision, headers=headers),
        visitor.client.get(f"{visitor.address}/decisions", headers=headers),
        visitor.client.get(f"{visitor.address}/decision", headers=headers),
    ):
        read_problem(answer, 403, "wrong_origin")
        assert "Access-Control-Allow-Origin" not in answer.headers
    assert visitor.send(decision).status_code == 201


def test_a_page_on_our_own_host_needs_no_entry(visitor: Visitor) -> None:
    host = "https://www.example.com"
    answer = visitor.send(visitor.decision(), headers={"Origin": host}, base_url=host)
    assert answer.status_code == 201


@pytest.mark.parametrize("path", ["decisions", "decision"])
def test_a_preflight_of_the_sites_own_page_says_what_may_be_sent(
    visitor: Visitor, path: str
) -> None:
    answer = visitor.client.options(
        f"{visitor.address}/{path}",
        headers={"Origin": OWN, "Access-Control-Request-Method": "POST"},
    )
    assert (answer.status_code, answer.data) == (204, b"")
    assert answer.headers["Access-Control-Allow-Origin"] == OWN
    assert ("POST" in answer.headers["Access-Control-Allow-Methods"]) == (path == "decisions")
    assert "Content-Type" in answer.headers["Access-Control-Allow-Headers"]
    assert int(answer.headers["Access-Control-Max-Age"]) > 0


@pytest.mark.parametrize("origin", FOREIGN)
def test_a_preflight_from_elsewhere_allows_nothing(visitor: Visitor, origin: str) -> None:
    answer = visitor.client.options(f"{visitor.address}/decisions", headers={"Origin": origin})
    assert not [name for name, _ in answer.headers if name.startswith("Access-Control-")]


def test_management_is_open_to_no_page(admin: FlaskClient) -> None:
    for answer in (
        admin.get("/api/v1/sites", headers={"Origin": OWN}),
        admin.options("/api/v1/sites", headers={"Origin": OWN}),
    ):
        assert not [name for name, _ in answer.headers if name.startswith("Access-Control-")]
