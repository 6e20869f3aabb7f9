"""Later: an answer after the call is the one that the call would have given, and the only one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask

from consent_server.api.observing import Observing
from consent_server.api.recording import MET
from consent_server.api.short_way import ShortWay
from consent_server.app import MAX_BODY_BYTES, create_app
from consent_server.config import Settings
from consent_server.later import LATER, AnsweredLater, Later
from tests.visitor import Visitor

from .test_short_way import environ_of, run, spell

Answer = tuple[int, list[tuple[str, str]], bytes]


@pytest.fixture
def app(settings: Settings) -> Iterable[Flask]:
    app = create_app(settings)
    yield app
    app.extensions["consent"].database.close()


class Server:
    """What a server that takes answers later does with a request."""

    def __init__(self, application: Callable[..., Any]) -> None:
        self.application = application
        self.answers: list[Answer] = []
        self.again: list[dict[str, Any]] = []
        self._heard = threading.Event()

    def call(self, environ: dict[str, Any]) -> Later:
        """Call the application; wait for what comes of it."""
        later = environ[LATER] = Later(self._send, self._ask_again)
        with pytest.raises(AnsweredLater):
            run(self.application, environ)
        assert self._heard.wait(10)
        self._heard.clear()
        return later

    def _send(self, status: int, fields: list[tuple[str, str]], body: bytes) -> None:
        self.answers.append((status, fields, body))
        self._heard.set()

    def _ask_again(self, environ: dict[str, Any]) -> None:
        self.again.append(environ)
        self._heard.set()


def request_of(visitor: Visitor, decision: dict[str, Any], **fields: str) -> dict[str, Any]:
    proven = {"QUERY_STRING": f"proof={visitor.proof}"}
    return environ_of(f"{visitor.address}/decisions", spell(decision), **proven, **fields)


def test_the_answer_is_the_same_as_that_of_the_call(app: Flask, visitor: Visitor) -> None:
    server = Server(app.wsgi_app)
    for services in (visitor.services(), visitor.services()[:1], []):
        for fields in (
            {},
            {"HTTP_ORIGIN": visitor.read_version()["origins"][0]},
            {"HTTP_ORIGIN": "http://localhost:8000"},
        ):
            decision = visitor.decision(*services) | {"decision_id": str(uuid4())}
            server.call(request_of(visitor, decision, **fields))
            status, headers, body = server.answers[-1]
            line, told, again = run(app.wsgi_app, request_of(visitor, decision, **fields))
            assert (status, line) == (201, "200 OK")
            assert body == again
            assert [one for one in headers if one[0] != "Set-Cookie"] == [
                one for one in told if one[0] != "Set-Cookie"
            ]
            assert {name for name, _ in headers} == {name for name, _ in told}
            server.call(request_of(visitor, decision, **fields))
            assert (server.answers[-1][0], server.answers[-1][2]) == (200, body)
    assert server.again == []


def test_what_a_decision_met_is_told_by_the_long_way(app: Flask, visitor: Visitor) -> None:
    server = Server(app.wsgi_app)
    decision = visitor.decision(*visitor.services())
    server.call(request_of(visitor, decision))
    other = decision | {"decided_at": "2026-11-22T16:47:00.123Z"}
    server.call(request_of(visitor, other))
    (environ,) = server.again
    assert LATER not in environ
    assert MET in environ
    status, _, body = run(app.wsgi_app, environ)
    assert (status, b"Another decision was recorded" in body) == ("409 CONFLICT", True)


def test_only_the_first_answer_counts() -> None:
    sent: list[int] = []
    told: list[int] = []
    later = Later(lambda status, _fields, _body: sent.append(status), print)
    later.told = told.append
    later.answer(201, [], b"")
    later.answer(503, [], b"")
    later.ask_again({})
    assert (sent, told) == ([201], [201])


def test_observers_are_told_when_the_answer_is_given(app: Flask, visitor: Visitor) -> None:
    seen: list[tuple[str, str, int, float]] = []
    short = ShortWay(app.wsgi_app, app.extensions["consent"], MAX_BODY_BYTES)
    observed = Observing(short, lambda *told: seen.append(told))
    server = Server(observed)
    server.call(request_of(visitor, visitor.decision()))
    method, route, status, seconds = seen[0]
    assert (method, route, status, len(seen)) == ("POST", "/w/<site_key>/decisions", 201, 1)
    assert 0 < seconds < 10
