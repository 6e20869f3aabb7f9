"""WSGI middleware: wraps Flask, Django or any other WSGI application."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
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
from consent_server.rewriting.rewriter import Rewriter
from consent_server.rewriting.sources import PlanSource

Environ = dict[str, Any]
ExcInfo = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]
Opened = Rewriter | ModuleRewriter | None
StartResponse = Callable[..., Callable[[bytes], object]]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]


class ConsentMiddleware:
    """Rewrites pages and modules of a WSGI application; everything else passes as it is.

    `plan_source` is asked for each answer and says what the site's services are.
    """

    def __init__(
        self,
        application: Application,
        plan_source: PlanSource,
        *,
        policy: bool = False,
        clean: bool = True,
    ) -> None:
        self._application = application
        self._plan_source = plan_source
        self._options = Options(policy=policy, clean=clean)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        plan = self._plan_source()
        request = _read_request(environ)
        # What is compressed cannot be read: the server in front compresses what we send.
        environ = {**environ, "HTTP_ACCEPT_ENCODING": "identity"}
        state: dict[str, Opened] = {"rewriter": None}

        def start(
            status: str, headers: Headers, exc_info: ExcInfo | None = None
        ) -> Callable[[bytes], object]:
            rewriter = open_rewriter(plan, request, int(status[:3]), headers)
            state["rewriter"] = rewriter
            sent = outgoing_headers(plan, request, self._options, headers, rewriter)
            write = start_response(status, sent, *([exc_info] if exc_info else []))
            if rewriter is None:
                return write
            return lambda data: write(rewriter.feed(data))

        body = self._application(environ, start)
        return _Body(body, state, is_head=request.method == "HEAD")


class _Body:
    """The answer's body; closed as the application's own is closed."""

    def __init__(
        self,
        body: Iterable[bytes],
        state: dict[str, Opened],
        *,
        is_head: bool,
    ) -> None:
        self._body = body
        self._state = state
        self._is_head = is_head

    def __iter__(self) -> Iterator[bytes]:
        chunks = iter(self._body)
        # An application may begin its answer only when its first chunk is asked for.
        first = list(itertools.islice(chunks, 1))
        rewriter = self._state["rewriter"]
        for chunk in itertools.chain(first, chunks):
            yield chunk if rewriter is None else rewriter.feed(chunk)
        if rewriter is not None and not self._is_head:
            yield rewriter.finish()

    def close(self) -> None:
        """Let the application end its answer."""
        close = getattr(self._body, "close", None)
        if close is not None:
            close()


def _read_request(environ: Environ) -> Request:
    # Bytes, one character for each (PEP 3333).
    path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
    return Request(
        method=environ.get("REQUEST_METHOD", "GET"),
        host=environ.get("HTTP_HOST") or environ.get("SERVER_NAME", ""),
        path=path.encode("latin-1").decode("utf-8", "surrogateescape"),
        cookies=read_cookies(environ.get("HTTP_COOKIE", "")),
        destination=environ.get("HTTP_SEC_FETCH_DEST", ""),
    )
