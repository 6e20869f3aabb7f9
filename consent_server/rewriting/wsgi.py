"""WSGI middleware: wraps Flask, Django or any other WSGI application."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from types import TracebackType
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

Environ = dict[str, Any]
ExcInfo = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]
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
        request = _read_request(environ)
        exchange = Exchange(self._plan_source(), request, self._options)
        left_out = {f"HTTP_{name.upper().replace('-', '_')}" for name in REPLACED}
        inner = {name: value for name, value in environ.items() if name not in left_out}
        for name, value in exchange.asked().items():
            inner[f"HTTP_{name.upper().replace('-', '_')}"] = value
        state = _State()

        def start(
            status: str, headers: Headers, exc_info: ExcInfo | None = None
        ) -> Callable[[bytes], object]:
            # An application that fails may begin again, with another answer.
            state.body, sent = exchange.open(int(status[:3]), headers)
            write = start_response(status, sent, *([exc_info] if exc_info else []))
            return lambda data: write(state.feed(data))

        body = self._application(inner, start)
        return _Body(body, state, is_head=request.method == "HEAD")


@dataclass
class _State:
    """What rewrites the answer that was begun last."""

    body: Body | None = None

    def feed(self, data: bytes) -> bytes:
        return data if self.body is None else self.body.feed(data)


class _Body:
    """The answer's body; closed as the application's own is closed."""

    def __init__(self, body: Iterable[bytes], state: _State, *, is_head: bool) -> None:
        self._body = body
        self._state = state
        self._is_head = is_head

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._body:
            yield self._state.feed(chunk)
        if self._state.body is not None and not self._is_head:
            yield self._state.body.finish()

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
        headers={
            name[len("HTTP_") :].lower().replace("_", "-"): value
            for name, value in environ.items()
            if name.startswith("HTTP_")
        },
        cookies=read_cookies(environ.get("HTTP_COOKIE", "")),
    )
