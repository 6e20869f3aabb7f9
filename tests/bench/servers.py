"""How many decisions one, two and four servers record on one PostgreSQL.

    python -m tests.bench.servers postgresql+psycopg://user@host/empty

Needs wrk. Servers, load and database share the processors that there are, none is kept for one
of them; 64 connections are spread over the servers. Each number of servers takes its turn in
each round; the figures are medians of the rounds.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from consent_server.cli.bench_server import bench_server, serving
from tests.bench.server import Asked, ours

_NUMBERS = (1, 2, 4)
_CONNECTIONS = 64


def ask(servers: Sequence[Asked], seconds: int) -> tuple[float, float, float]:
    """Ask all of them at once; return decisions a second, and p50 and p99 of the slowest."""
    each = _CONNECTIONS // len(servers)
    with ThreadPoolExecutor(len(servers)) as pool:
        list(pool.map(lambda one: one.run(each, seconds, pinned=False), servers))
    found = [one.found[-1] for one in servers]
    slowest = [max(one[name] for one in found) for name in ("p50_ms", "p99_ms")]
    return sum(one["per_second"] for one in found), slowest[0], slowest[1]


def main() -> None:
    """Let each number of servers take turns and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("database", help="an empty PostgreSQL")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    options = parser.parse_args()
    found: dict[int, list[tuple[float, float, float]]] = defaultdict(list)
    with bench_server(options.database) as first, ExitStack() as kept:
        servers = [first]
        while len(servers) < max(_NUMBERS):
            servers.append(kept.enter_context(serving(first.database, first.folder)))
        asked = [ours(server)[0] for server in servers]
        ask(asked, 1)
        before = first.stored()
        for one in asked:
            one.found.clear()
        for _ in range(options.rounds):
            for number in _NUMBERS:
                found[number].append(ask(asked[:number], options.seconds))
        acknowledged = sum(one["answers"] for server in asked for one in server.found)
        stored = first.stored() - before
    # What was under way when the load ended is stored, too.
    if not 0 <= stored - acknowledged <= _CONNECTIONS * options.rounds * len(_NUMBERS):
        sys.exit(f"{acknowledged} were acknowledged, but {stored} are stored.")
    lines = ["| servers | decisions a second | rounds | p50 ms | p99 ms |", "|--:|--:|--:|--:|--:|"]
    for number, rounds in found.items():
        rates, p50, p99 = zip(*rounds, strict=True)
        lines.append(
            f"| {number} | {statistics.median(rates):,.0f} | {min(rates):,.0f} - {max(rates):,.0f} "
            f"| {statistics.median(p50):.1f} | {statistics.median(p99):.1f} |"
        )
    sys.stdout.write("\n".join([*lines, f"\n{stored} stored, {acknowledged} acknowledged\n"]))


if __name__ == "__main__":
    main()
