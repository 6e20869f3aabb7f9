"""Pages of the matrix: one per case and level, unchanged or declared by the owner."""

from __future__ import annotations

import http.server
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from .case import Case

#: control: without us; gate and strict: one tag, nothing changed; declared: the owner's own work;
#: rewritten: the page changed on its way out.
Level = Literal["control", "gate", "strict", "declared", "rewritten"]
LEVELS: tuple[Level, ...] = ("gate", "strict", "declared", "rewritten")

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<script>function mark(words) {{ console.debug('mark ' + words);
(top.__said = top.__said || []).push('mark ' + words); }} window.__ran = [];</script>
{head}</head><body>{body}</body></html>
"""
_PAUSE = 0.25  # seconds between two chunks of a page that comes in pieces
_TYPES = {"js": "text/javascript", "html": "text/html; charset=utf-8"}

Rewrite = Callable[[bytes], bytes]


@dataclass
class MatrixPages:
    """The owner's web server."""

    server_url: str = ""
    port: int = 0
    cases: dict[str, Case] = field(default_factory=dict)
    rewrite: Rewrite | None = None
    #: The same for modules, as the middleware changes them on their way out.
    rewrite_module: Rewrite | None = None

    @property
    def url(self) -> str:
        """Base address, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    def address(self, level: Level, case: Case) -> str:
        """Where the page of a case is."""
        self.cases[case.name] = case
        return f"{self.url}/{level}/{case.name}"

    def page(self, level: Level, case: Case) -> str:
        """The whole page as it leaves."""
        head, body = case.fragment(declared=level == "declared")
        return self._finish(level, _PAGE.format(title=case.name, head=head, body=body))

    def file(self, level: Level, case: Case, name: str) -> str:
        """A further file of the page's own origin; a page of the site has the site's tag, too."""
        text = case.spell(case.files[name])
        return self._finish(level, text) if name.endswith(".html") else text

    def _finish(self, level: Level, page: str) -> str:
        site = "" if level in {"control", "rewritten"} else f"matrix-{level}"
        tag = f'<script src="{self.server_url}/w/{site}.js"></script>' if site else ""
        page = page.replace("<head>", f"<head>{tag}", 1)
        if level == "rewritten":
            assert self.rewrite is not None
            return self.rewrite(page.encode()).decode()
        return page


@contextmanager
def running_pages(pages: MatrixPages) -> Iterator[MatrixPages]:
    """Serve for the length of a with block."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path).path.strip("/").split("/")
            referer = urlsplit(self.headers.get("Referer", "")).path.strip("/").split("/")
            if parts[0] == "files":
                case = pages.cases.get(referer[-1])
                level: Level = referer[0]  # type: ignore[assignment]
                text = pages.file(level, case, parts[-1]) if case else ""
                if level == "rewritten" and self.headers.get("Sec-Fetch-Dest") == "script":
                    assert pages.rewrite_module is not None
                    text = pages.rewrite_module(text.encode()).decode()
                self._send(text, parts[-1].split(".")[-1])
            elif parts[-1] in pages.cases:
                level = parts[0]  # type: ignore[assignment]
                self._send(pages.page(level, pages.cases[parts[-1]]), "html")
            else:
                self._send("<!doctype html><title>Elsewhere</title>", "html")

        do_POST = do_GET  # noqa: N815 (a name of the base)

        def _send(self, text: str, ending: str) -> None:
            self.send_response(200 if text else 404)
            self.send_header("Content-Type", _TYPES.get(ending, "text/plain"))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            for number, chunk in enumerate(text.split("<!--wait-->")):
                time.sleep(_PAUSE * bool(number))
                self.wfile.write(chunk.encode())
                self.wfile.flush()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base's name)
            """Keep the test output quiet."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    pages.port = server.server_port
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield pages
    finally:
        server.shutdown()
        server.server_close()
