"""A full or failing disk: refused clearly at whichever write, nothing lost, nothing twice."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from consent_server.audit import export_records
from consent_server.ledger_check import check_ledger
from consent_server.sealing import origins_of, seal_waiting
from consent_server.signing import Signer
from consent_server.sites import find_site
from consent_server.store.database import Database
from consent_server.store.models import ConsentEvent, LedgerQueue
from tests.visitor import Visitor

from .broken_disk import BrokenDisk, breakable_disk

CODES = [errno.ENOSPC, errno.EIO]
#: More writes than one decision, or one sealing, makes.
MANY = 200


@pytest.fixture
def disk() -> Iterator[BrokenDisk]:
    with breakable_disk() as disk:
        yield disk


@pytest.fixture
def visitor(client: FlaskClient) -> Visitor:
    found = Visitor(client)
    # The script is read, and the connection opened, before the disk breaks.
    assert found.reject_all().status_code == 201
    return found


def count(database: Database) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(ConsentEvent)) or 0


@pytest.mark.parametrize("code", CODES, ids=errno.errorcode.get)
def test_a_write_that_fails_at_any_place_is_told_and_the_decision_can_be_sent_again(
    visitor: Visitor, database: Database, disk: BrokenDisk, signer: Signer, code: int
) -> None:
    sent = []
    for nth in range(1, MANY):
        decision = visitor.decision()
        sent.append(decision["decision_id"])
        with disk.failing(nth, code):
            answer = visitor.send(decision)
        before = count(database)
        if answer.status_code != 201:
            assert disk.failed
            expected = 507 if code == errno.ENOSPC else 503
            assert answer.status_code == expected, answer.text
            assert answer.headers["Retry-After"]
            assert answer.json is not None
            assert "Nothing was recorded" in answer.json["detail"]
            assert before == nth
            assert visitor.send(decision).status_code == 201
        assert count(database) == nth + 1
        assert visitor.send(decision).status_code == 200
        if not disk.failed:
            break
    assert nth > 3, "the disk was never written"
    assert not disk.failed, "a decision makes more writes than were tried"
    seal_waiting(database, signer, now=datetime.now(UTC))
    with database.read() as session:
        site = find_site(session, "smilee")
        exported = {record["event_id"] for record in export_records(session, site)}
        keys = [key for name in origins_of(session, site) for key in signer.verifiers(name)]
        assert exported > set(sent)
        assert check_ledger(session, site, keys).leaves == len(exported) + 2
        assert session.scalar(text("PRAGMA integrity_check")) == "ok"


@pytest.mark.parametrize("code", CODES, ids=errno.errorcode.get)
def test_sealing_that_fails_at_any_place_begins_anew_without_a_double(
    visitor: Visitor, database: Database, disk: BrokenDisk, signer: Signer, code: int
) -> None:
    for nth in range(1, MANY):
        assert visitor.accept_all().status_code == 201
        with disk.failing(nth, code):
            try:
                seal_waiting(database, signer, now=datetime.now(UTC))
            except DBAPIError:
                assert disk.failed
        if not disk.failed:
            break
        seal_waiting(database, signer, now=datetime.now(UTC))
        with database.read() as session:
            assert session.scalar(select(func.count()).select_from(LedgerQueue)) == 0
    assert nth > 3
    assert not disk.failed
    with database.read() as session:
        site = find_site(session, "smilee")
        keys = [key for name in origins_of(session, site) for key in signer.verifiers(name)]
        assert check_ledger(session, site, keys).leaves == count(database) + 2


def test_while_the_disk_is_full_pages_are_served_and_once_there_is_room_decisions_are_taken(
    visitor: Visitor, disk: BrokenDisk, app: Flask
) -> None:
    decision = visitor.decision()
    with disk.failing(1, errno.ENOSPC, for_good=True):
        for _ in range(3):
            refused = visitor.send(decision)
            assert refused.status_code == 507
            assert refused.json is not None
            assert refused.json["type"].endswith(":storage_full")
            assert visitor.client.get("/w/smilee.js").status_code == 200
            assert visitor.read_decisions().status_code == 200
    assert visitor.send(decision).status_code == 201
