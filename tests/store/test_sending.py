"""Sending on: what the writer writes, without waiting for each statement, on both databases."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import func, make_url, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from consent_server.appending import append_together
from consent_server.ledger import ShownVersion
from consent_server.published import PublishedSites
from consent_server.store.database import Database
from consent_server.store.decision_rows import insert_links
from consent_server.store.models import SubjectData

from .test_hot_path import said

on_postgresql = pytest.mark.parametrize("empty_url", ["postgresql"], indirect=True)


def count_links(database: Database) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(SubjectData)) or 0


def link(
    database: Database, *event_ids: UUID, then: Callable[[Session], Any] = lambda _: None
) -> None:
    """Insert a row for each id, and do something after each."""
    with database.write_together() as session:
        for event_id in event_ids:
            insert_links(session.connection(), [(1, event_id, b"k", b"s")])
            then(session)


def test_what_is_refused_on_its_way_is_told_and_nothing_of_it_is_kept(store: Database) -> None:
    twice = uuid4()
    for _ in range(3):
        with pytest.raises(IntegrityError):
            link(store, uuid4(), twice, twice)
    assert count_links(store) == 0
    link(store, twice)
    assert count_links(store) == 1


def test_what_is_refused_is_told_by_the_next_question(store: Database) -> None:
    twice = uuid4()
    with pytest.raises(IntegrityError):
        link(store, twice, twice, then=lambda session: session.scalar(text("SELECT 1")))
    assert count_links(store) == 0


def test_nothing_is_kept_of_what_was_sent_when_something_else_fails(store: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        link(store, uuid4(), then=lambda _: 1 // 0)
    assert count_links(store) == 0


def test_questions_see_what_was_sent_before_them(store: Database) -> None:
    with store.write_together() as session:
        insert_links(session.connection(), [(1, uuid4(), b"k", b"s")])
        assert session.scalar(select(func.count()).select_from(SubjectData)) == 1
        insert_links(session.connection(), [(1, uuid4(), b"k", b"s")])
        assert len(session.scalars(select(SubjectData)).all()) == 2
    assert count_links(store) == 2


@on_postgresql
def test_a_connection_that_the_server_ended_is_replaced_after_a_rest(store: Database) -> None:
    assert count_links(store) == 0
    with store.engine.connect() as connection:
        process = connection.scalar(text("SELECT pg_backend_pid()"))
    other = Database(store.engine.url.render_as_string(hide_password=False))
    with other.read() as session:
        session.execute(text("SELECT pg_terminate_backend(:process)"), {"process": process})
    other.close()
    time.sleep(0.4)
    with store.write_together() as session:
        insert_links(session.connection(), [(1, uuid4(), b"k", b"s")])
    assert count_links(store) == 1


class Ways:
    """Stands between a server and who asks it, and counts how often the talk turns."""

    def __init__(self, port: int) -> None:
        self.turns = 0
        self._to, self._asking = port, False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                asking, _ = self._listener.accept()
                answering = socket.create_connection(("127.0.0.1", self._to))
                for ends in ((asking, answering, True), (answering, asking, False)):
                    threading.Thread(target=self._pass_on, args=ends, daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket, asks: bool) -> None:
        with suppress(OSError), source, target:
            while passed := source.recv(65_536):
                self.turns += asks and not self._asking
                self._asking = asks
                target.sendall(passed)


@contextmanager
def counted(database: Database) -> Iterator[tuple[Ways, Database]]:
    url = make_url(database.engine.url)
    ways = Ways(url.port or 5432)
    through = Database(url.set(port=ways.port).render_as_string(hide_password=False))
    try:
        yield ways, through
    finally:
        through.close()
        ways.close()


@on_postgresql
def test_decisions_of_new_visitors_are_at_most_four_ways_to_the_server_and_back(
    served: Flask, store: Database
) -> None:
    published: PublishedSites = served.extensions["consent"].published
    site = published.find("smilee")
    shown: ShownVersion = published.shown(site, site.number, site.script.script.script_id)

    def record(database: Database, number: int) -> None:
        wanted: Any = [said(shown, uuid4().hex) for _ in range(number)]
        with database.write_together() as session:
            append_together(session, wanted, now=datetime.now(UTC))

    with counted(store) as (ways, through):
        for _ in range(8):
            record(through, 24)  # what is new, and what the driver prepares
        ways.turns = 0
        record(through, 24)
        # Look up, write and commit, leave the mode; one may fall into two pieces.
        assert ways.turns <= 4
