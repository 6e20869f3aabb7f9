"""Webhooks, on both databases: what a site's own server is told, signed, and where."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from consent_server.cli.deliveries import Deliverer
from consent_server.errors import Conflict
from consent_server.rules.receipt import subject_key
from consent_server.site_secrets import open_site_secrets
from consent_server.sites import find_site
from consent_server.store.database import Database
from consent_server.webhooks import find_webhook, remove_webhook, rotate_secret
from tests.readers import load_reader
from tests.visitor import Visitor

from .site_server import Receiver, secrets_here, set_hook, waiting

reader = load_reader()


def test_changes_and_withdrawals_are_told_and_first_answers_are_not(
    visitor: Visitor, store: Database, hook: None, receiver: Receiver, deliverer: Deliverer
) -> None:
    visitor.accept_all()
    changed = visitor.decide("google-analytics").json
    withdrawn = visitor.withdraw().json
    Visitor(visitor.client).reject_all()
    assert deliverer.run() == 2
    assert receiver.bodies() == [
        {
            "type": f"decision.{kind}",
            "timestamp": receipt["received_at"],
            "data": {
                "site": "smilee",
                "subject": subject_key(visitor.subject_id).hex(),
                "event_id": receipt["event_id"],
                "version": 1,
                "grants": receipt["grants"],
                "decided_at": receipt["decided_at"],
                "received_at": receipt["received_at"],
                "valid_until": receipt["valid_until"],
            },
        }
        for kind, receipt in (("changed", changed), ("withdrawn", withdrawn))
    ]
    assert waiting(store) == []
    assert deliverer.run() == 0
    assert visitor.subject_id.encode() not in b"".join(body for _, body in receiver.got)


def test_every_decision_is_told_where_that_is_asked(
    visitor: Visitor, store: Database, hook: None, receiver: Receiver, deliverer: Deliverer
) -> None:
    set_hook(store, receiver.url, every_decision=True)
    visitor.accept_all()
    Visitor(visitor.client).reject_all()
    deliverer.run()
    assert [one["type"] for one in receiver.bodies()] == ["decision.given", "decision.refused"]


def test_a_site_without_a_webhook_queues_nothing(visitor: Visitor, store: Database) -> None:
    visitor.accept_all()
    visitor.withdraw()
    assert waiting(store) == []


def test_the_reader_believes_what_is_sent_and_knows_the_visitor(
    visitor: Visitor,
    store: Database,
    hook: None,
    receiver: Receiver,
    deliverer: Deliverer,
    tmp_path: Path,
) -> None:
    visitor.accept_all()
    visitor.withdraw()
    deliverer.run()
    [(headers, body)] = receiver.got
    [secret] = secrets_here(store, tmp_path / "keys")
    assert secret.startswith("whsec_")
    assert reader.verify_webhook(secret, headers, body)
    assert not reader.verify_webhook(secret, headers, body + b" ")
    assert headers["Content-Type"] == "application/json"
    decision = reader.Decision(1, 0, visitor.subject_id, {})
    assert json.loads(body)["data"]["subject"] == decision.subject


def test_while_a_secret_is_replaced_both_sign(
    visitor: Visitor,
    store: Database,
    hook: None,
    receiver: Receiver,
    deliverer: Deliverer,
    tmp_path: Path,
) -> None:
    [old] = secrets_here(store, tmp_path / "keys")
    with store.write() as session:
        rotate_secret(session, find_site(session, "smilee"), now=datetime.now(UTC))
    new, kept = secrets_here(store, tmp_path / "keys")
    assert (kept, new != old) == (old, True)
    visitor.accept_all()
    visitor.withdraw()
    deliverer.run()
    [(headers, body)] = receiver.got
    assert reader.verify_webhook(old, headers, body)
    assert reader.verify_webhook(new, headers, body)
    later = datetime.now(UTC) + timedelta(hours=25)
    assert secrets_here(store, tmp_path / "keys", later) == (new,)


def test_removing_a_webhook_forgets_what_waits(
    visitor: Visitor, store: Database, hook: None, deliverer: Deliverer
) -> None:
    visitor.accept_all()
    visitor.withdraw()
    with store.write() as session:
        remove_webhook(session, find_site(session, "smilee"))
    visitor.accept_all()
    visitor.withdraw()
    assert waiting(store) == []


def test_a_webhook_that_is_set_again_has_no_secret_of_the_one_that_was_removed(
    visitor: Visitor, store: Database, hook: None, receiver: Receiver, tmp_path: Path
) -> None:
    known = set(secrets_here(store, tmp_path / "keys"))
    with store.write() as session:
        rotate_secret(session, find_site(session, "smilee"), now=datetime.now(UTC))
    known.update(secrets_here(store, tmp_path / "keys"))
    with store.write() as session:
        remove_webhook(session, find_site(session, "smilee"))
    set_hook(store, receiver.url)
    [new] = secrets_here(store, tmp_path / "keys")
    assert new not in known


def test_a_decision_that_is_refused_tells_nobody(
    visitor: Visitor, store: Database, hook: None
) -> None:
    visitor.accept_all()
    assert visitor.withdraw().status_code == 201
    again = visitor.decision(method="withdraw", layer="preferences")
    assert visitor.send({**again, "version": 7}).status_code == 404
    assert len(waiting(store)) == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://www.example.com/hook",
        "ftp://www.example.com/",
        "file:///etc/passwd",
        "https://user:secret@www.example.com/",
        "https:///hook",
        "https://www.example.com:0/",
        f"https://www.example.com/{'a' * 300}",
        "https://www.example.com/h\u00f6\u00f6k",
        "https://www.example.com/?h\u00f6\u00f6k",
        "https://www.example.com/a b",
        "https://www.example.com/\r\nX: y",
        "https://ex ample.com/",
        "https://a..b/",
        f"https://{'a' * 64}.example/",
    ],
)
def test_an_unsafe_address_is_refused(visitor: Visitor, store: Database, url: str) -> None:
    with pytest.raises(Conflict):
        set_hook(store, url)


@pytest.mark.parametrize(
    "url", ["https://b\u00fccher.example/hook", "https://www.example.com/h%C3%B6k", "http://[::1]/"]
)
def test_what_can_be_sent_to_is_an_address(visitor: Visitor, store: Database, url: str) -> None:
    set_hook(store, url)


def test_no_secret_is_in_the_database(
    visitor: Visitor, store: Database, hook: None, tmp_path: Path
) -> None:
    [secret] = secrets_here(store, tmp_path / "keys")
    with store.read() as session:
        webhook = find_webhook(session, find_site(session, "smilee"))
        assert secret not in repr({**vars(webhook)})
    other = open_site_secrets(tmp_path / "other", now=datetime.now(UTC))
    assert other.webhook_secret("smilee", webhook.generation) != secret
    ours = open_site_secrets(tmp_path / "keys", now=datetime.now(UTC))
    assert ours.webhook_secret("smilee", webhook.generation) == secret
    assert ours.webhook_secret("ujet", 1) != secret
