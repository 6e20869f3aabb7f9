"""The ledger's rows on both databases: once each, and verifiable without the person."""

from __future__ import annotations

import threading
from typing import Any

from flask import Flask
from sqlalchemy import delete, func, select

from consent_server.ledger import event_of
from consent_server.rules.receipt import hash_event, subject_key
from consent_server.store.database import Database
from consent_server.store.models import ConsentEvent, NoticeCount, SubjectData
from consent_server.store.record_rows import select_records
from tests.visitor import Visitor


def send_at_once(app: Flask, decisions: list[dict[str, Any]]) -> list[tuple[int, Any]]:
    """Post every decision in a thread of its own, all starting together."""
    answers: list[tuple[int, Any]] = []
    together = threading.Barrier(len(decisions))

    def send(decision: dict[str, Any]) -> None:
        visitor = Visitor(app.test_client(use_cookies=False))
        together.wait()
        answer = visitor.send(decision)
        answers.append((answer.status_code, answer.json))

    threads = [threading.Thread(target=send, args=(decision,)) for decision in decisions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def count_verified_leaves(database: Database) -> int:
    with database.read() as session:
        rows = session.execute(select_records()).all()
    for row in rows:
        event = event_of(row.ConsentEvent, "smilee", row.config_hash)
        assert hash_event(event) == row.leaf_hash
    return len(rows)


def test_twins_of_one_decision_become_one_row_with_one_receipt(
    served: Flask, store: Database
) -> None:
    decision = Visitor(served.test_client()).decision()
    answers = send_at_once(served, [decision] * 8)
    assert sorted(status for status, _ in answers) == [200] * 7 + [201]
    receipts = [receipt for _, receipt in answers]
    assert receipts.count(receipts[0]) == 8
    with store.read() as session:
        assert session.scalar(select(func.count()).select_from(ConsentEvent)) == 1
        assert session.scalar(select(func.count()).select_from(SubjectData)) == 1
        assert session.scalar(select(NoticeCount.refused)) == 1


def test_visitors_who_decide_at_once_are_all_recorded(served: Flask, store: Database) -> None:
    decisions = [Visitor(served.test_client()).decision() for _ in range(12)]
    answers = send_at_once(served, decisions)
    assert [status for status, _ in answers] == [201] * 12
    assert count_verified_leaves(store) == 12
    with store.read() as session:
        assert session.scalar(select(func.sum(NoticeCount.refused))) == 12


def test_erasing_a_person_leaves_every_leaf_verifiable(served: Flask, store: Database) -> None:
    leaving, staying = Visitor(served.test_client()), Visitor(served.test_client())
    leaving.accept_all()
    staying.reject_all()
    leaving.withdraw()
    with store.write() as session:
        key = subject_key(leaving.subject_id)
        session.execute(delete(SubjectData).where(SubjectData.subject_key == key))
    assert count_verified_leaves(store) == 3
    assert leaving.read_decisions().status_code == 404
    assert staying.read_decisions().status_code == 200


def test_a_retry_after_erasure_gives_no_salt_and_links_nobody(
    served: Flask, store: Database
) -> None:
    visitor = Visitor(served.test_client())
    decision = visitor.decision()
    first = visitor.send(decision).json
    with store.write() as session:
        session.execute(delete(SubjectData))
    again = visitor.send(decision)
    assert again.status_code == 200
    assert first is not None
    assert again.json == {**first, "salt": None}
    with store.read() as session:
        assert session.scalar(select(func.count()).select_from(SubjectData)) == 0


def test_times_at_the_ends_of_the_calendar_come_back(served: Flask) -> None:
    visitor = Visitor(served.test_client())
    for moment in ("0001-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z"):
        receipt = visitor.decide(decided_at=moment).json
        assert receipt is not None
        assert receipt["decided_at"] == moment
    listed = visitor.read_decisions().json
    assert listed is not None
    assert len(listed["decisions"]) == 2
