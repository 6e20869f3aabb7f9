"""Rewritten pages: a web server of the owner's whose pages pass through the middleware."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from consent_server.rewriting import ConsentMiddleware, RewritePlan


@dataclass
class RewrittenPages:
    """path -> page as the owner wrote it; served with its trackers inert, or as it is."""

    plan: RewritePlan
    pages: dict[str, str] = field(default_factory=dict)
    headers: list[tuple[str, str]] = field(default_factory=list)
    rewrites: bool = True
    port: int = 0

    @property
    def url(self) -> str:
        """Base address, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer as the owner's application."""
        serve = ConsentMiddleware(self._serve, lambda: self.plan) if self.rewrites else self._serve
        return serve(environ, start_response)

    def _serve(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        body = self.pages.get(environ["PATH_INFO"])
        if body is None:
            start_response("404 Not Found", [("Content-Type", "text/plain")])
            return [b""]
        kind = "text/javascript" if environ["PATH_INFO"].endswith(".js") else "text/html"
        start_response("200 OK", [("Content-Type", f"{kind}; charset=utf-8"), *self.headers])
        return [body.encode()]


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base's name)
        """Keep the test output quiet."""


@contextmanager
def running_rewritten_pages(plan: RewritePlan) -> Iterator[RewrittenPages]:
    """Serve for the length of a with block."""
    pages = RewrittenPages(plan)
    server = make_server("127.0.0.1", 0, pages, server_class=_Server, handler_class=_Quiet)
    pages.port = server.server_port
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield pages
    finally:
        server.shutdown()
        server.server_close()
