"""Own server: the web server behind a front end, with an API, fragments and tiles; it logs."""

from __future__ import annotations

import contextlib
import http.server
import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

_HERE = Path(__file__).parent
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
}
_ITEMS = [{"id": 1, "name": "Lamp"}, {"id": 2, "name": "Chair"}]
#: Pieces of pages, and answers that nobody reads.
_SAID = {
    "/fragments/second": "<p id=second>Second</p><script>document.title = 'Second';</script>",
    "/fragments/late": "<p id=late>Came late</p>",
    "/api/beacon": "",
    "/api/ping": "",
    "/favicon.ico": "",
}
_TILE = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="256" height="256">'
    '<rect width="256" height="256" fill="#eee"/><text x="9" y="99">{}</text></svg>'
)


@dataclass
class OwnServer:
    """What the owner serves; `tag` goes first into the head of each page."""

    bundles: Path
    tag: str = ""
    port: int = 0
    requests: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        """Base address, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    def log(self, request: str) -> None:
        """Count one request; called from the server's threads."""
        with self._lock:
            self.requests[request] += 1

    def answer(self, method: str, address: str, body: bytes) -> tuple[int, str, bytes]:
        """Status, content type and body for one request."""
        path = urlsplit(address).path
        if path == "/api/stream":
            return 200, "text/event-stream", b"data: from the stream\n\n"
        if path == "/api/items":
            name = json.loads(body)["name"] if body else ""
            found = {"id": 3, "name": name, "own": True} if method != "GET" else _ITEMS
            return 200, "application/json", json.dumps(found).encode()
        if path == "/api/form":
            fields = parse_qs(body.decode())
            said = fields.get("name", ["as a whole"])[0]
            return 200, "text/html", f"<p class=said>Thank you, {said}</p>".encode()
        if path in _SAID:
            return 200, "text/html", _SAID[path].encode()
        return self._file(path)

    def _file(self, path: str) -> tuple[int, str, bytes]:
        if path.startswith("/tiles/"):
            return 200, "image/svg+xml", _TILE.format(path).encode()
        front_end = path.split("/")[1]
        page = _HERE / "src" / front_end / "index.html"
        if front_end == "assets":
            file = _HERE / path[1:]
        elif Path(path).suffix:
            file = self.bundles / path[1:]
        else:  # the front end's own router takes every address below
            file = page
        if not file.is_file():
            return 404, "text/plain", b"There is nothing here."
        content = file.read_bytes()
        if file == page:
            content = content.replace(b"<!-- tag -->\n", self.tag.encode())
        return 200, _TYPES[file.suffix], content


@contextmanager
def running_own_server(bundles: Path) -> Iterator[OwnServer]:
    """Serve for the length of a with block."""
    own = OwnServer(bundles)

    class Handler(http.server.BaseHTTPRequestHandler):
        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.path != "/favicon.ico":  # asked for once per browser, not per page
                own.log(f"{self.command} {self.path}")
            status, content_type, content = own.answer(self.command, self.path, body)
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            # How often a picture is asked for must not depend on what else is under way.
            lasting = content_type == "image/svg+xml"
            self.send_header("Cache-Control", "max-age=600" if lasting else "no-store")
            self.end_headers()
            with contextlib.suppress(ConnectionError):  # a frame that is gone waits for nothing
                self.wfile.write(content)

        do_GET = do_POST = do_PUT = _answer  # noqa: N815 (names of the base)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base's name)
            """Keep the test output quiet."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    own.port = server.server_port
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield own
    finally:
        server.shutdown()
        server.server_close()
