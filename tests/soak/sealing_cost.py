"""What sealing costs per record, as the ledger grows.

    python -m tests.soak.sealing_cost FOLDER [RECORDS ...]

At each of the sizes, batches of 500 decisions are sealed, each in a transaction of its own as
the server does. Printed is the median batch, by the clock and by the processor's time, which
neighbours on a busy machine disturb less, and the latter's ratio to that of the first size.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from statistics import median

from tests.soak.million import FilledSite

SIZES = (10_000, 100_000, 300_000, 1_000_000)
_BATCH, _BATCHES = 500, 21
_FILLED_AT_ONCE = 7_200


def cost_at(site: FilledSite, size: int) -> tuple[float, float]:
    """Return the median microseconds that sealing takes per record: by the clock, of work."""
    while site.records < size:
        site.record(min(_FILLED_AT_ONCE, size - site.records))
        site.seal()
    waited, worked = [], []
    for _ in range(_BATCHES):
        site.record(_BATCH)
        clock, work = time.perf_counter(), time.process_time()
        site.seal()
        waited.append(time.perf_counter() - clock)
        worked.append(time.process_time() - work)
    return median(waited) / _BATCH * 1e6, median(worked) / _BATCH * 1e6


def main(folder: Path, sizes: tuple[int, ...]) -> int:
    """Measure each size in turn, in one growing ledger."""
    folder.mkdir(parents=True, exist_ok=True)
    site = FilledSite(folder / "sealing.sqlite")
    first = 0.0
    for size in sizes:
        waited, worked = cost_at(site, size)
        first = first or worked
        sys.stdout.write(
            f"{size} records: {waited:.1f} us a record, {worked:.1f} of work, "
            f"{worked / first:.2f} of the first\n"
        )
        sys.stdout.flush()
    site.close()
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.soak.sealing_cost")
    parser.add_argument("folder", type=Path, help="where the ledger is made")
    parser.add_argument("records", type=int, nargs="*", help=f"sizes; else {SIZES}")
    given = parser.parse_args()
    sys.exit(main(given.folder, tuple(given.records) or SIZES))
