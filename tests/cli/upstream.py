"""Upstream: a site's own server behind the proxy, which remembers what it was asked."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Ping,
    Pong,
    Request,
    TextMessage,
)

PAGE = b"<!doctype html><html><head><title>A</title>"
REST = b"</head><img src=https://www.facebook.com/tr></html>"


@dataclass
class Upstream:
    """Its address, the requests that came, and the gate that the second half waits at."""

    port: int = 0
    asked: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    #: Codes with which websockets were closed, and answers to our pings.
    ended: list[int] = field(default_factory=list)
    pongs: list[bytes] = field(default_factory=list)
    #: Event streams that the other side ended.
    left_alone: list[bool] = field(default_factory=list)
    may_go_on: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


class _Server(http.server.ThreadingHTTPServer):
    upstream: Upstream


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        upstream = self.server.upstream
        upstream.asked.append((self.command, self.path, dict(self.headers.items()), self._body()))
        if self.path.endswith("/moved"):
            self._head(302, ("Location", "/elsewhere"), ("Content-Length", "0"))
        elif self.headers.get("Upgrade") == "websocket" and "/away" not in self.path:
            self._echo()
        elif self.path.endswith("/events"):
            self._head(200, ("Content-Type", "text/event-stream"), ("Transfer-Encoding", "chunked"))
            self._chunk(b"data: 1\n\n")
            self.connection.settimeout(20)
            # Nothing more to tell, until the other side ends it.
            upstream.left_alone.append(self.connection.recv(1) == b"")
            self.close_connection = True
        elif self.path.endswith("/slow"):
            self._head(200, ("Content-Type", "text/html"), ("Transfer-Encoding", "chunked"))
            self._chunk(PAGE)
            upstream.may_go_on.wait(20)
            self._chunk(REST)
            self._chunk(b"")
        else:
            self._whole(PAGE + REST)

    do_POST = do_HEAD = do_GET  # noqa: N815 (the base's names)

    def _echo(self) -> None:
        """Say every message again, until one says "end"."""
        connection = WSConnection(ConnectionType.SERVER)
        lines = "".join(f"{name}: {value}\r\n" for name, value in self.headers.items())
        connection.receive_data(f"GET {self.path} HTTP/1.1\r\n{lines}\r\n".encode("latin-1"))
        [asked] = connection.events()
        assert isinstance(asked, Request)
        chosen = next(iter(asked.subprotocols), None)
        self.wfile.write(connection.send(AcceptConnection(subprotocol=chosen)))
        self.wfile.write(connection.send(Ping(b"alive?")))
        while data := self.connection.recv(65_536):
            connection.receive_data(data)
            for event in connection.events():
                self._answer(connection, event)
        self.close_connection = True

    def _answer(self, connection: WSConnection, event: Event) -> None:
        if isinstance(event, CloseConnection):
            self.server.upstream.ended.append(event.code)
            self.wfile.write(connection.send(event.response()))
        elif isinstance(event, Pong):
            self.server.upstream.pongs.append(bytes(event.payload))
        elif isinstance(event, TextMessage) and event.data == "end":
            self.wfile.write(connection.send(CloseConnection(code=4001, reason="ended")))
        elif isinstance(event, TextMessage | BytesMessage):
            self.wfile.write(connection.send(event))

    def _whole(self, page: bytes) -> None:
        kind = "application/octet-stream" if self.path.endswith(".bin") else "text/html"
        # A connection that is kept would outlive the server.
        kept = "close" if self.path.endswith("/healthz") else "keep-alive"
        length = ("Content-Length", str(len(page)))
        cookies = (("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"))
        self._head(200, ("Content-Type", kind), length, ("Connection", kept), *cookies)
        if self.command != "HEAD":
            self.wfile.write(page)

    def _body(self) -> bytes:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if "chunked" in (self.headers.get("Transfer-Encoding") or ""):
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
        return body

    def _head(self, status: int, *headers: tuple[str, str]) -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base's name)
        """Keep the test output quiet."""


@contextmanager
def running_upstream() -> Iterator[Upstream]:
    """Serve for the length of a with block."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.upstream = upstream = Upstream(server.server_port)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield upstream
    finally:
        upstream.may_go_on.set()
        server.shutdown()
        server.server_close()
