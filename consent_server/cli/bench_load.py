"""Load of the bench: asks one thing over many connections, in a process of its own.

Its input is a JSON object on stdin, its output one on stdout. Standard library only, and
no part of the server: what it costs must not be counted as the server's.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
import time
from datetime import UTC, datetime
from typing import Any, cast
from uuid import uuid4

_END = b"\r\n\r\n"
_LENGTH = b"content-length:"


class _Connection(asyncio.Protocol):
    """Sends the next request when the answer to the last one is complete."""

    def __init__(self, load: _Load) -> None:
        self._load = load
        self._buffer = b""
        self._wanted = -1
        self._status = 0
        self._began = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._send()

    def _send(self) -> None:
        if time.perf_counter() >= self._load.until:
            self._transport.close()
            return
        self._began = time.perf_counter()
        self._transport.write(self._load.next_request())

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if self._wanted < 0:
            head, found, _ = self._buffer.partition(_END)
            if not found:
                return
            self._status = int(head[9:12])
            self._wanted = len(head) + len(_END) + _body_length(head.lower())
        if len(self._buffer) >= self._wanted:
            self._load.count(self._status, time.perf_counter() - self._began)
            self._buffer, self._wanted = b"", -1
            self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        self._load.ended(cut_off=bool(self._buffer) or exc is not None)


class _Load:
    """What is asked, until when, and what came back."""

    def __init__(self, asked: dict[str, Any]) -> None:
        self._asked = asked
        self.until = 0.0
        self._seconds: list[float] = []
        self._statuses: dict[int, int] = {}
        self._cut_off = 0
        self._open = asked["connections"]
        self._over = asyncio.Event()

    def next_request(self) -> bytes:
        """Return the bytes of one request; a decision is another one each time."""
        body = b""
        if self._asked["decision"] is not None:
            decision = {
                **self._asked["decision"],
                "decision_id": str(uuid4()),
                "subject_id": secrets.token_hex(16),
                "decided_at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            }
            body = json.dumps(decision, separators=(",", ":")).encode()
        head: str = self._asked["head"]
        return head.replace("LENGTH", str(len(body))).encode() + body

    def count(self, status: int, seconds: float) -> None:
        """Count one answer."""
        self._statuses[status] = self._statuses.get(status, 0) + 1
        self._seconds.append(seconds)

    def ended(self, *, cut_off: bool) -> None:
        """Count a connection that is closed."""
        self._cut_off += cut_off
        self._open -= 1
        if not self._open:
            self._over.set()

    async def run(self) -> dict[str, Any]:
        """Ask for as long as wanted; return counts and times."""
        loop = asyncio.get_running_loop()
        began = time.perf_counter()
        self.until = began + self._asked["seconds"]
        for _ in range(self._asked["connections"]):
            await loop.create_connection(
                lambda: _Connection(self), "127.0.0.1", self._asked["port"]
            )
        await self._over.wait()
        took = time.perf_counter() - began
        ordered = sorted(self._seconds) or [0.0]
        return {
            "statuses": self._statuses,
            "cut_off": self._cut_off,
            "per_second": len(self._seconds) / took,
            "p50_ms": ordered[len(ordered) // 2] * 1000,
            "p99_ms": ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)] * 1000,
        }


def _body_length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        if line.startswith(_LENGTH):
            return int(line[len(_LENGTH) :])
    return 0


async def _run(asked: dict[str, Any]) -> dict[str, Any]:
    return await _Load(asked).run()


if __name__ == "__main__":
    json.dump(asyncio.run(_run(json.load(sys.stdin))), sys.stdout)
