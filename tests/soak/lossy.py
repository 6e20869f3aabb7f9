"""A lossy way: loses answers after they were given, sends requests twice, and holds things up."""

from __future__ import annotations

import http.client
import http.server
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class LossyWay:
    """Stands before a server on loopback; only decisions are mistreated."""

    target: int
    #: Shares of decisions.
    lost: float = 0.3
    doubled: float = 0.1
    #: The longest that a request is held up, in seconds; the mean is half of it.
    delay: float = 10.0
    counts: Counter[str] = field(default_factory=Counter)
    port: int = 0

    def mistreat(self) -> tuple[bool, bool, float]:
        """Return whether the answer is lost, whether it is sent twice, and how long it waits."""
        return (
            random.random() < self.lost,
            random.random() < self.doubled,
            random.uniform(0, self.delay),
        )


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def _pass_on(self) -> None:
        way = self.server.way
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        decides = self.command == "POST"
        lost, doubled, delay = way.mistreat() if decides else (False, False, 0.0)
        time.sleep(delay)
        answer = self._ask(body)
        if doubled:
            way.counts["doubled"] += 1
            answer = self._ask(body)
        way.counts["decisions" if decides else "others"] += 1
        if lost:
            way.counts["lost"] += 1
            self.close_connection = True
            return
        status, headers, content = answer
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in {"transfer-encoding", "connection", "content-length"}:
                self.send_header(name, value)
        if status not in {204, 304}:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_OPTIONS = _pass_on  # noqa: N815 (names of the base)

    def _ask(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.way.target, timeout=60)
        try:
            headers = {
                name: value for name, value in self.headers.items() if name.lower() != "connection"
            }
            connection.request(self.command, self.path, body or None, headers)
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base's name)
        """Say nothing."""


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 512
    way: LossyWay

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients leave when they like."""


@contextmanager
def lossy_way(target: int, *, delay: float) -> Iterator[LossyWay]:
    """Stand before the server at `target` on a free port."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.way = LossyWay(target, delay=delay)
    server.way.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.way
    finally:
        server.shutdown()
        server.server_close()
