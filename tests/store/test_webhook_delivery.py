"""Delivery over real HTTP, on both databases: once each, until it arrives or is given up."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select

from consent_server import delivery
from consent_server.cli import deliveries
from consent_server.cli.deliveries import Deliverer, forget_old
from consent_server.cli.upkeep import holding
from consent_server.site_form import load_site_form
from consent_server.sites import find_site, publish_version
from consent_server.store.database import Database
from consent_server.store.outside_models import WebhookDelivery
from consent_server.webhook_deliveries import PAUSES
from consent_server.webhooks import (
    find_webhook,
    list_webhooks,
    queue_erasure,
    retry_deliveries,
    set_webhook,
)
from tests.conftest import ReadSite
from tests.visitor import Visitor

from .site_server import Receiver, let_pass, waiting


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
    [row] = waiting(store)
    assert (row.attempts, "answered 500" in row.said) == (1, True)
    receiver.status = 200
    let_pass(monkeypatch, PAUSES[0] + timedelta(seconds=1))
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
    assert len(waiting(store)) == len(receiver.got) == 1


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
    [row] = waiting(store)
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
    assert (len(receiver.got), len(waiting(store))) == (1, 3)


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
        let_pass(monkeypatch, passed)
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
    assert len(waiting(store)) == 1
    let_pass(monkeypatch, timedelta(days=31))
    forget_old(store)
    assert waiting(store) == []


def test_one_server_of_many_delivers(
    visitor: Visitor, store: Database, hook: None, receiver: Receiver, deliverer: Deliverer
) -> None:
    visitor.accept_all()
    visitor.withdraw()
    with holding(store, "webhooks"):
        assert deliverer.run() == 0
    assert receiver.got == []
    assert deliverer.run() == 1


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
    assert [row.attempts for row in waiting(store)] == [1]


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
