"""ASGI middleware: wraps Starlette, FastAPI, Django or any other ASGI application."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from consent_server.rewriting.answers import (
    Headers,
    Options,
    Request,
    open_rewriter,
    outgoing_headers,
    read_cookies,
)
from consent_server.rewriting.modules import ModuleRewriter
from consent_server.rewriting.plan import RewritePlan
from consent_server.rewriting.rewriter import Rewriter
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
        request = _read_request(scope)
        headers = [(name, value) for name, value in scope["headers"] if name != b"accept-encoding"]
        # What is compressed cannot be read: the server in front compresses what we send.
        headers.append((b"accept-encoding", b"identity"))
        answer = _Answer(send, self._plan_source(), request, self._options)
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

    def __init__(self, send: Send, plan: RewritePlan, request: Request, options: Options) -> None:
        self._send = send
        self._plan = plan
        self._request = request
        self._options = options
        self._rewriter: Rewriter | ModuleRewriter | None = None

    async def send(self, message: Message) -> None:
        """Pass a message of the application on."""
        if message["type"] == "http.response.start":
            message = self._start(message)
        elif message["type"] == "http.response.body" and self._rewriter is not None:
            message = self._rewrite(message, self._rewriter)
        await self._send(message)

    def _start(self, message: Message) -> Message:
        headers: Headers = [
            (name.decode("latin-1"), value.decode("latin-1"))
            for name, value in message.get("headers", ())
        ]
        rewriter = open_rewriter(self._plan, self._request, message["status"], headers)
        self._rewriter = rewriter
        sent = outgoing_headers(self._plan, self._request, self._options, headers, rewriter)
        return {
            **message,
            "headers": [(name.lower().encode("latin-1"), v.encode("latin-1")) for name, v in sent],
        }

    def _rewrite(self, message: Message, rewriter: Rewriter | ModuleRewriter) -> Message:
        body = rewriter.feed(message.get("body", b""))
        if not message.get("more_body") and self._request.method != "HEAD":
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
        cookies=read_cookies(cookies),
        destination=values.get("sec-fetch-dest", ""),
    )
