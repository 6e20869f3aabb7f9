"""Webhooks over real HTTP, on both databases: signed, once each, until they arrive."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select

from consent_server import delivery
from consent_server.cli import deliveries
from consent_server.cli.deliveries import Deliverer, forget_old
from consent_server.cli.upkeep import holding
from consent_server.erasure import erase_subject
from consent_server.errors import Conflict
from consent_server.retention import Outlived, erase_batch
from consent_server.rules.receipt import subject_key
from consent_server.site_form import load_site_form
from consent_server.site_secrets import open_site_secrets
from consent_server.sites import find_site, publish_version
from consent_server.store.database import Database
from consent_server.store.outside_models import WebhookDelivery
from consent_server.webhook_deliveries import PAUSES
from consent_server.webhooks import (
    find_webhook,
    list_webhooks,
    queue_erasure,
    remove_webhook,
    retry_deliveries,
    rotate_secret,
    secrets_of,
    set_webhook,
)
from tests.conftest import ReadSite
from tests.readers import load_reader
from tests.visitor import Visitor

reader = load_reader()


class Receiver:
    """A site's own server: keeps what it gets, and answers as told."""

    def __init__(self) -> None:
        self.url = ""
        self.status = 204
        #: What stands in the messages that it answers with 400.
        self.refused = ""
        #: What happens while it reads the first message.
        self.meanwhile: Callable[[], None] | None = None
        self.got: list[tuple[dict[str, str], bytes]] = []

    def bodies(self) -> list[dict[str, Any]]:
        """What it got, as JSON."""
        return [json.loads(body) for _, body in self.got]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.got.append((dict(self.headers), body))
            meanwhile, found.meanwhile = found.meanwhile, None
            if meanwhile is not None:
                meanwhile()
            refused = found.refused and found.refused.encode() in body
            self.send_response(400 if refused else found.status)
            self.send_header("Location", "http://127.0.0.1:1/elsewhere")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base's name)
            """Keep the test output quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    found.url = f"http://127.0.0.1:{server.server_port}/consent"
    yield found
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def hook(visitor: Visitor, store: Database, receiver: Receiver) -> None:
    """The Smilee site's server is told."""
    _set(store, receiver.url)


@pytest.fixture
def deliverer(store: Database, tmp_path: Path) -> Deliverer:
    return Deliverer(store, tmp_path / "keys")


def _set(store: Database, url: str, every_decision: bool = False) -> None:
    with store.write() as session:
        site = find_site(session, "smilee")
        set_webhook(session, site, url, every_decision=every_decision, now=datetime.now(UTC))


def _secrets(store: Database, folder: Path, now: datetime | None = None) -> tuple[str, ...]:
    now = now or datetime.now(UTC)
    with store.read() as session:
        webhook = find_webhook(session, find_site(session, "smilee"))
        return secrets_of(webhook, "smilee", open_site_secrets(folder, now=now), now=now)


def _waiting(store: Database) -> list[WebhookDelivery]:
    with store.read() as session:
        return list(session.scalars(select(WebhookDelivery)))


def _let_pass(monkeypatch: pytest.MonkeyPatch, time: timedelta) -> datetime:
    later = datetime.now(UTC) + time
    monkeypatch.setattr(deliveries, "now", lambda: later)
    return later


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
    assert _waiting(store) == []
    assert deliverer.run() == 0
    assert visitor.subject_id.encode() not in b"".join(body for _, body in receiver.got)


def test_every_decision_is_told_where_that_is_asked(
    visitor: Visitor, store: Database, hook: None, receiver: Receiver, deliverer: Deliverer
) -> None:
    _set(store, receiver.url, every_decision=True)
    visitor.accept_all()
    Visitor(visitor.client).reject_all()
    deliverer.run()
    assert [one["type"] for one in receiver.bodies()] == ["decision.given", "decision.refused"]


def test_a_site_without_a_webhook_queues_nothing(visitor: Visitor, store: Database) -> None:
    visitor.accept_all()
    visitor.withdraw()
    assert _waiting(store) == []


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
    [secret] = _secrets(store, tmp_path / "keys")
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
    [old] = _secrets(store, tmp_path / "keys")
    with store.write() as session:
        rotate_secret(session, find_site(session, "smilee"), now=datetime.now(UTC))
    new, kept = _secrets(store, tmp_path / "keys")
    assert (kept, new != old) == (old, True)
    visitor.accept_all()
    visitor.withdraw()
    deliverer.run()
    [(headers, body)] = receiver.got
    assert reader.verify_webhook(old, headers, body)
    assert reader.verify_webhook(new, headers, body)
    later = datetime.now(UTC) + timedelta(hours=25)
    assert _secrets(store, tmp_path / "keys", later) == (new,)


