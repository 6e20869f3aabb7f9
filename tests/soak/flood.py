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
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path

from sqlalchemy import func, select

from consent_server.store.database import Database
from consent_server.store.models import ConsentEvent, Site
from tests.browser.running_server import RunningServer
from tests.cli.nginx import BEHIND_A_PROXY, shipped_nginx
from tests.cli.test_killed import read_template
from tests.soak.asking import Answers, Connection, Target
from tests.visitor import fetch_proof

FLOODED, OTHER = "smilee", "jackbot"
#: Of the other site; more than a large site has.
_STEADY_RATE = 20.0
_CONNECTIONS = 16
_LATE_SECONDS = 0.02
#: Each of a few connections stands for many clients.
_ASKED_MUCH = {
    **BEHIND_A_PROXY,
    "keepalive 32;\n}": "keepalive 32;\n}\nkeepalive_requests 10000000;",
}


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
    """Send that many decisions, at that rate at most (0: as many as are answered)."""
    answers, numbers, due = Answers(), iter(range(posts)), time.perf_counter()

    async def work() -> None:
        nonlocal due
        connection = Connection(target)
        for number in numbers:
            if rate:
                # What was not sent in time is not made up for: that would be a higher rate.
                due = max(due + 1 / rate, time.perf_counter() - _LATE_SECONDS)
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
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
    #: The same: of each second the slowest answer.
    quiet_slowest_ms: list[float]
    flooded_slowest_ms: list[float]
    #: Processor seconds of the server in a second, without and with the flood.
    quiet_load: float
    flooded_load: float


def run_flood(
    folder: Path,
    *,
    posts: int,
    rate: float,
    addresses: int,
    budget: int,
    quiet_seconds: float,
    apart: bool = False,
    nginx: bool = False,
) -> Result:
    """Run once against a server of its own, whose data lies in `folder`.

    `apart` gives the server one processor to itself, and the flood what the visitors leave of
    another: what is measured then is the server, not who shares a processor with it. `nginx` puts
    the one in front whose file ships: all go by way of it.
    """
    settings = {
        "CONSENT_TRUSTED_PROXIES": "1",
        "CONSENT_SITE_DECISIONS_PER_MINUTE": str(budget),
    }
    server = RunningServer(folder, settings=settings)
    whole = os.sched_getaffinity(0)
    if apart:
        os.sched_setaffinity(0, {min(whole)})
    server.start()
    if apart:
        os.sched_setaffinity(0, whole - {min(whole)})
    try:
        address = f"127.0.0.1:{server.port}"
        front = shipped_nginx(address, changes=_ASKED_MUCH) if nginx else nullcontext(server.port)
        # In a thread of its own: a browser test may keep a loop running in this one.
        with front as port, ThreadPoolExecutor(1) as own:
            work = _measure(server, port, posts, rate, addresses, budget, quiet_seconds)
            return own.submit(asyncio.run, work).result()
    finally:
        server.stop()
        os.sched_setaffinity(0, whole)


async def _measure(
    server: RunningServer,
    port: int,
    posts: int,
    rate: float,
    addresses: int,
    budget: int,
    quiet: float,
) -> Result:
    flooded, other = (_target(server, port, site) for site in (FLOODED, OTHER))
    await _steady_for(other, 2.0)  # threads and caches are there
    used = [_processor_seconds(server)]
    before = await _steady_for(other, quiet)
    used.append(_processor_seconds(server))
    stop = asyncio.Event()
    steady = asyncio.create_task(send_steadily(other, 10, _STEADY_RATE, stop))
    honest = asyncio.create_task(send_steadily(flooded, 198, 1.0, stop))
    began = time.monotonic()
    sent = await _flood_apart(flooded, posts, rate, addresses)
    seconds = time.monotonic() - began
    stop.set()
    during, visitors = await steady, await honest
    used.append(_processor_seconds(server))
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
        quiet_slowest_ms=before.slowest(),
        flooded_slowest_ms=during.slowest(),
        quiet_load=round((used[1] - used[0]) / quiet, 3),
        flooded_load=round((used[2] - used[1]) / answered, 3),
    )


def _processor_seconds(server: RunningServer) -> float:
    """Return what the server's processes have used of all processors until now."""
    ticks = 0
    for process in server.processes():
        told = Path(f"/proc/{process}/stat").read_text("utf-8").rpartition(")")[2].split()
        ticks += int(told[11]) + int(told[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _target(server: RunningServer, port: int, site: str) -> Target:
    proof = fetch_proof(f"{server.url}/w/{site}")
    return Target(port, f"/w/{site}/decisions?proof={proof}", read_template(server, site=site))


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
        os.nice(19)  # what visitors ask is measured, and must not wait for who makes the flood
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
    parser.add_argument("--own-processor", action="store_true", help="for the server alone")
    parser.add_argument("--nginx", action="store_true", help="in front, by the file that ships")
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    result = run_flood(
        asked.folder,
        posts=asked.posts,
        rate=asked.rate,
        addresses=asked.addresses,
        budget=asked.budget,
        quiet_seconds=asked.quiet,
        apart=asked.own_processor,
        nginx=asked.nginx,
    )
    sys.stdout.write(f"{json.dumps(asdict(result), indent=1)}\n")


if __name__ == "__main__":
    main()
