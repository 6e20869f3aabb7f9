"""Bad requests: whatever is sent, the answer says what is wrong and where, never a 5xx."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from consent_server.api.management import MAX_SITE_BYTES
from consent_server.app import MAX_BODY_BYTES
from tests.api.answers import field_errors, read_problem
from tests.conftest import ReadSite
from tests.visitor import Visitor


def test_a_body_one_byte_too_large_is_413(visitor: Visitor) -> None:
    body = json.dumps(visitor.decision())
    for size, status in ((MAX_BODY_BYTES, 201), (MAX_BODY_BYTES + 1, 413)):
        answer = visitor.client.post(
            f"{visitor.address}/decisions?proof={visitor.proof}",
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


def test_a_body_in_chunks_is_read_to_its_end_or_refused(
    visitor: Visitor, admin: FlaskClient, read_site: ReadSite
) -> None:
    decision, site = json.dumps(visitor.decision()), json.dumps(read_site("smilee"))
    ways = [
        (visitor.client.post, f"{visitor.address}/decisions?proof={visitor.proof}", decision),
        (admin.put, "/api/v1/sites/smilee?dry_run=true", site),
    ]
    for send, address, body in ways:
        limit = MAX_SITE_BYTES if address.startswith("/api") else MAX_BODY_BYTES
        whole = body + " " * (limit - len(body.encode()))
        refused = send_in_chunks(send, address, f"{whole}}}garbage")
        assert str(limit) in read_problem(refused, 413, "body_too_large")["detail"]
        assert send_in_chunks(send, address, whole).status_code in {200, 201}


def test_a_form_in_chunks_is_read_to_its_end_or_refused(client: FlaskClient) -> None:
    for page in ("choose", "me"):
        form = f"csrf=x&a={'b' * MAX_BODY_BYTES}"
        answer = send_in_chunks(
            client.post, f"/w/smilee/{page}", form, "application/x-www-form-urlencoded"
        )
        assert answer.status_code == 413


def test_a_body_in_chunks_that_is_not_called_json_is_415(admin: FlaskClient) -> None:
    answer = send_in_chunks(admin.post, "/api/v1/sites/smilee/erase", "{}", "text/plain")
    read_problem(answer, 415)


def send_in_chunks(
    send: Callable[..., TestResponse],
    address: str,
    body: str,
    content_type: str = "application/json",
) -> TestResponse:
    """Send a body as the server hands on one whose length nobody told."""
    return send(
        address,
        input_stream=io.BytesIO(body.encode()),
        content_type=content_type,
        headers={"Transfer-Encoding": "chunked"},
        environ_overrides={"wsgi.input_terminated": True},
    )


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


@pytest.mark.parametrize("to", ["2026-01-01T00:00:00Z", "2025-12-31T23:59:59Z"])
@pytest.mark.parametrize("what", ["export", "export/versions"])
def test_a_period_without_any_time_is_409(admin: FlaskClient, what: str, to: str) -> None:
    address = f"/api/v1/sites/smilee/{what}?from=2026-01-01T00:00:00Z&to={to}"
    problem = read_problem(admin.get(address), 409, "conflict")
    assert "`from` must lie before `to`" in problem["detail"]


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
