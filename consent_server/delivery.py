"""Delivery: one HTTP request to a place that the operator named, bounded in time and size."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from consent_server import __version__
from consent_server.errors import ConsentError

#: Of one wait for the other side, and of all of them together.
_WAIT_SECONDS = 5.0
_ALL_SECONDS = 15.0
#: A witness answers with a few lines.
_MAX_ANSWER = 64 * 1024


class NotDelivered(ConsentError):
    """The other side did not take what it was sent; the message says what it said."""

    status, code, title = 502, "not_delivered", "What was sent was not taken"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the other side said."""

    status: int
    content_type: str
    body: bytes


def post(address: str, body: bytes, headers: Mapping[str, str] | None = None) -> Answer:
    """Send a text and return the answer, whatever its status; follows no redirect.

    Raises NotDelivered when there is none, or one that is too long or too slow.
    """
    parts = urlsplit(address)
    path = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
    sent = {
        "Content-Type": "text/plain; charset=utf-8",
        "User-Agent": f"consent-server/{__version__}",
        **(headers or {}),
    }
    deadline = time.monotonic() + _ALL_SECONDS
    try:
        with closing(_connect(parts.scheme, parts.hostname or "", parts.port)) as connection:
            connection.connect()
            with _cut_off(connection.sock, deadline):
                connection.request("POST", path, body, sent)
                answer = connection.getresponse()
                found = _read(answer, deadline)
            return Answer(answer.status, answer.headers.get_content_type(), found)
    except (OSError, http.client.HTTPException, UnicodeError) as error:
        # UnicodeError: of an address that was set before such were refused.
        raise NotDelivered(f"{address}: {error or type(error).__name__}") from error


def _connect(scheme: str, host: str, port: int | None) -> http.client.HTTPConnection:
    if scheme == "https":
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(host, port, timeout=_WAIT_SECONDS, context=context)
    return http.client.HTTPConnection(host, port, timeout=_WAIT_SECONDS)


@contextmanager
def _cut_off(wire: socket.socket, deadline: float) -> Iterator[None]:
    """End the connection at the deadline: a timeout of the socket lets a trickle go on for ever.

    To whoever reads then, a head or a body ends there.
    """
    cut = threading.Timer(max(0.0, deadline - time.monotonic()), _end, (wire,))
    cut.daemon = True
    cut.start()
    try:
        yield
    finally:
        cut.cancel()


def _end(wire: socket.socket) -> None:
    with suppress(OSError):  # it was closed meanwhile
        # Below TLS, which would wait for the other side.
        socket.socket.shutdown(wire, socket.SHUT_RDWR)


def _read(answer: http.client.HTTPResponse, deadline: float) -> bytes:
    """Read in pieces, no more than there may be; what was cut off is no answer."""
    body = b""
    while piece := answer.read1(_MAX_ANSWER):
        body += piece
        if len(body) > _MAX_ANSWER:
            raise http.client.HTTPException("the answer is too long")
    if time.monotonic() >= deadline:
        raise http.client.HTTPException("the answer takes too long")
    return body
