"""Tracker stand-in: a local proxy that answers for every host but loopback and logs all of it."""

from __future__ import annotations

import datetime as dt
import http.server
import ipaddress
import socket
import socketserver
import ssl
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import TracebackType
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from .tracker_answers import Answer, answer_for

# Hosts that a browser calls by itself, whatever the page holds. Each was seen with an empty page
# open; none of them serves a tracker, so leaving them out cannot hide one.
BROWSER_OWN_HOSTS = frozenset(
    {
        # Firefox: remote settings, their signatures and attachments.
        "firefox.settings.services.mozilla.com",
        "content-signature-2.cdn.mozilla.net",
        "firefox-settings-attachments.cdn.mozilla.net",
        # Firefox: captive portal and connectivity probes, push connection.
        "detectportal.firefox.com",
        "push.services.mozilla.com",
        # Chromium: component updates, field trials, sign-in state.
        "update.googleapis.com",
        "clients2.google.com",
        "accounts.google.com",
        "optimizationguide-pa.googleapis.com",
    }
)


@dataclass(frozen=True)
class Seen:
    """One thing that reached the stand-in: a CONNECT (tunnel opened) or a request inside it."""

    method: str
    host: str
    path: str
    query: str
    cookies: str
    at: float

    @property
    def url(self) -> str:
        """Address as the page wrote it, without the query."""
        return f"https://{self.host}{self.path}"

    @property
    def full_url(self) -> str:
        """Address with its query, for comparing with a tag's URL prefix."""
        return f"{self.url}?{self.query}" if self.query else self.url


@dataclass(frozen=True)
class Run:
    """A script of the stand-in that ran: its address and its place in the order of the page."""

    url: str
    place: int


@dataclass
class Trackers:
    """The stand-in of one test; start() gives it a port, everything seen lands in its log."""

    delays: dict[str, float] = field(default_factory=dict)
    #: Takes host, path, query and what the browser wants it for.
    answer: Callable[[str, str, str, str], Answer] = answer_for
    #: Answers that a vendor's own code needs before it goes on, by URL prefix.
    answers: dict[str, Answer] = field(default_factory=dict)
    _log: list[Seen] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _server: _ProxyServer | None = None

    def start(self) -> Trackers:
        """Listen on a free loopback port."""
        self._server = _ProxyServer(("127.0.0.1", 0), _Tunnel)
        self._server.trackers = self
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        ).start()
        return self

    def stop(self) -> None:
        """Close the port; open tunnels end with their browser."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()

    def __enter__(self) -> Trackers:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def proxy_port(self) -> int:
        """Port to name as the browser's HTTP proxy."""
        assert self._server is not None, "start() first"
        return int(self._server.server_address[1])

    @property
    def seen(self) -> list[Seen]:
        """Everything that arrived, tunnels included, without the browser's own calls."""
        with self._lock:
            return [one for one in self._log if one.host not in BROWSER_OWN_HOSTS]

    @property
    def requests(self) -> list[Seen]:
        """Requests of the page itself: no tunnels, no reports of scripts that ran."""
        return [one for one in self.seen if one.method != "CONNECT" and one.path != "/ran"]

    @property
    def runs(self) -> list[Run]:
        """Scripts that ran, in the order in which they ran in their page."""
        reports = [parse_qs(one.query) for one in self.seen if one.path == "/ran"]
        runs = [Run(url=report["u"][0], place=int(report["n"][0])) for report in reports]
        return sorted(runs, key=lambda run: run.place)

    def hosts(self) -> set[str]:
        """Every host that was asked or only connected to."""
        return {one.host for one in self.seen}

    def clear(self) -> None:
        """Forget what was seen so far."""
        with self._lock:
            self._log.clear()

    def log(self, seen: Seen) -> None:
        """Take one entry; called from the tunnels' threads."""
        with self._lock:
            self._log.append(seen)

    def delay_of(self, url: str) -> float:
        """Seconds to hold the answer back, by URL prefix."""
        return next((s for prefix, s in self.delays.items() if url.startswith(prefix)), 0.0)

    def own_answer(self, url: str) -> Answer | None:
        """Answer that a test gave for this URL prefix."""
        return next((a for prefix, a in self.answers.items() if url.startswith(prefix)), None)