def test_what_did_not_arrive_is_tried_again_later_with_the_same_words(
    visitor: Visitor,
    store: Database,
    hook: None,
    receiver: Receiver,
    deliverer: Deliverer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    receiver.status = 500
    visitor.accept_all()
    visitor.withdraw()
    assert deliverer.run() == 0
    assert deliverer.run() == 0
    assert len(receiver.got) == 1, "not before its pause is over"
    [row] = _waiting(store)
    assert (row.attempts, "answered 500" in row.said) == (1, True)
    receiver.status = 200
    _let_pass(monkeypatch, PAUSES[0] + timedelta(seconds=1))
    assert deliverer.run() == 1
    first, second = receiver.got
    assert first[1] == second[1]
    assert first[0]["webhook-id"] == second[0]["webhook-id"]
    assert first[0]["webhook-timestamp"] != second[0]["webhook-timestamp"]


@pytest.mark.parametrize("status", [301, 400, 410, 503])
def test_only_success_counts(
    visitor: Visitor,
    store: Database,
    hook: None,
    receiver: Receiver,
    deliverer: Deliverer,
    status: int,
) -> None:
    receiver.status = status
    visitor.accept_all()
    visitor.withdraw()
    assert deliverer.run() == 0
    assert len(_waiting(store)) == len(receiver.got) == 1


def test_a_message_that_is_refused_holds_up_no_other(
    visitor: Visitor, store: Database, hook: None, receiver: Receiver, deliverer: Deliverer
) -> None:
    other = Visitor(visitor.client)
    visitor.accept_all()
    receiver.refused = visitor.decide("google-analytics").json["event_id"]
    visitor.withdraw()
    other.accept_all()
    other.withdraw()
    assert deliverer.run() == 2
    assert deliverer.run() == 0
    assert len(receiver.got) == 3
    [row] = _waiting(store)
    assert (receiver.refused in row.body, row.attempts) == (True, 1)


@pytest.mark.parametrize("status", [429, 503])
def test_a_server_that_is_away_is_asked_once_for_all_that_waits(
    visitor: Visitor,
    store: Database,
    hook: None,
    receiver: Receiver,
    deliverer: Deliverer,
    status: int,
) -> None:
    receiver.status = status
    for one in (visitor, Visitor(visitor.client), Visitor(visitor.client)):
        one.accept_all()
        one.withdraw()
    deliverer.run()
    deliverer.run()
    assert (len(receiver.got), len(_waiting(store))) == (1, 3)


def test_what_waits_for_one_site_keeps_no_other_waiting(
    visitor: Visitor,
    store: Database,
    hook: None,
    receiver: Receiver,
    deliverer: Deliverer,
    read_site: ReadSite,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(deliveries, "_AT_ONCE", 2)
    for _ in range(3):
        visitor.accept_all()
        visitor.withdraw()
    with store.write() as session:
        form, now = load_site_form(read_site("ujet")), datetime.now(UTC)
        publish_version(session, form, source="", author="tests", now=now)
        site = find_site(session, "ujet")
        set_webhook(session, site, receiver.url, every_decision=False, now=now)
        queue_erasure(session, site, b"k" * 32, now=now)
    assert deliverer.run() == 3
    sites = [body["data"]["site"] for body in receiver.bodies()]
    assert sorted(sites) == ["smilee", "smilee", "ujet"]
    assert [deliverer.run(), deliverer.run()] == [1, 0]


def test_after_three_days_it_is_given_up_and_can_be_tried_by_hand(
    visitor: Visitor,
    store: Database,
    hook: None,
    receiver: Receiver,
    deliverer: Deliverer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    receiver.status = 500
    visitor.accept_all()
    visitor.withdraw()
    passed = timedelta()
    for pause in (timedelta(), *PAUSES, timedelta(days=30)):
        passed += pause + timedelta(seconds=1)
        _let_pass(monkeypatch, passed)
        deliverer.run()
    assert len(receiver.got) == len(PAUSES) + 1
    with store.read() as session:
        [state] = list_webhooks(session)
    assert (state.waiting, state.given_up) == (0, 1)
    receiver.status = 200
    with store.write() as session:
        retry_deliveries(session, find_site(session, "smilee"), now=datetime.now(UTC))
    assert deliverer.run() == 1


def test_what_was_given_up_is_forgotten_after_a_month(
    visitor: Visitor, store: Database, hook: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor.accept_all()
    visitor.withdraw()
    with store.write() as session:
        session.scalars(select(WebhookDelivery)).one().due_at = None
    forget_old(store)
    assert len(_waiting(store)) == 1
    _let_pass(monkeypatch, timedelta(days=31))
    forget_old(store)
    assert _waiting(store) == []


def test_one_server_of_many_delivers(
    visitor: Visitor, store: Database, hook: None, receiver: Receiver, deliverer: Deliverer
) -> None:
    visitor.accept_all()
    visitor.withdraw()
    with holding(store, "webhooks"):
        assert deliverer.run() == 0
    assert receiver.got == []
    assert deliverer.run() == 1


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
    _let_pass(monkeypatch, timedelta(days=31))
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


def test_a_deliverer_whose_turn_is_over_stops(
    visitor: Visitor,
    store: Database,
    hook: None,
    receiver: Receiver,
    deliverer: Deliverer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    visitor.accept_all()
    visitor.withdraw()

    @contextmanager
    def lost(*_: object) -> Iterator[Callable[[], bool]]:
        yield lambda: False

    monkeypatch.setattr(deliveries, "holding", lost)
    assert (deliverer.run(), receiver.got) == (0, [])


def test_removing_a_webhook_forgets_what_waits(
    visitor: Visitor, store: Database, hook: None, deliverer: Deliverer
) -> None:
    visitor.accept_all()
    visitor.withdraw()
    with store.write() as session:
        remove_webhook(session, find_site(session, "smilee"))
    visitor.accept_all()
    visitor.withdraw()
    assert _waiting(store) == []


def test_a_webhook_that_is_set_again_has_no_secret_of_the_one_that_was_removed(
    visitor: Visitor, store: Database, hook: None, receiver: Receiver, tmp_path: Path
) -> None:
    known = set(_secrets(store, tmp_path / "keys"))
    with store.write() as session:
        rotate_secret(session, find_site(session, "smilee"), now=datetime.now(UTC))
    known.update(_secrets(store, tmp_path / "keys"))
    with store.write() as session:
        remove_webhook(session, find_site(session, "smilee"))
    _set(store, receiver.url)
    [new] = _secrets(store, tmp_path / "keys")
    assert new not in known


def test_what_waits_of_decisions_goes_with_their_links(
    visitor: Visitor, store: Database, receiver: Receiver
) -> None:
    _set(store, receiver.url, every_decision=True)
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
    [left] = _waiting(store)
    assert json.loads(left.body)["type"] == "subject.erased"


def test_a_decision_that_is_refused_tells_nobody(
    visitor: Visitor, store: Database, hook: None
) -> None:
    visitor.accept_all()
    assert visitor.withdraw().status_code == 201
    again = visitor.decision(method="withdraw", layer="preferences")
    assert visitor.send({**again, "version": 7}).status_code == 404
    assert len(_waiting(store)) == 1


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
        _set(store, url)


@pytest.mark.parametrize(
    "url", ["https://b\u00fccher.example/hook", "https://www.example.com/h%C3%B6k", "http://[::1]/"]
)
def test_what_can_be_sent_to_is_an_address(visitor: Visitor, store: Database, url: str) -> None:
    _set(store, url)


@pytest.mark.parametrize("url", ["http://127.0.0.1:{}/h\u00f6k", "http://a..b:{}/"])
def test_an_address_that_was_set_and_cannot_be_sent_to_is_a_failed_delivery(
    visitor: Visitor,
    store: Database,
    hook: None,
    receiver: Receiver,
    deliverer: Deliverer,
    url: str,
) -> None:
    with store.write() as session:
        site = find_site(session, "smilee")
        find_webhook(session, site).url = url.format(urlsplit(receiver.url).port)
    visitor.accept_all()
    visitor.withdraw()
    assert deliverer.run() == 0
    assert [row.attempts for row in _waiting(store)] == [1]


def test_no_secret_is_in_the_database(
    visitor: Visitor, store: Database, hook: None, tmp_path: Path
) -> None:
    [secret] = _secrets(store, tmp_path / "keys")
    with store.read() as session:
        webhook = find_webhook(session, find_site(session, "smilee"))
        assert secret not in repr({**vars(webhook)})
    other = open_site_secrets(tmp_path / "other", now=datetime.now(UTC))
    assert other.webhook_secret("smilee", webhook.generation) != secret
    ours = open_site_secrets(tmp_path / "keys", now=datetime.now(UTC))
    assert ours.webhook_secret("smilee", webhook.generation) == secret
    assert ours.webhook_secret("ujet", 1) != secret


@pytest.mark.parametrize(
    ("begins", "goes_on"),
    [
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (b"HTTP/1.1 200 OK\r\n", b"X: x\r\n"),
        (b"HTTP/1.1 200 OK\r\n\r\n", b"x"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"X: x\r\n"),
    ],
    ids=["before", "head", "body", "trailer"],
)
def test_whoever_answers_in_a_trickle_keeps_nobody_waiting(
    begins: bytes, goes_on: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "_ALL_SECONDS", 0.3)

    def trickle(listening: socket.socket) -> None:
        with listening.accept()[0] as wire, suppress(OSError):
            wire.sendall(begins)
            for _ in range(90):
                wire.sendall(goes_on)
                time.sleep(0.05)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=trickle, args=(listening,))
        thread.start()
        began = time.monotonic()
        with pytest.raises(delivery.NotDelivered):
            delivery.post(f"http://127.0.0.1:{listening.getsockname()[1]}/", b"x")
        assert time.monotonic() - began < 2
        thread.join()
