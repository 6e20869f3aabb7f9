"""How many decisions and scripts the server answers, beside a peer where one is named.

    python -m tests.bench.server --rounds 5
    python -m tests.bench.server --peer-post http://127.0.0.1:7492/api/c15t/subjects \\
        --peer-body '{"type":"cookie_banner", ...}' --peer-get http://127.0.0.1:7492/api/c15t/init

Needs wrk and two processors: the server has the first, the load (and a PostgreSQL, where you
pin it so) the second. Ours and the peer take turns, round by round, so that a machine that is
busy for a while is so for both; the figures are medians of the rounds.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import shutil
import statistics
import subprocess
import sys
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from consent_server.cli.bench import _machine, _parts
from consent_server.cli.bench_server import SITE, BenchServer, _children, bench_server
from tests.visitor import read_proof

_LUA = Path(__file__).with_name("load.lua")
SERVER, LOAD = {0}, {1}
_BROWSER = (
    "Accept-Language: fi,en;q=0.7\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\n"
)
_PLACES = {"decision_id": "{uuid}", "subject_id": "{hex}", "decided_at": "{now}"}


@dataclass
class Asked:
    """One row of the table: what is asked of whom, and what came of it in each round."""

    who: str
    what: str
    url: str
    #: The process that answers, for its processor time; 0 where nobody knows it.
    pid: int
    method: str = "GET"
    headers: str = ""
    body: str = ""
    found: list[dict[str, Any]] = field(default_factory=list)

    def run(self, connections: int, seconds: int, pinned: bool = True) -> None:
        """Ask once; stops the bench when anything but success is answered."""
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s"]
        environment = {
            **os.environ,
            "METHOD": self.method,
            "HEADERS": _BROWSER + self.headers,
            "SEED": str(secrets.randbelow(2**31)),
            **({"BODY": self.body} if self.body else {}),
        }
        before = _cpu_seconds(self.pid)
        pin = ["taskset", "-c", *map(str, LOAD)] if pinned else []
        done = subprocess.run(
            [*pin, *command, "-s", str(_LUA), self.url],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        line = next(one for one in done.stdout.splitlines() if one.startswith("RESULT "))
        found = json.loads(line.removeprefix("RESULT "))
        if found["refused"] or found["broken"]:
            sys.exit(f"{self.who}, {self.what}: {found}")
        found["per_second"] = found["answers"] / found["seconds"]
        found["cpu_us"] = (_cpu_seconds(self.pid) - before) / max(found["answers"], 1) * 1e6
        self.found.append(found)

    def median(self, name: str) -> float:
        """Return the middle one of the rounds."""
        return float(statistics.median(one[name] for one in self.found))

    def spell(self) -> str:
        """Return the row."""
        rates = sorted(one["per_second"] for one in self.found)
        return (
            f"| {self.who} | {self.what} | {self.median('per_second'):,.0f} | "
            f"{rates[0]:,.0f} - {rates[-1]:,.0f} | {self.median('p50_ms'):.1f} | "
            f"{self.median('p99_ms'):.1f} | {self.median('cpu_us'):,.0f} |"
        )


def _cpu_seconds(pid: int) -> float:
    """Return the processor time that a process and its children have used."""
    if not pid:
        return 0.0
    ticks = 0
    for one in (pid, *_children(pid)):
        values = Path(f"/proc/{one}/stat").read_text("ascii").rpartition(")")[2].split()
        ticks += int(values[11]) + int(values[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def ours(server: BenchServer) -> list[Asked]:
    """Return what is asked of our server: the three things that browsers ask."""
    origin = f"http://127.0.0.1:{server.port}"
    decision = _parts(server.port, 1)[0].decision or {}
    body = json.dumps({**decision, **_PLACES}, separators=(",", ":"))
    script = f"{origin}/w/{SITE}.js"
    request = urllib.request.Request(script, headers={"Accept-Encoding": "br"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        etag, proof = answer.headers["ETag"], read_proof(answer.headers)
    encodings = "Accept-Encoding: gzip, deflate, br\n"
    return [
        Asked(
            "consent-server",
            "decision",
            f"{origin}/w/{SITE}/decisions?proof={proof}",
            server.process.pid,
            "POST",
            f"Content-Type: application/json\nOrigin: {origin}\n",
            body,
        ),
        Asked("consent-server", "script", script, server.process.pid, headers=encodings),
        Asked(
            "consent-server",
            "script (304)",
            script,
            server.process.pid,
            headers=f"{encodings}If-None-Match: {etag}\n",
        ),
    ]


def peers(options: argparse.Namespace) -> list[Asked]:
    """Return what is asked of the peer."""
    json_body = "Content-Type: application/json\nOrigin: http://localhost\n"
    found = []
    if options.peer_post:
        found.append(
            Asked(
                "peer",
                "decision",
                options.peer_post,
                options.peer_pid,
                "POST",
                json_body,
                options.peer_body,
            )
        )
    if options.peer_get:
        found.append(Asked("peer", "configuration", options.peer_get, options.peer_pid))
    return found


def main() -> None:
    """Let them take turns and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", help="an empty PostgreSQL; SQLite where none is named")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--peer-post", default="")
    parser.add_argument("--peer-body", default="")
    parser.add_argument("--peer-get", default="")
    parser.add_argument("--peer-pid", type=int, default=0)
    options = parser.parse_args()
    if shutil.which("wrk") is None:
        sys.exit("Install wrk first: apt-get install wrk")
    os.sched_setaffinity(0, SERVER)  # what is started from here has it, too
    with bench_server(options.database) as server:
        os.sched_setaffinity(0, LOAD)
        asked = ours(server) + peers(options)
        for one in asked:
            one.run(8, 1)
            one.found.clear()
        before = server.stored()
        for _ in range(options.rounds):
            for one in asked:
                one.run(options.connections, options.seconds)
        acknowledged = sum(one["answers"] for one in asked[0].found)
        stored = server.stored() - before
        # What was under way when the load ended is stored, too.
        if not 0 <= stored - acknowledged <= options.connections * options.rounds:
            sys.exit(f"{acknowledged} were acknowledged, but {stored} are stored.")
        lines = [
            json.dumps(_machine(server)),
            f"Memory after the load: {server.memory_bytes() / 1024**2:.0f} MiB (PSS)\n",
            "| | what | a second | rounds | p50 ms | p99 ms | CPU us each |",
            "|---|---|--:|--:|--:|--:|--:|",
            *(one.spell() for one in asked),
        ]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