class _ProxyServer(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """Accepts what a browser sends to its HTTP proxy."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64
    trackers: Trackers

    def handle_error(self, request: object, client_address: object) -> None:
        """Browsers drop tunnels all the time: that is no event worth a traceback."""


class _Tunnel(http.server.BaseHTTPRequestHandler):
    """One connection of a browser: CONNECT first, then the requests inside the tunnel."""

    protocol_version = "HTTP/1.1"
    server: _ProxyServer
    tunnelled_host = ""

    def do_CONNECT(self) -> None:
        """Open the tunnel by answering it ourselves, whatever host was asked for."""
        self.tunnelled_host = self.path.rpartition(":")[0].lower()
        self._log("CONNECT", self.tunnelled_host, "", "")
        self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        self.wfile.flush()
        first = self.connection.recv(1, socket.MSG_PEEK)
        if first == b"\x16":  # TLS handshake record; anything else is plain text (ws://)
            self.connection = _tls_context().wrap_socket(self.connection, server_side=True)
            self.rfile = self.connection.makefile("rb", -1)
            self.wfile = self.connection.makefile("wb", 0)
        self.close_connection = not first

    def finish(self) -> None:
        """Close the TLS layer too: the server knows only the plain socket under it."""
        super().finish()
        self.connection.close()

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if length:
            self.rfile.read(length)
        target = urlsplit(self.path)
        host = self.tunnelled_host or (target.hostname or "")
        self._log(self.command, host, target.path, target.query)
        url = f"https://{host}{self.path if self.tunnelled_host else target.path}"
        delay = self.server.trackers.delay_of(url)
        if delay:
            time.sleep(delay)
        wanted = self.headers.get("Sec-Fetch-Dest", "")
        own = self.server.trackers.own_answer(url)
        self._send(own or self.server.trackers.answer(host, target.path, target.query, wanted))

    do_GET = do_POST = do_HEAD = do_PUT = do_OPTIONS = _answer  # noqa: N815 (names of the base)

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Access-Control-Allow-Origin", self.headers.get("Origin", "*"))
        self.send_header("Access-Control-Allow-Credentials", "true")
        # With credentials "*" is a name like any other (Fetch, 3.3.5).
        asked = self.headers.get("Access-Control-Request-Headers", "*")
        self.send_header("Access-Control-Allow-Headers", asked)
        self.send_header("Access-Control-Allow-Methods", "GET, POST, OPTIONS")
        self.send_header("Timing-Allow-Origin", "*")
        for value in answer.set_cookies:
            self.send_header("Set-Cookie", value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    def _log(self, method: str, host: str, path: str, query: str) -> None:
        cookies = self.headers.get("Cookie") or ""
        self.server.trackers.log(Seen(method, host, path, query, cookies, time.monotonic()))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (name of the base)
        """Keep the test output quiet; the log is the record."""


@contextmanager
def running_trackers() -> Iterator[Trackers]:
    """A stand-in for the length of a with block."""
    with Trackers() as trackers:
        yield trackers


@cache
def _tls_context() -> ssl.SSLContext:
    """One self-signed certificate per process; the browsers are told not to check it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tracker stand-in")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=2))
        .add_extension(
            x509.SubjectAlternativeName(
                [
                    x509.DNSName("*.com"),
                    x509.DNSName("localhost"),
                    x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
                ]
            ),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ) + certificate.public_bytes(serialization.Encoding.PEM)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "stand-in.pem")
        file.write_bytes(pem)
        context.load_cert_chain(file)
    return context
