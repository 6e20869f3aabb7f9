"""Observing: how each request went, by route and status, without who asked for what."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from flask import Flask

from consent_server.later import LATER, Later
from consent_server.metrics import Metrics

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
#: Told of an answer: method, route as the code spells it, status, seconds until it began.
#: Plain arguments, since this happens at every request.
Observer = Callable[[str, str, int, float], None]

#: What no route takes: scanners ask for thousands of addresses.
UNMATCHED = "unmatched"

#: How the route of decisions ends, wherever CONSENT_WIDGET_PATH puts it.
_DECISIONS = "/decisions"
_RECORDED = frozenset({200, 201})

#: Where whoever answers before the routes are asked says which route that is.
ROUTE = "consent_server.route"

log = logging.getLogger("consent_server.requests")


class Observing:
    """WSGI middleware that tells observers of every answer when it begins.

    It stands outside of everything, so that it sees the answers of whatever stands before
    the routes, and it reads nothing of a request but its method and its route.
    """

    def __init__(self, application: Callable[..., Iterable[bytes]], *observers: Observer) -> None:
        self._application = application
        self._observers = observers

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request and tell how it went."""
        status, method, route = "500", "", UNMATCHED

        def start(line: str, *rest: Any) -> Any:
            nonlocal status, method, route
            status = line
            # Werkzeug puts the request there, and Flask takes it away when it is done.
            rule = getattr(environ.get("werkzeug.request"), "url_rule", None)
            if ROUTE in environ:
                method, route = environ["REQUEST_METHOD"], environ[ROUTE]
            elif rule is not None:
                method, route = environ["REQUEST_METHOD"], rule.rule
            return start_response(line, *rest)

        began = time.perf_counter()
        later: Later | None = environ.get(LATER)
        if later is not None:
            later.told = partial(self._tell_later, environ, began)
        answer = self._application(environ, start)
        if later is not None:
            later.told = None  # it holds the request, which holds it
        seconds, number = time.perf_counter() - began, int(status[:3])
        self._tell(method, route, number, seconds)
        return answer

    def _tell_later(self, environ: Environ, began: float, status: int) -> None:
        method, route = environ["REQUEST_METHOD"], environ.get(ROUTE, UNMATCHED)
        self._tell(method, route, status, time.perf_counter() - began)

    def _tell(self, method: str, route: str, status: int, seconds: float) -> None:
        for observe in self._observers:
            observe(method, route, status, seconds)


def observe_requests(app: Flask, *observers: Observer) -> None:
    """Let observers be told of every answer; without any, requests go their short way."""
    if observers:
        app.wsgi_app = Observing(app.wsgi_app, *observers)  # type: ignore[method-assign]


def count_requests(metrics: Metrics) -> Observer:
    """Return an observer that counts every answer, and times those to decisions."""

    def count(method: str, route: str, status: int, seconds: float) -> None:
        metrics.requests.add(method, route, str(status))
        if method == "POST" and status in _RECORDED and route.endswith(_DECISIONS):
            metrics.decision_seconds.observe(seconds)

    return count


def log_request(method: str, route: str, status: int, seconds: float) -> None:
    """Write one line for a request: nothing in it was chosen by who asked."""
    milliseconds = round(seconds * 1000, 1)
    told = {"method": method, "route": route, "status": status, "milliseconds": milliseconds}
    log.info("%s %s %s %s ms", method or "-", route, status, milliseconds, extra={"fields": told})
