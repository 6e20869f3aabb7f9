"""The ledger: what is appended is what was decided, hashed as anyone can hash it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import rfc8785
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from consent_server.appending import append_event, append_together
from consent_server.errors import Conflict
from consent_server.ledger import Recorded, ShownVersion, event_of
from consent_server.published import PublishedSites
from consent_server.rights import decisions_of
from consent_server.rules.decision import Decision, Layer, Method, optional_services
from consent_server.rules.receipt import hash_event
from consent_server.store.database import Database
from consent_server.store.models import ConsentEvent, NoticeCount, SubjectData
from consent_server.store.record_rows import select_records
from consent_server.wanted import Wanted

NOW = datetime(2026, 11, 22, 16, 47, 0, 123_000, tzinfo=UTC)
SUBJECT, OTHER = "0" * 32, "1" * 32


@pytest.fixture
def shown(app: Flask, database: Database) -> ShownVersion:
    """The version of the Smilee site that visitors see."""
    published: PublishedSites = app.extensions["consent"].published
    site = published.find("smilee")
    return published.shown(site, site.number, site.script.script.script_id)


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    """A transaction that the test ends."""
    with database.write() as session:
        yield session


def decide(shown: ShownVersion, *, grant: bool, subject_id: str = SUBJECT) -> Decision:
    optional = optional_services(shown.config)
    keys = [key for category, services in optional.items() for key in (category, *services)]
    return Decision(
        decision_id=uuid4(),
        subject_id=subject_id,
        method=Method.SAVE,
        layer=Layer.PREFERENCES,
        version=shown.number,
        script="",
        language="sv",
        grants=dict.fromkeys(keys, grant),
        decided_at=NOW - timedelta(seconds=1),
    )


def test_the_receipt_is_the_leaf_that_was_hashed(session: Session, shown: ShownVersion) -> None:
    recorded = append_event(session, shown, decide(shown, grant=True), now=NOW)
    leaf = {k: v for k, v in recorded.receipt.items() if k not in {"leaf_hash", "salt"}}
    hashed = hashlib.sha256(b"\x00" + rfc8785.dumps(leaf)).hexdigest()
    assert hashed == recorded.receipt["leaf_hash"]
    row = session.execute(select_records()).one()
    assert row.leaf_hash.hex() == hashed
    assert hash_event(event_of(row.ConsentEvent, shown.site, shown.config_hash)) == row.leaf_hash


def test_our_clock_and_theirs_are_both_kept(session: Session, shown: ShownVersion) -> None:
    receipt = append_event(session, shown, decide(shown, grant=True), now=NOW).receipt
    assert receipt["decided_at"] == "2026-11-22T16:46:59.123Z"
    assert receipt["received_at"] == "2026-11-22T16:47:00.123Z"
    assert receipt["valid_until"] == "2027-05-21T16:47:00.123Z"


def test_refused_grants_are_kept_as_well_as_given_ones(
    session: Session, shown: ShownVersion
) -> None:
    decision = decide(shown, grant=False)
    assert append_event(session, shown, decision, now=NOW).receipt["grants"] == decision.grants


def test_two_records_of_one_visitor_cannot_be_joined_from_the_leaves(
    session: Session, shown: ShownVersion
) -> None:
    for _ in range(2):
        append_event(session, shown, decide(shown, grant=True), now=NOW)
    commitments = list(session.scalars(select(ConsentEvent.subject_commitment)))
    salts = list(session.scalars(select(SubjectData.salt)))
    assert len(set(commitments)) == len(set(salts)) == 2
    assert {len(salt) for salt in salts} == {32}


def test_what_does_not_fit_the_version_is_not_appended(
    session: Session, shown: ShownVersion
) -> None:
    with pytest.raises(Conflict):
        append_event(session, shown, replace(decide(shown, grant=True), grants={}), now=NOW)
    assert session.scalar(select(func.count()).select_from(ConsentEvent)) == 0


def test_a_visitor_sees_their_own_records_newest_first(
    session: Session, shown: ShownVersion
) -> None:
    receipts = [
        append_event(
            session, shown, decide(shown, grant=grant), now=NOW + timedelta(hours=hour)
        ).receipt
        for hour, grant in enumerate([True, False, True])
    ]
    append_event(session, shown, decide(shown, grant=True, subject_id=OTHER), now=NOW)
    session.flush()
    assert decisions_of(session, "smilee", SUBJECT) == receipts[::-1]
    assert [receipt["kind"] for receipt in receipts] == ["given", "withdrawn", "given"]
    assert len(decisions_of(session, "smilee", OTHER)) == 1
    assert decisions_of(session, "jackbot", SUBJECT) == []


def test_a_clock_that_steps_back_does_not_hide_the_newest(
    session: Session, shown: ShownVersion
) -> None:
    append_event(session, shown, decide(shown, grant=True), now=NOW)
    late = append_event(
        session, shown, decide(shown, grant=False), now=NOW - timedelta(hours=1)
    ).receipt
    session.flush()
    assert late["kind"] == "withdrawn"
    assert decisions_of(session, "smilee", SUBJECT)[0]["event_id"] == late["event_id"]


def test_two_decisions_in_one_millisecond_keep_their_order(
    session: Session, shown: ShownVersion
) -> None:
    for grant in (True, False, True, False):
        append_event(session, shown, decide(shown, grant=grant), now=NOW)
    session.flush()
    kinds = [receipt["kind"] for receipt in decisions_of(session, "smilee", SUBJECT)]
    assert kinds == ["withdrawn", "given", "withdrawn", "given"]


def test_what_is_appended_together_is_what_is_appended_one_by_one(
    session: Session, shown: ShownVersion
) -> None:
    first, second = decide(shown, grant=True), decide(shown, grant=False)
    other = decide(shown, grant=False, subject_id=OTHER)
    wrong = replace(decide(shown, grant=True, subject_id=OTHER), grants={})
    stolen = replace(first, subject_id=OTHER)
    decisions = [first, second, first, other, wrong, stolen]
    outcomes = append_together(session, [Wanted(shown, one) for one in decisions], now=NOW)
    kinds = [one.receipt["kind"] for one in outcomes if isinstance(one, Recorded)]
    assert kinds == ["given", "withdrawn", "given", "refused"]
    assert [one.new for one in outcomes if isinstance(one, Recorded)] == [True, True, False, True]
    assert [isinstance(one, Conflict) for one in outcomes] == [False] * 4 + [True, True]
    receipts = [one.receipt for one in outcomes if isinstance(one, Recorded)]
    assert receipts[2] == receipts[0]
    assert receipts[1]["received_at"] > receipts[0]["received_at"]
    assert session.scalar(select(func.count()).select_from(ConsentEvent)) == 3
    total = session.scalars(select(NoticeCount)).one()
    assert (total.saved, total.withdrawn) == (2, 1)


def test_what_does_not_fit_is_refused_after_the_same_that_fits(
    session: Session, shown: ShownVersion
) -> None:
    fitting = decide(shown, grant=True)
    for grant in (True, False, True):
        append_event(session, shown, decide(shown, grant=grant, subject_id=OTHER), now=NOW)
    wrong: list[dict[str, object]] = [
        {"language": "xx"},
        {"method": Method.REJECT_ALL},
        {"grants": {**fitting.grants, "nobody": True}},
    ]
    for changes in wrong:
        for _ in range(2):
            with pytest.raises(Conflict):
                append_event(session, shown, replace(fitting, **changes), now=NOW)  # type: ignore[arg-type]
