"""Site server: a site's own server, which is told over real HTTP, and what waits for it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from consent_server.cli import deliveries
from consent_server.site_secrets import open_site_secrets
from consent_server.sites import find_site
from consent_server.store.database import Database
from consent_server.store.outside_models import WebhookDelivery
from consent_server.webhooks import find_webhook, secrets_of, set_webhook


class Receiver:
    """A site's own server: keeps what it gets, and answers as told."""

    def __init__(self) -> None:
        self.url = ""
        self.status = 204
        #: What stands in the messages that it answers with 400.
        self.refused = ""
        #: What happens while it reads the first message.
        self.meanwhile: Callable[[], None] | None = None
        self.got: list[tuple[dict[str, str], bytes]] = []

    def bodies(self) -> list[dict[str, Any]]:
        """What it got, as JSON."""
        return [json.loads(body) for _, body in self.got]


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Serve one for as long as this holds."""
    found = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.got.append((dict(self.headers), body))
            meanwhile, found.meanwhile = found.meanwhile, None
            if meanwhile is not None:
                meanwhile()
            refused = found.refused and found.refused.encode() in body
            self.send_response(400 if refused else found.status)
            self.send_header("Location", "http://127.0.0.1:1/elsewhere")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base's name)
            """Keep the test output quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    found.url = f"http://127.0.0.1:{server.server_port}/consent"
    try:
        yield found
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def set_hook(store: Database, url: str, every_decision: bool = False) -> None:
    """Let the Smilee site's server be told at that address."""
    with store.write() as session:
        site = find_site(session, "smilee")
        set_webhook(session, site, url, every_decision=every_decision, now=datetime.now(UTC))


def secrets_here(store: Database, folder: Path, now: datetime | None = None) -> tuple[str, ...]:
    """Return the secrets that sign what the Smilee site's server is told."""
    now = now or datetime.now(UTC)
    with store.read() as session:
        webhook = find_webhook(session, find_site(session, "smilee"))
        return secrets_of(webhook, "smilee", open_site_secrets(folder, now=now), now=now)


def waiting(store: Database) -> list[WebhookDelivery]:
    """Return what did not arrive yet, and what was given up."""
    with store.read() as session:
        return list(session.scalars(select(WebhookDelivery)))


def let_pass(monkeypatch: pytest.MonkeyPatch, time: timedelta) -> datetime:
    """Let the time go on for whoever delivers; return what it is then."""
    later = datetime.now(UTC) + time
    monkeypatch.setattr(deliveries, "now", lambda: later)
    return later
