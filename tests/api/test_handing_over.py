"""Handing over: once, for a minute, to one address, and only for who came from the site."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from consent_server.rules.times import parse_time, spell_time
from consent_server.store.database import Database
from consent_server.store.models import ConsentEvent, HandOver, NoticeCount
from tests.api.answers import read_problem
from tests.conftest import ReadSite
from tests.visitor import Visitor

HOME = "http://127.0.0.1:8000"
OTHER = "https://www.example.fi"
ELSEWHERE = "https://www.example.se"


class Journey:
    """A visitor who decided at home and follows a link to the other domain."""

    def __init__(self, visitor: Visitor, app: Flask) -> None:
        self.visitor = visitor
        self.app = app
        self.subject_there = "f" * 32

    def ask(self, target: str = OTHER, subject_id: str = "") -> TestResponse:
        """Ask for a token, as the script does on a click."""
        return self.visitor.client.post(
            f"{self.visitor.address}/hand-over",
            json={"target": target},
            headers={
                "Authorization": f"Bearer {subject_id or self.visitor.subject_id}",
                "Origin": HOME,
            },
        )

    def token(self) -> str:
        """Return a fresh token."""
        answer = self.ask()
        assert answer.status_code == 201, answer.text
        found: str = answer.json["token"]
        return found

    def take(self, token: str, origin: str = OTHER, **changes: Any) -> TestResponse:
        """Use a token, as the script does on the page that it led to."""
        body = {"token": token, "subject_id": self.subject_there, "came_from": HOME}
        return self.visitor.client.post(
            f"{self.visitor.address}/hand-over/take",
            json=body | changes,
            headers={"Origin": origin},
        )

    def set_clock(self, now: datetime) -> None:
        """Let the server live at another time."""
        parts = self.app.extensions["consent"]
        self.app.extensions["consent"] = dataclasses.replace(parts, now=lambda: now)


def _publish(admin: FlaskClient, read_site: ReadSite, key: str = "smilee") -> None:
    site = read_site(key)
    site["origins"] = [HOME, OTHER, ELSEWHERE]
    site["hand_over"] = [OTHER, ELSEWHERE]
    answer = admin.put(f"/api/v1/sites/{key}", json=site)
    assert answer.status_code == 200, answer.text


@pytest.fixture
def journey(visitor: Visitor, admin: FlaskClient, read_site: ReadSite, app: Flask) -> Journey:
    _publish(admin, read_site)
    return Journey(visitor, app)


def test_the_decision_is_recorded_there_with_its_link_to_the_first(journey: Journey) -> None:
    first = journey.visitor.decide("google-analytics").json
    answer = journey.take(journey.token())
    assert answer.status_code == 201
    copy = answer.json
    for name in ("version", "language", "grants", "decided_at", "valid_until", "script_hash"):
        assert copy[name] == first[name], name
    assert (copy["method"], copy["layer"], copy["kind"]) == ("handover", "api", "given")
    assert copy["signals"] == {
        "copy_of": first["event_id"],
        "first_received_at": first["received_at"],
    }
    assert copy["event_id"] != first["event_id"]
    assert copy["subject_commitment"] != first["subject_commitment"]


def test_the_other_domain_gets_an_id_of_its_own(journey: Journey) -> None:
    journey.visitor.accept_all()
    answer = journey.take(journey.token())
    assert journey.visitor.subject_id not in answer.text
    journey.visitor.subject_id = journey.subject_there
    [own] = journey.visitor.read_decisions().json["decisions"]
    assert own["event_id"] == answer.json["event_id"]


def test_the_token_holds_nothing_and_the_database_keeps_its_hash_only(
    journey: Journey, database: Database
) -> None:
    journey.visitor.accept_all()
    token = journey.token()
    with database.read() as session:
        [row] = session.scalars(select(HandOver))
    assert token not in repr(vars(row))
    assert token.encode() not in row.token_hash
    assert journey.visitor.subject_id not in token


def test_a_second_use_is_refused(journey: Journey, database: Database) -> None:
    journey.visitor.accept_all()
    token = journey.token()
    assert journey.take(token).status_code == 201
    read_problem(journey.take(token), 409, "conflict")
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(ConsentEvent)) == 2


def test_after_a_minute_it_is_refused(journey: Journey) -> None:
    journey.visitor.accept_all()
    answer = journey.ask().json
    ends = parse_time(answer["expires_at"])
    journey.set_clock(ends)
    read_problem(journey.take(answer["token"]), 409, "conflict")
    journey.set_clock(ends - timedelta(milliseconds=1))
    assert journey.take(answer["token"]).status_code == 201


def test_old_tokens_go_when_a_new_one_is_made(journey: Journey, database: Database) -> None:
    journey.visitor.accept_all()
    ends = parse_time(journey.ask().json["expires_at"])
    journey.set_clock(ends)
    journey.ask()
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(HandOver)) == 1


def test_at_another_address_it_is_refused_and_not_used_up(journey: Journey) -> None:
    journey.visitor.accept_all()
    token = journey.token()
    read_problem(journey.take(token, ELSEWHERE), 409, "conflict")
    read_problem(journey.take(token, "https://evil.example"), 403, "wrong_origin")
    assert journey.take(token).status_code == 201


@pytest.mark.parametrize("came_from", ["", "https://evil.example", "null", f"{HOME}/"])
def test_who_did_not_come_from_the_site_is_refused(journey: Journey, came_from: str) -> None:
    """Else anybody could send people there with a consent of their own."""
    journey.visitor.accept_all()
    read_problem(journey.take(journey.token(), came_from=came_from), 403, "wrong_origin")


def test_a_program_without_an_origin_cannot_take_it(journey: Journey) -> None:
    journey.visitor.accept_all()
    body = {"token": journey.token(), "subject_id": "f" * 32, "came_from": HOME}
    answer = journey.visitor.client.post("/w/smilee/hand-over/take", json=body)
    read_problem(answer, 403, "wrong_origin")


def test_another_sites_token_is_refused(
    journey: Journey, admin: FlaskClient, read_site: ReadSite
) -> None:
    _publish(admin, read_site, "ujet")
    journey.visitor.accept_all()
    token = journey.token()
    other = Journey(Visitor(journey.visitor.client, "ujet"), journey.app)
    read_problem(other.take(token), 409, "conflict")


def test_an_address_that_the_site_does_not_name_gets_none(journey: Journey) -> None:
    journey.visitor.accept_all()
    for target in (HOME, "https://evil.example", "x"):
        read_problem(journey.ask(target), 409, "conflict")


def test_who_decided_nothing_has_nothing_to_hand_over(journey: Journey) -> None:
    read_problem(journey.ask(), 404, "not_found")
    read_problem(journey.ask(subject_id="1"), 401, "not_authorised")


def test_what_was_decided_or_erased_since_counts(journey: Journey, admin: FlaskClient) -> None:
    journey.visitor.accept_all()
    token, late = journey.token(), journey.token()
    journey.visitor.reject_all()
    assert not any(journey.take(token).json["grants"].values())
    erased = {"subject_id": journey.visitor.subject_id, "reason": "asked for"}
    assert admin.post("/api/v1/sites/smilee/erase", json=erased).status_code == 200
    read_problem(journey.take(late), 409, "conflict")


def test_a_later_decision_over_there_stays(journey: Journey) -> None:
    decided = parse_time(journey.visitor.accept_all().json["decided_at"])
    read_problem(journey.take(journey.token(), known_at=spell_time(decided)), 409, "conflict")
    before = spell_time(decided - timedelta(seconds=1))
    assert journey.take(journey.token(), known_at=before).status_code == 201


def test_a_decision_that_has_run_out_goes_nowhere(journey: Journey) -> None:
    receipt = journey.visitor.accept_all().json
    journey.set_clock(parse_time(receipt["valid_until"]))
    read_problem(journey.ask(), 409, "conflict")


def test_a_copy_of_a_copy_names_the_copy_and_the_first_receipt(journey: Journey) -> None:
    first = journey.visitor.accept_all().json
    copy = journey.take(journey.token()).json
    second = journey.ask(ELSEWHERE, journey.subject_there).json["token"]
    journey.subject_there = "e" * 32
    again = journey.take(second, ELSEWHERE).json
    assert again["signals"] == {
        "copy_of": copy["event_id"],
        "first_received_at": first["received_at"],
    }
    assert again["valid_until"] == first["valid_until"]


def test_a_copy_is_not_counted_as_an_answer(journey: Journey, database: Database) -> None:
    journey.visitor.accept_all()
    journey.take(journey.token())
    with database.read() as session:
        rows = session.scalars(select(NoticeCount)).all()
    assert sum(row.accepted + row.refused + row.saved + row.withdrawn for row in rows) == 1


def test_no_decision_can_call_itself_handed_over(journey: Journey) -> None:
    read_problem(journey.visitor.decide(method="handover"), 422, "invalid_form")
