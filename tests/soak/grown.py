"""How fast decisions are with many records stored, beside the same server with few.

    python -m tests.soak.grown FOLDER [RECORDS] [--rounds 5]

makes a ledger of 10,000 records and one of that many (1,000,000), serves both from the first
processor, and lets wrk decide from the second, with 64 connections and with one, in turns.
"""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import ExitStack
from pathlib import Path

from consent_server.cli.bench_server import serving
from consent_server.store.database import Database
from tests.bench.server import LOAD, SERVER, Asked, ours
from tests.soak.million import FEW, fill


def _serve(kept: ExitStack, folder: Path, records: int) -> Asked:
    place = folder / str(records)
    place.mkdir(parents=True, exist_ok=True)
    file = place / "ledger.sqlite"
    if not file.exists():
        fill(file, records)
    database = Database(f"sqlite:///{file.absolute()}")
    kept.callback(database.close)
    asked = ours(kept.enter_context(serving(database, place.absolute())))[0]
    asked.who = f"{records:,} stored"
    return asked


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("records", type=int, nargs="?", default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    options = parser.parse_args()
    with ExitStack() as kept:
        os.sched_setaffinity(0, SERVER)  # what is started from here has it, too
        both = [_serve(kept, options.folder, one) for one in (FEW, options.records)]
        os.sched_setaffinity(0, LOAD)
        for connections in (64, 1):
            for one in both:
                one.what = f"decision, {connections} connections"
                one.run(connections, 1)
                one.found.clear()
            for _ in range(options.rounds):
                for one in both:
                    one.run(connections, options.seconds)
            sys.stdout.write("\n".join(one.spell() for one in both) + "\n")
            few, many = both
            for name in ("per_second", "p50_ms", "p99_ms"):
                ratio = many.median(name) / few.median(name)
                sys.stdout.write(f"  {name}: {ratio:.2f} times\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
