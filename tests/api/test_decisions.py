"""Decisions: recorded once, acknowledged after the commit, shown to their visitor only."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from consent_server.rules.decision import Kind
from consent_server.store.database import Database
from consent_server.store.models import ConsentEvent, LedgerQueue, NoticeCount, SubjectData
from tests.api.answers import read_problem
from tests.visitor import Visitor


def count(database: Database, table: Any) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_a_new_decision_is_201_with_its_receipt(visitor: Visitor, database: Database) -> None:
    decision = visitor.decision("google-analytics")
    answer = visitor.send(decision)
    receipt = answer.json
    assert answer.status_code == 201
    assert receipt is not None
    for name in ("method", "layer", "version", "language", "grants", "decided_at"):
        assert receipt[name] == decision[name]
    assert receipt["event_id"] == decision["decision_id"]
    assert receipt["site"] == "smilee"
    assert receipt["kind"] == "given"
    assert "subject_id" not in receipt
    with database.read() as session:
        row = session.scalars(select(ConsentEvent)).one()
        waiting = session.get_one(LedgerQueue, (row.site_id, row.received_at, row.event_id))
    assert waiting.leaf_hash.hex() == receipt["leaf_hash"]
    assert row.said.grants == decision["grants"]


def test_the_same_decision_again_is_200_with_the_same_receipt(
    visitor: Visitor, database: Database
) -> None:
    decision = visitor.decision()
    first = visitor.send(decision)
    for _ in range(3):
        again = visitor.send(decision)
        assert (again.status_code, again.json) == (200, first.json)
    assert count(database, ConsentEvent) == count(database, SubjectData) == 1


def test_a_retry_after_a_later_decision_changes_nothing(visitor: Visitor) -> None:
    yes = visitor.decision(*visitor.services())
    first = visitor.send(yes)
    visitor.withdraw()
    assert visitor.send(yes).json == first.json
    listed = visitor.read_decisions().json
    assert listed is not None
    assert [receipt["kind"] for receipt in listed["decisions"]] == ["withdrawn", "given"]


@pytest.mark.parametrize(
    "changes",
    [
        {"subject_id": "0" * 32},
        {"decided_at": "2026-01-01T00:00:00.000Z"},
        {"language": "fi"},
        {"layer": "preferences"},
        {"method": "save"},
        {"signal": "gpc"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_another_decision_under_the_same_id_is_409_and_the_first_stays(
    visitor: Visitor, database: Database, changes: dict[str, Any]
) -> None:
    decision = visitor.decision()
    first = visitor.send(decision).json
    read_problem(visitor.send({**decision, **changes}), 409, "conflict")
    assert visitor.send(decision).json == first
    assert count(database, ConsentEvent) == 1


def test_other_grants_under_the_same_id_are_409(visitor: Visitor) -> None:
    decision = visitor.decision("google-analytics")
    visitor.send(decision)
    other = {**decision, "grants": visitor.grants("smilee-chat")}
    read_problem(visitor.send(other), 409, "conflict")


def test_one_id_on_two_sites_is_two_decisions(visitor: Visitor, database: Database) -> None:
    decision_id = str(uuid4())
    assert visitor.decide(decision_id=decision_id).status_code == 201
    visitor.site_key = "jackbot"
    assert visitor.decide(decision_id=decision_id).status_code == 201
    assert count(database, ConsentEvent) == 2


def test_a_life_of_decisions_is_named_step_by_step(visitor: Visitor) -> None:
    steps = [
        (visitor.reject_all, Kind.REFUSED),
        (visitor.accept_all, Kind.GIVEN),
        (lambda: visitor.decide("google-analytics"), Kind.CHANGED),
        (visitor.withdraw, Kind.WITHDRAWN),
        (visitor.reject_all, Kind.REFUSED),
    ]
    for step, kind in steps:
        answer = step()
        assert answer.json is not None
        assert answer.json["kind"] == kind
    listed = visitor.read_decisions().json
    assert listed is not None
    assert [receipt["kind"] for receipt in listed["decisions"]] == [
        kind for _, kind in reversed(steps)
    ]


def test_the_current_decision_is_the_newest(visitor: Visitor) -> None:
    visitor.accept_all()
    newest = visitor.withdraw().json
    own = {"Authorization": f"Bearer {visitor.subject_id}"}
    assert visitor.client.get(f"{visitor.address}/decision", headers=own).json == newest


def test_nobody_sees_the_records_of_another(visitor: Visitor, client: FlaskClient) -> None:
    visitor.accept_all()
    read_problem(Visitor(client).read_decisions(), 404)
    visitor.site_key = "jackbot"
    read_problem(visitor.read_decisions(), 404)


def test_a_visitor_of_a_retired_site_still_sees_their_records(
    visitor: Visitor, admin: FlaskClient
) -> None:
    decision = visitor.decision()
    visitor.send(decision)
    assert admin.post("/api/v1/sites/smilee/retire").status_code == 200
    assert visitor.read_decisions().status_code == 200
    read_problem(visitor.send({**decision, "decision_id": str(uuid4())}), 404)


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z"])
def test_a_wrong_clock_is_recorded_as_a_claim_beside_our_own_time(
    visitor: Visitor, moment: str
) -> None:
    receipt = visitor.decide(decided_at=moment).json
    assert receipt is not None
    assert receipt["decided_at"] == moment
    assert "2020" < receipt["received_at"] < receipt["valid_until"] < "2999"


def test_the_totals_of_a_day_count_without_naming_anybody(
    visitor: Visitor, client: FlaskClient, database: Database
) -> None:
    visitor.accept_all()
    visitor.withdraw()
    Visitor(client).reject_all()
    Visitor(client).decide("google-analytics")
    with database.read() as session:
        total = session.scalars(select(NoticeCount)).one()
    assert (total.accepted, total.withdrawn, total.refused, total.saved) == (1, 1, 1, 1)


def test_nothing_about_a_decision_may_be_cached(visitor: Visitor) -> None:
    for answer in (visitor.accept_all(), visitor.read_decisions(), visitor.send({})):
        assert answer.headers["Cache-Control"] == "no-store"


def test_head_answers_as_get_does_without_a_body(visitor: Visitor) -> None:
    visitor.accept_all()
    own = {"Authorization": f"Bearer {visitor.subject_id}"}
    for path in ("decisions", "decision"):
        got = visitor.client.get(f"{visitor.address}/{path}", headers=own)
        head = visitor.client.head(f"{visitor.address}/{path}", headers=own)
        assert (head.status_code, head.data) == (200, b"")
        assert head.headers["Content-Length"] == got.headers["Content-Length"]


def test_a_decision_names_the_bytes_of_the_script_that_asked(visitor: Visitor, app: Flask) -> None:
    receipt = visitor.reject_all().json
    assert receipt is not None
    kept = visitor.client.get(f"{visitor.address}/{receipt['script_hash']}.js")
    assert kept.data == visitor.client.get(f"{visitor.address}.js").data
