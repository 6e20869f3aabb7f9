"""Owner pages: small pages of an imagined site owner, with headers that the demo does not have."""

from __future__ import annotations

import http.server
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

#: Where a page that comes in parts has a pause.
PAUSE = "<!--pause-->"
_PAUSE_SECONDS = 0.25


@dataclass
class OwnerPages:
    """A web server of the owner's: path -> (page, headers); reports sent to it are kept."""

    pages: dict[str, tuple[str, dict[str, str]]] = field(default_factory=dict)
    reports: list[str] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        """Base address, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def running_owner_pages() -> Iterator[OwnerPages]:
    """Serve for the length of a with block."""
    owner = OwnerPages()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body, headers = owner.pages.get(self.path, ("", {}))
            self.send_response(200 if body else 404)
            for name, value in {"Content-Type": "text/html; charset=utf-8", **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            for part in body.split(PAUSE):
                self.wfile.write(part.encode())
                self.wfile.flush()
                time.sleep(_PAUSE_SECONDS if PAUSE in body else 0)

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            owner.reports.append(self.rfile.read(length).decode())
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base's name)
            """Keep the test output quiet."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    owner.port = server.server_port
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield owner
    finally:
        server.shutdown()
        server.server_close()
