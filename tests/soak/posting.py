"""Posting: connections that send each decision until it is acknowledged, by the million.

What each was told is kept as a digest of the receipt, to be compared with what is exported.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import secrets
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from consent_server.audit import COLUMNS
from consent_server.rules.times import spell_time
from tests.soak.million import event_id_of

#: The widget waits two seconds and more.
_RETRY_SECONDS = 0.2
_Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def digest(receipt: dict[str, Any]) -> bytes:
    """Return what two equal receipts have in common, and no others."""
    # A bundle adds the place in the ledger.
    spelt = json.dumps([receipt[name] for name in COLUMNS], sort_keys=True)
    return hashlib.blake2b(spelt.encode(), digest_size=16).digest()


def digests(lines: Iterable[bytes]) -> Iterator[tuple[str, bytes]]:
    """Give the id and the digest of each exported record."""
    for line in lines:
        record = json.loads(line)
        yield record["event_id"], digest(record)


@dataclass
class Posting:
    """So many decisions, each of a new visitor, on so many connections."""

    port: int
    template: dict[str, Any]
    posts: int
    connections: int
    #: What the last refusal brought, as the widget takes it.
    proof: str = ""
    #: Digest of each receipt by the id of its decision.
    told: dict[str, bytes] = field(default_factory=dict)
    #: How often each status came, and "cut off".
    answers: Counter[str] = field(default_factory=Counter)
    #: How many decisions needed more than one attempt.
    retried: int = 0
    _given_up: threading.Event = field(default_factory=threading.Event)
    _pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1))
    _done: Future[None] | None = None

    def start(self) -> None:
        """Begin; a browser test may keep a loop running in this thread, so in another one."""
        self._done = self._pool.submit(asyncio.run, self._run())

    def wait(self, seconds: float) -> None:
        """Wait until the last is acknowledged; raises what a client should never have seen."""
        assert self._done is not None
        self._done.result(seconds)

    def wait_for(self, number: int, seconds: float) -> float:
        """Wait until so many are acknowledged; return the seconds that it took."""
        assert self._done is not None
        began = time.monotonic()
        while len(self.told) < number:
            if self._done.done():
                self._done.result()
            assert time.monotonic() - began < seconds, "decisions were never taken again"
            time.sleep(0.005)
        return time.monotonic() - began

    def give_up(self) -> None:
        """End, whatever is under way."""
        self._given_up.set()
        self._pool.shutdown()

    async def _run(self) -> None:
        numbers = iter(range(self.posts))
        await asyncio.gather(*(self._work(numbers) for _ in range(self.connections)))

    async def _work(self, numbers: Iterator[int]) -> None:
        rng, streams = random.Random(), None
        for _ in numbers:
            if self._given_up.is_set():
                break
            moment = datetime.now(UTC)
            decision = {
                **self.template,
                "decision_id": str(event_id_of(moment, rng)),
                "subject_id": secrets.token_hex(16),
                "decided_at": spell_time(moment),
            }
            streams = await self._bring(streams, decision)
        if streams is not None:
            streams[1].close()

    async def _bring(self, streams: _Streams | None, decision: dict[str, Any]) -> _Streams | None:
        """Send a decision until it is acknowledged; return the connection to go on with."""
        body, attempts = json.dumps(decision, separators=(",", ":")).encode(), 0
        while not self._given_up.is_set():
            try:
                streams = streams or await asyncio.open_connection("127.0.0.1", self.port)
                status, answer = await self._send(streams, body)
            except (OSError, asyncio.IncompleteReadError):
                self.answers["cut off"] += 1
                await _hang_up(streams)
                streams = None
            else:
                if status == 403 and "proof" in answer:
                    self.proof = answer["proof"]
                    continue
                self.answers[str(status)] += 1
                if status in {200, 201}:
                    self.told[decision["decision_id"]] = digest(answer)
                    self.retried += attempts > 0
                    return streams
                assert status in {503, 507}, f"{status} {answer}"
            attempts += 1
            await asyncio.sleep(_RETRY_SECONDS)
        return streams

    async def _send(self, streams: _Streams, body: bytes) -> tuple[int, dict[str, Any]]:
        reader, writer = streams
        head = (
            f"POST /w/smilee/decisions?proof={self.proof} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        writer.write(head.encode() + body)
        answered = await reader.readuntil(b"\r\n\r\n")
        length = answered.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
        return int(answered[9:12]), json.loads(await reader.readexactly(int(length or 0)))


async def _hang_up(streams: _Streams | None) -> None:
    if streams is not None:
        streams[1].close()
        with suppress(OSError):
            await streams[1].wait_closed()
