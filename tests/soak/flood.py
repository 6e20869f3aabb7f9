"""A flood on one site: what is stored, who is still heard, and what another site notices.

    python -m tests.soak.flood FOLDER [--posts 1000000] [--rate 0] [--addresses 1000]

starts a server, asks the other site steadily for a while, then floods the first one with
decisions as a program makes them (each with a good render proof and a new id, from many
addresses by way of one trusted proxy), while one honest visitor decides each second.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import secrets
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import func, select

from consent_server.rules.times import spell_time
from consent_server.store.database import Database
from consent_server.store.models import ConsentEvent, Site
from tests.browser.running_server import RunningServer
from tests.cli.test_killed import read_template
from tests.visitor import fetch_proof

FLOODED, OTHER = "smilee", "jackbot"
#: Of the other site; more than a large site has.
_STEADY_RATE = 20.0
_CONNECTIONS = 16
Body = dict[str, Any]


@dataclass
class Answers:
    """What came back: how often each status, and how long each took in seconds."""

    statuses: dict[int, int] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)

    def note(self, status: int, seconds: float) -> None:
        """Count one answer."""
        self.statuses[status] = self.statuses.get(status, 0) + 1
        self.seconds.append(seconds)

    def percentile(self, part: float) -> float:
        """Milliseconds that this part of the answers took at most."""
        ordered = sorted(self.seconds) or [math.nan]
        return ordered[min(len(ordered) - 1, int(len(ordered) * part))] * 1000


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
            answers.note(int(head[9:12]), time.perf_counter() - began)
        except (OSError, asyncio.IncompleteReadError):
            await self.close()
            answers.note(0, time.perf_counter() - began)

    async def close(self) -> None:
        """Hang up."""
        pair, self._pair = self._pair, None
        if pair is not None:
            pair[1].close()
            with suppress(OSError):
                await pair[1].wait_closed()


async def _close(connections: Sequence[Connection]) -> None:
    for one in connections:
        await one.close()


async def send_steadily(target: Target, net: int, rate: float, stop: asyncio.Event) -> Answers:
    """Let a new visitor decide so many times a second, each from an address of that network."""
    answers, began, sent = Answers(), time.perf_counter(), 0
    idle: list[Connection] = []
    under_way: set[asyncio.Task[None]] = set()

    async def decide(address: str) -> None:
        connection = idle.pop() if idle else Connection(target)
        await connection.decide(address, answers)
        idle.append(connection)

    while not stop.is_set():
        # On time whatever the last one takes: waiting for it would hide what others wait for.
        await asyncio.sleep(max(0.0, began + sent / rate - time.perf_counter()))
        task = asyncio.create_task(decide(f"{net}.18.{sent // 250 % 250}.{sent % 250}"))
        under_way.add(task)
        task.add_done_callback(under_way.discard)
        sent += 1
    await asyncio.gather(*under_way)
    await _close(idle)
    return answers


async def flood(target: Target, posts: int, rate: float, addresses: int) -> Answers:
    """Send that many decisions, at that rate (0: as many as are answered)."""
    answers, began, numbers = Answers(), time.perf_counter(), iter(range(posts))

    async def work() -> None:
        connection = Connection(target)
        for number in numbers:
            if rate:
                await asyncio.sleep(max(0.0, began + number / rate - time.perf_counter()))
            one = number % addresses
            await connection.decide(f"203.{one >> 16 & 255}.{one >> 8 & 255}.{one & 255}", answers)
        await connection.close()

    await asyncio.gather(*(work() for _ in range(_CONNECTIONS)))
    return answers


@dataclass(frozen=True)
class Result:
    """What a run has shown."""

    posts: int
    seconds: float
    flood: dict[int, int]
    #: Rows of the flooded site, and how many its budget lets in during that time.
    stored: int
    allowed: int
    honest: dict[int, int]
    other: dict[int, int]
    quiet_p50_ms: float
    flooded_p50_ms: float
    quiet_p99_ms: float
    flooded_p99_ms: float


def run_flood(
    folder: Path, *, posts: int, rate: float, addresses: int, budget: int, quiet_seconds: float
) -> Result:
    """Run once against a server of its own, whose data lies in `folder`."""
    settings = {
        "CONSENT_TRUSTED_PROXIES": "1",
        "CONSENT_SITE_DECISIONS_PER_MINUTE": str(budget),
    }
    server = RunningServer(folder, settings=settings)
    server.start()
    try:
        work = _measure(server, posts, rate, addresses, budget, quiet_seconds)
        # In a thread of its own: a browser test may keep a loop running in this one.
        with ThreadPoolExecutor(1) as own:
            return own.submit(asyncio.run, work).result()
    finally:
        server.stop()


async def _measure(
    server: RunningServer, posts: int, rate: float, addresses: int, budget: int, quiet: float
) -> Result:
    flooded, other = (_target(server, site) for site in (FLOODED, OTHER))
    await _steady_for(other, 2.0)  # threads and caches are there
    before = await _steady_for(other, quiet)
    stop = asyncio.Event()
    steady = asyncio.create_task(send_steadily(other, 10, _STEADY_RATE, stop))
    honest = asyncio.create_task(send_steadily(flooded, 198, 1.0, stop))
    began = time.monotonic()
    sent = await _flood_apart(flooded, posts, rate, addresses)
    seconds = time.monotonic() - began
    stop.set()
    during, visitors = await steady, await honest
    answered = time.monotonic() - began
    return Result(
        posts=sum(sent.values()),
        seconds=round(seconds, 1),
        flood=sent,
        stored=_stored(server, FLOODED),
        # At once a tenth of a minute's, but at least ten; then evenly.
        allowed=max(budget // 10, min(budget, 10)) + math.ceil(budget * answered / 60),
        honest=visitors.statuses,
        other=during.statuses,
        quiet_p50_ms=round(before.percentile(0.5), 1),
        flooded_p50_ms=round(during.percentile(0.5), 1),
        quiet_p99_ms=round(before.percentile(0.99), 1),
        flooded_p99_ms=round(during.percentile(0.99), 1),
    )


def _target(server: RunningServer, site: str) -> Target:
    proof = fetch_proof(f"{server.url}/w/{site}")
    return Target(
        server.port, f"/w/{site}/decisions?proof={proof}", read_template(server, site=site)
    )


async def _steady_for(target: Target, seconds: float) -> Answers:
    stop = asyncio.Event()
    asyncio.get_running_loop().call_later(seconds, stop.set)
    return await send_steadily(target, 10, _STEADY_RATE, stop)


async def _flood_apart(target: Target, posts: int, rate: float, addresses: int) -> dict[int, int]:
    """Flood from a process of its own: it must not keep the clocks of the others waiting."""
    asked = {"target": asdict(target), "posts": posts, "rate": rate, "addresses": addresses}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.soak.flood", "--apart"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    out, _ = await process.communicate(json.dumps(asked).encode())
    assert process.returncode == 0
    return {int(status): count for status, count in json.loads(out).items()}


def _stored(server: RunningServer, site: str) -> int:
    database = Database(f"sqlite:///{server.data_dir / 'consent.sqlite'}")
    query = select(func.count()).where(ConsentEvent.site_id == Site.id, Site.key == site)
    with database.read() as session:
        found = session.scalar(query) or 0
    database.close()
    return found


def main() -> None:
    """Run from the shell."""
    if sys.argv[1:] == ["--apart"]:
        asked = json.load(sys.stdin)
        asked["target"] = Target(**asked["target"])
        json.dump(asyncio.run(flood(**asked)).statuses, sys.stdout)
        return
    parser = argparse.ArgumentParser(prog="python -m tests.soak.flood")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--posts", type=int, default=1_000_000)
    parser.add_argument("--rate", type=float, default=0, help="a second; 0 is as many as answered")
    parser.add_argument("--addresses", type=int, default=1_000)
    parser.add_argument("--budget", type=int, default=6_000, help="of the site, a minute")
    parser.add_argument("--quiet", type=float, default=60, help="seconds without the flood")
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    result = run_flood(
        asked.folder,
        posts=asked.posts,
        rate=asked.rate,
        addresses=asked.addresses,
        budget=asked.budget,
        quiet_seconds=asked.quiet,
    )
    sys.stdout.write(f"{json.dumps(asdict(result), indent=1)}\n")


if __name__ == "__main__":
    main()
