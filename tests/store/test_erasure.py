"""Erasure on both databases: the link to a person goes, the records and their hashes stay."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from consent_server.audit import export_records
from consent_server.erasure import count_subject, erase_subject
from consent_server.errors import Conflict
from consent_server.ledger import admin_event_of
from consent_server.ledger_check import check_ledger
from consent_server.ledger_keys import keys_of
from consent_server.proofs import find_checkpoint, prove_consistency, prove_inclusion
from consent_server.rules.admin_event import Action, hash_admin_event
from consent_server.rules.merkle import is_consistent, is_included
from consent_server.sealing import last_checkpoint, seal_waiting
from consent_server.signing import open_signer
from consent_server.sites import find_site
from consent_server.store.database import Database
from consent_server.store.models import AdminEvent, ConsentEvent, LedgerQueue, SubjectData
from consent_server.store.scrubbing import scrub
from tests.visitor import Visitor

NOW = datetime(2026, 11, 25, 10, 13, 26, 123_000, tzinfo=UTC)


def erase(database: Database, subject_id: str, *, reason: str = "asked by letter") -> int:
    with database.write() as session:
        site = find_site(session, "smilee")
        return erase_subject(session, site, subject_id, actor="tests", reason=reason, now=NOW)


def erasures(session: Session) -> list[AdminEvent]:
    return list(session.scalars(select(AdminEvent).where(AdminEvent.action == Action.ERASE)))


@pytest.fixture
def leaving(served: Flask) -> Visitor:
    """A visitor with two records."""
    visitor = Visitor(served.test_client(use_cookies=False))
    visitor.accept_all()
    visitor.withdraw()
    return visitor


def test_what_is_erased_is_one_visitors_link_and_nothing_else(
    served: Flask, store: Database, leaving: Visitor
) -> None:
    staying = Visitor(served.test_client(use_cookies=False))
    staying.reject_all()
    assert erase(store, leaving.subject_id) == 2
    with store.read() as session:
        site = find_site(session, "smilee")
        assert count_subject(session, site, leaving.subject_id) == 0
        assert count_subject(session, site, staying.subject_id) == 1
        assert session.scalar(select(func.count()).select_from(ConsentEvent)) == 3
    assert leaving.read_decisions().status_code == 404
    assert len(staying.read_decisions().json["decisions"]) == 1


def test_an_erasure_is_a_leaf_that_names_nobody(store: Database, leaving: Visitor) -> None:
    erase(store, leaving.subject_id)
    with store.read() as session:
        [event] = erasures(session)
        assert json.loads(event.details) == {"reason": "asked by letter", "records": 2}
        assert (event.actor, event.happened_at) == ("tests", NOW)
        assert hash_admin_event(admin_event_of(event, "smilee")) == event.leaf_hash
        waiting = session.get(LedgerQueue, (event.site_id, event.happened_at, event.event_id))
        assert waiting is not None
        assert waiting.leaf_hash == event.leaf_hash


def test_nothing_to_erase_is_no_event(store: Database, leaving: Visitor) -> None:
    assert erase(store, "0" * 32) == 0
    assert erase(store, leaving.subject_id) == 2
    assert erase(store, leaving.subject_id) == 0
    with store.read() as session:
        assert len(erasures(session)) == 1


def test_a_reason_is_needed_and_must_not_name_the_visitor(
    store: Database, leaving: Visitor
) -> None:
    for reason in ("", "  ", f"asked by {leaving.subject_id.upper()}"):
        with pytest.raises(Conflict):
            erase(store, leaving.subject_id, reason=reason)
    with store.read() as session:
        assert session.scalar(select(func.count()).select_from(SubjectData)) == 2
        assert erasures(session) == []


def test_a_retry_after_erasure_brings_nothing_back(served: Flask, store: Database) -> None:
    visitor = Visitor(served.test_client(use_cookies=False))
    decision = visitor.decision()
    first = visitor.send(decision)
    erase(store, visitor.subject_id)
    again = visitor.send(decision)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json == {**first.json, "salt": None}  # type: ignore[dict-item]
    with store.read() as session:
        assert session.scalar(select(func.count()).select_from(SubjectData)) == 0


def test_who_decides_again_after_erasure_begins_anew(store: Database, leaving: Visitor) -> None:
    erase(store, leaving.subject_id)
    assert leaving.reject_all().json["kind"] == "refused"
    assert len(leaving.read_decisions().json["decisions"]) == 1


def test_the_sealed_ledger_is_the_same_afterwards_and_verifies(
    store: Database, leaving: Visitor, tmp_path: Path
) -> None:
    signer = open_signer(tmp_path / "keys", now=NOW)
    seal_waiting(store, signer, now=NOW)
    with store.read() as session:
        site = find_site(session, "smilee")
        before = last_checkpoint(session, site)
        assert before is not None
        ids = list(session.scalars(select(ConsentEvent.event_id)))
    erase(store, leaving.subject_id)
    scrub(store)
    seal_waiting(store, signer, now=NOW)
    with store.read() as session:
        site = find_site(session, "smilee")
        kept, after = find_checkpoint(session, site, before.size), last_checkpoint(session, site)
        assert after is not None
        assert (kept.root, kept.note) == (before.root, before.note)
        proof = prove_consistency(session, site, before.size)
        assert is_consistent(before.size, before.root, after.size, after.root, proof.path)
        check_ledger(session, site, keys_of(session, site))
        for event_id in ids:
            found = prove_inclusion(session, site, event_id)
            place = (found.leaf_hash, found.leaf_index, found.size)
            assert is_included(*place, found.path, after.root)
        exported = list(export_records(session, site))
    assert [(one["salt"], one["kind"]) for one in exported] == [
        (None, "given"),
        (None, "withdrawn"),
    ]
