"""Erasure and webhooks, on both databases: it is told, and what names the visitor goes."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from consent_server.cli.deliveries import Deliverer, forget_old
from consent_server.erasure import erase_subject
from consent_server.retention import Outlived, erase_batch
from consent_server.rules.receipt import subject_key
from consent_server.sites import find_site
from consent_server.store.database import Database
from consent_server.store.outside_models import WebhookDelivery
from tests.visitor import Visitor

from .site_server import Receiver, let_pass, set_hook, waiting


def test_erasing_tells_that_alone_and_takes_back_what_waits(
    visitor: Visitor, store: Database, hook: None, receiver: Receiver, deliverer: Deliverer
) -> None:
    visitor.accept_all()
    visitor.withdraw()
    with store.write() as session:
        site, now = find_site(session, "smilee"), datetime.now(UTC)
        erase_subject(session, site, visitor.subject_id, actor="x", reason="asked", now=now)
    assert deliverer.run() == 1
    [body] = receiver.bodies()
    assert body["type"] == "subject.erased"
    key = subject_key(visitor.subject_id).hex()
    assert body["data"] == {"site": "smilee", "subject": key}


def test_it_is_said_when_an_erasure_was_told_and_what_was_given_up_is_deleted(
    visitor: Visitor,
    store: Database,
    hook: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Their rows named somebody who was erased: the files are to be scrubbed once more."""
    said: list[str] = []
    deliverer = Deliverer(store, tmp_path / "keys", lambda: said.append("told"))
    visitor.accept_all()
    visitor.withdraw()
    deliverer.run()
    assert said == []
    with store.write() as session:
        site, now = find_site(session, "smilee"), datetime.now(UTC)
        erase_subject(session, site, visitor.subject_id, actor="x", reason="asked", now=now)
    deliverer.run()
    assert said == ["told"]
    visitor.accept_all()
    visitor.withdraw()
    with store.write() as session:
        session.scalars(select(WebhookDelivery)).one().due_at = None
    forget_old(store, lambda: said.append("too early"))
    let_pass(monkeypatch, timedelta(days=31))
    forget_old(store, lambda: said.append("deleted"))
    assert said == ["told", "deleted"]


def test_a_visitor_who_is_erased_while_others_are_told_is_told_of_no_more(
    visitor: Visitor, store: Database, hook: None, receiver: Receiver, deliverer: Deliverer
) -> None:
    other = Visitor(visitor.client)
    for one in (visitor, other):
        one.accept_all()
        one.withdraw()

    def erase() -> None:
        with store.write() as session:
            site, now = find_site(session, "smilee"), datetime.now(UTC)
            erase_subject(session, site, other.subject_id, actor="x", reason="asked", now=now)

    receiver.meanwhile = erase
    assert (deliverer.run(), deliverer.run()) == (1, 1)
    assert [body["type"] for body in receiver.bodies()] == ["decision.withdrawn", "subject.erased"]


def test_what_waits_of_decisions_goes_with_their_links(
    visitor: Visitor, store: Database, receiver: Receiver
) -> None:
    set_hook(store, receiver.url, every_decision=True)
    gone = Visitor(visitor.client)
    gone.accept_all()
    with store.write() as session:
        site = find_site(session, "smilee")
        now = datetime.now(UTC)
        erase_subject(session, site, gone.subject_id, actor="tests", reason="asked", now=now)
    visitor.accept_all()
    before = datetime.now(UTC) + timedelta(seconds=1)
    late = Outlived("smilee", "1y", before, 1)
    with store.write() as session:
        assert erase_batch(session, late, None)
    [left] = waiting(store)
    assert json.loads(left.body)["type"] == "subject.erased"
