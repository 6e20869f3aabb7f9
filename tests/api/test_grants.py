"""Grants for the site's own server: what holds now, for who knows the secret id."""

from __future__ import annotations

import dataclasses

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from consent_server.app import create_app
from consent_server.config import Settings
from consent_server.rules.times import parse_time
from tests.api.answers import read_problem
from tests.conftest import ReadSite
from tests.visitor import Visitor


def _ask(visitor: Visitor, subject_id: str = "", **headers: str) -> TestResponse:
    own = {"Authorization": f"Bearer {subject_id or visitor.subject_id}"}
    return visitor.client.get(f"{visitor.address}/grants", headers=own | headers)


def test_it_says_what_the_last_decision_allows(visitor: Visitor) -> None:
    visitor.accept_all()
    receipt = visitor.decide("google-analytics").json
    answer = _ask(visitor)
    assert answer.json == {
        "site": "smilee",
        "grants": visitor.grants("google-analytics"),
        "asked": True,
        "decided": True,
        "version": 1,
        "decided_at": receipt["decided_at"],
        "valid_until": receipt["valid_until"],
    }
    assert answer.headers["Cache-Control"] == "no-store"


def test_what_is_new_since_then_is_not_allowed(
    visitor: Visitor, admin: FlaskClient, read_site: ReadSite
) -> None:
    visitor.accept_all()
    site = read_site("smilee")
    site["services"].append({"use": "hotjar", "category": "analytics", "retention": "1y"})
    assert admin.put("/api/v1/sites/smilee", json=site).status_code == 200
    found = _ask(visitor).json
    assert found["decided"] is False
    assert found["grants"]["google-analytics"] is True
    assert found["grants"]["hotjar"] is found["grants"]["analytics"] is False


def test_after_its_days_nothing_is_allowed(app: Flask, visitor: Visitor) -> None:
    receipt = visitor.accept_all().json
    parts = app.extensions["consent"]
    ends = parse_time(receipt["valid_until"])
    app.extensions["consent"] = dataclasses.replace(parts, now=lambda: ends)
    found = _ask(visitor).json
    assert found["decided"] is False
    assert not any(found["grants"].values())


def test_an_erased_visitor_has_none(visitor: Visitor, admin: FlaskClient) -> None:
    visitor.accept_all()
    body = {"subject_id": visitor.subject_id, "reason": "asked for"}
    assert admin.post("/api/v1/sites/smilee/erase", json=body).status_code == 200
    read_problem(_ask(visitor), 404, "not_found")


@pytest.mark.parametrize("subject_id", ["0" * 31, "x" * 32, "Z"])
def test_what_is_no_subject_id_is_refused(visitor: Visitor, subject_id: str) -> None:
    read_problem(_ask(visitor, subject_id), 401, "not_authorised")


def test_pages_of_others_may_not_ask(visitor: Visitor) -> None:
    visitor.accept_all()
    read_problem(_ask(visitor, Origin="https://evil.example"), 403, "wrong_origin")


def test_guessing_is_limited_and_asking_for_what_is_there_is_not(settings: Settings) -> None:
    app = create_app(dataclasses.replace(settings, decisions_per_minute=3))
    visitor = Visitor(app.test_client(use_cookies=False))
    visitor.accept_all()
    assert [_ask(visitor).status_code for _ in range(9)] == [200] * 9
    guesses = [_ask(visitor, "0" * 32).status_code for _ in range(4)]
    app.extensions["consent"].database.close()
    assert guesses == [404, 404, 429, 429]
