"""Asking: decisions as programs send them, and what came back, for whoever measures a server."""

from __future__ import annotations

import asyncio
import json
import math
import secrets
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from consent_server.rules.times import spell_time

Body = dict[str, Any]


@dataclass
class Answers:
    """What came back: how often each status, and how long each took in seconds."""

    statuses: dict[int, int] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    #: When each was asked for, on the clock of `time.perf_counter`.
    began: list[float] = field(default_factory=list)

    def note(self, status: int, began: float) -> None:
        """Count one answer that came just now."""
        self.statuses[status] = self.statuses.get(status, 0) + 1
        self.seconds.append(time.perf_counter() - began)
        self.began.append(began)

    def percentile(self, part: float) -> float:
        """Milliseconds that this part of the answers took at most."""
        ordered = sorted(self.seconds) or [math.nan]
        return ordered[min(len(ordered) - 1, int(len(ordered) * part))] * 1000

    def slowest(self) -> list[float]:
        """Milliseconds of the slowest answer of each second, from the first on."""
        found: dict[int, float] = {}
        for began, seconds in zip(self.began, self.seconds, strict=True):
            second = int(began - min(self.began))
            found[second] = max(found.get(second, 0.0), round(seconds * 1000, 1))
        return [found.get(second, 0.0) for second in range(max(found, default=-1) + 1)]


@dataclass(frozen=True)
class Target:
    """Where decisions of one site are sent, and what they are made of."""

    port: int
    path: str
    template: Body

    def request(self, address: str) -> bytes:
        """Return the decision of a new visitor, as the web server in front hands it on."""
        decision = {
            **self.template,
            "decision_id": str(uuid4()),
            "subject_id": secrets.token_hex(16),
            "decided_at": spell_time(datetime.now(UTC)),
        }
        body = json.dumps(decision, separators=(",", ":")).encode()
        head = (
            f"POST {self.path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n"
            f"X-Forwarded-For: {address}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


class Connection:
    """One kept-alive connection to the server."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._pair: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def decide(self, address: str, answers: Answers) -> None:
        """Send the decision of a new visitor from that address, and wait for the answer."""
        request, began = self._target.request(address), time.perf_counter()
        try:
            if self._pair is None:
                self._pair = await asyncio.open_connection("127.0.0.1", self._target.port)
            reader, writer = self._pair
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
            await reader.readexactly(int(length or 0))
            answers.note(int(head[9:12]), began)
        except (OSError, asyncio.IncompleteReadError):
            await self.close()
            answers.note(0, began)

    async def close(self) -> None:
        """Hang up."""
        pair, self._pair = self._pair, None
        if pair is not None:
            pair[1].close()
            with suppress(OSError):
                await pair[1].wait_closed()
