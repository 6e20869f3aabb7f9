"""The decision cookie over HTTP: what the widget wrote, only where the page reads it."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from http.cookies import Morsel, SimpleCookie

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from consent_server.app import create_app
from consent_server.config import Settings
from consent_server.rules.cookie import StoredDecision, parse_cookie, spell_cookie
from consent_server.rules.times import parse_time, spell_time
from tests.conftest import ReadSite
from tests.visitor import Visitor

DAY = 86_400
ORIGIN = "http://127.0.0.1:8000"


def read_cookie(answer: TestResponse) -> Morsel[str] | None:
    assert answer.status_code in {200, 201}, answer.text
    jar = SimpleCookie(answer.headers.get("Set-Cookie", ""))
    return jar.get("consent_smilee")


def test_the_cookie_is_the_one_that_the_widget_writes(visitor: Visitor) -> None:
    decision = visitor.decision("google-analytics")
    cookie = read_cookie(visitor.send(decision))
    assert cookie is not None
    stored = parse_cookie(cookie.value)
    assert stored == StoredDecision(
        version=decision["version"],
        decided_at=parse_time(decision["decided_at"]).replace(microsecond=0),
        subject_id=visitor.subject_id,
        grants=decision["grants"],
    )
    assert list(stored.grants) == list(decision["grants"])


def test_its_attributes_keep_it_on_the_site_for_as_long_as_it_is_valid(visitor: Visitor) -> None:
    answer = visitor.decide()
    cookie = read_cookie(answer)
    assert cookie is not None
    assert (cookie["path"], cookie["samesite"], cookie["domain"]) == ("/", "Lax", "")
    # The page's own script reads it: HttpOnly would make it ask again.
    assert not cookie["httponly"]
    assert not cookie["secure"]
    assert 180 * DAY - 60 <= int(cookie["max-age"]) <= 180 * DAY


def test_over_https_it_is_secure(visitor: Visitor) -> None:
    cookie = read_cookie(visitor.send(visitor.decision(), base_url="https://consent.example"))
    assert cookie is not None
    assert cookie["secure"]


def test_a_proxy_that_is_trusted_says_whether_it_is_https(settings: Settings) -> None:
    app = create_app(dataclasses.replace(settings, trusted_proxies=1))
    visitor = Visitor(app.test_client(use_cookies=False))
    answer = visitor.send(visitor.decision(), headers={"X-Forwarded-Proto": "https"})
    cookie = read_cookie(answer)
    assert cookie is not None
    assert cookie["secure"]
    app.extensions["consent"].database.close()


def test_a_retry_days_later_does_not_make_it_live_longer(visitor: Visitor) -> None:
    earlier = spell_time(datetime.now(UTC) - timedelta(days=100))
    cookie = read_cookie(visitor.decide(decided_at=earlier))
    assert cookie is not None
    assert 80 * DAY - 60 <= int(cookie["max-age"]) <= 80 * DAY


@pytest.mark.parametrize("clock", ["0001-01-01T00:00:00Z", "2020-01-01T00:00:00Z"])
def test_a_decision_that_has_run_out_sets_no_cookie(visitor: Visitor, clock: str) -> None:
    assert read_cookie(visitor.decide(decided_at=clock)) is None


def test_a_clock_in_the_future_gives_no_more_than_the_whole_life(visitor: Visitor) -> None:
    cookie = read_cookie(visitor.decide(decided_at="9999-12-31T23:59:59Z"))
    assert cookie is not None
    assert int(cookie["max-age"]) == 180 * DAY


def test_a_late_answer_never_undoes_a_newer_choice(visitor: Visitor) -> None:
    early = visitor.decision(*visitor.services())
    moment = parse_time(early["decided_at"])
    newer = spell_cookie(
        StoredDecision(1, moment + timedelta(seconds=5), visitor.subject_id, visitor.grants())
    )
    answer = visitor.send(early, headers={"Cookie": f"consent_smilee={newer}"})
    assert read_cookie(answer) is None
    older = spell_cookie(
        StoredDecision(1, moment - timedelta(days=5), visitor.subject_id, visitor.grants())
    )
    answer = visitor.send(early, headers={"Cookie": f"consent_smilee={older}; other=1"})
    assert read_cookie(answer) is not None


def test_a_page_on_another_host_gets_no_cookie_that_it_could_not_read(visitor: Visitor) -> None:
    decision = visitor.decision()
    elsewhere = visitor.send(
        decision, headers={"Origin": ORIGIN}, base_url="https://consent.example"
    )
    assert read_cookie(elsewhere) is None
    at_home = visitor.send(decision, headers={"Origin": ORIGIN}, base_url=ORIGIN)
    assert read_cookie(at_home) is not None


@pytest.mark.parametrize(
    ("host", "domain"),
    [
        ("https://consent.example.com", "example.com"),
        ("https://example.com", "example.com"),
        ("https://notexample.com", None),
        ("https://consent.example.org", None),
    ],
)
def test_a_cookie_domain_is_set_only_from_inside_it(
    visitor: Visitor, admin: FlaskClient, read_site: ReadSite, host: str, domain: str | None
) -> None:
    form = read_site("smilee") | {"cookie_domain": "example.com"}
    assert admin.put("/api/v1/sites/smilee", json=form).status_code == 200
    cookie = read_cookie(visitor.send(visitor.decision(), base_url=host))
    assert (cookie["domain"] if cookie else None) == domain
