"""ASGI middleware: wraps Starlette, FastAPI, Django or any other ASGI application."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from consent_server.rewriting.answers import (
    REPLACED,
    Body,
    Exchange,
    Headers,
    Options,
    Request,
    read_cookies,
)
from consent_server.rewriting.sources import PlanSource

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]


class AsgiConsentMiddleware:
    """Rewrites pages and modules of an ASGI application; everything else passes as it is.

    `plan_source` is asked for each answer and says what the site's services are.
    """

    def __init__(
        self,
        app: Application,
        plan_source: PlanSource,
        *,
        policy: bool = False,
        clean: bool = True,
    ) -> None:
        self._app = app
        self._plan_source = plan_source
        self._options = Options(policy=policy, clean=clean)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request; websockets and lifespan pass through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = Exchange(self._plan_source(), _read_request(scope), self._options)
        headers = [pair for pair in scope["headers"] if pair[0].decode("latin-1") not in REPLACED]
        asked = exchange.asked().items()
        headers += [(name.encode(), said.encode("latin-1")) for name, said in asked]
        answer = _Answer(send, exchange, is_head=scope["method"] == "HEAD")
        # A file that the server sends by itself would pass us by.
        extensions = {
            name: value
            for name, value in (scope.get("extensions") or {}).items()
            if name not in {"http.response.pathsend", "http.response.zerocopysend"}
        }
        inner = {**scope, "headers": headers, "extensions": extensions}
        await self._app(inner, receive, answer.send)


class _Answer:
    """One answer on its way out."""

    def __init__(self, send: Send, exchange: Exchange, *, is_head: bool) -> None:
        self._send = send
        self._exchange = exchange
        self._is_head = is_head
        self._body: Body | None = None

    async def send(self, message: Message) -> None:
        """Pass a message of the application on."""
        if message["type"] == "http.response.start":
            message = self._start(message)
        elif message["type"] == "http.response.body" and self._body is not None:
            message = self._rewrite(message, self._body)
        elif message["type"] == "http.response.early_hint":
            given = (link.decode("latin-1") for link in message["links"])
            kept = [link for one in given if (link := self._exchange.without_held(one))]
            message = {**message, "links": [link.encode("latin-1") for link in kept]}
        await self._send(message)

    def _start(self, message: Message) -> Message:
        headers: Headers = [
            (name.decode("latin-1"), value.decode("latin-1"))
            for name, value in message.get("headers", ())
        ]
        self._body, sent = self._exchange.open(message["status"], headers)
        return {
            **message,
            "headers": [(name.lower().encode("latin-1"), v.encode("latin-1")) for name, v in sent],
        }

    def _rewrite(self, message: Message, rewriter: Body) -> Message:
        body = rewriter.feed(message.get("body", b""))
        if not message.get("more_body") and not self._is_head:
            body += rewriter.finish()
        return {**message, "body": body}


def _read_request(scope: Message) -> Request:
    values = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    cookies = "; ".join(
        value.decode("latin-1") for name, value in scope["headers"] if name == b"cookie"
    )
    return Request(
        method=scope["method"],
        host=values.get("host", ""),
        path=scope["path"],
        headers=values,
        cookies=read_cookies(cookies),
    )
