"""How fast records are exported, beside what the database's own tool needs for the same rows.

    python -m tests.soak.exporting FOLDER [RECORDS]
    python -m tests.soak.exporting FOLDER [RECORDS] --database postgresql+psycopg://user@host/empty

makes a ledger of that many records (1,000,000), and lets `audit export --format csv` and
`sqlite3 -csv` (of PostgreSQL `psql` with COPY) write the same columns of the same rows, in turns.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from sqlalchemy.engine import make_url

from tests.soak.million import SEALED_AFTER, FilledSite, run

_ROUNDS = 3
_QUERY = """
SELECT 1, 'smilee', {event_id}, a.kind, a.method, a.layer, a.version, v.config_hash,
  a.script_hash, a.language, a.regime, e.region, e.signals, a.grants, e.decided_at,
  e.received_at, e.valid_until, {commitment}, {leaf}, {salt}
FROM consent_event e
LEFT JOIN subject_data d ON d.site_id = e.site_id AND d.event_id = e.event_id
LEFT JOIN ledger_leaf l ON l.site_id = e.site_id AND l.event_id = e.event_id
LEFT JOIN ledger_queue q ON q.site_id = e.site_id AND q.received_at = e.received_at
  AND q.event_id = e.event_id
LEFT JOIN answer a ON a.site_id = e.site_id AND a.number = e.answer_number
LEFT JOIN site_version v ON v.site_id = a.site_id AND v.number = a.version
WHERE e.site_id = 1 ORDER BY e.received_at, e.event_id
"""
_BYTES = {"commitment": "e.subject_commitment", "salt": "d.salt"}
_LEAF = "coalesce(l.leaf_hash, q.leaf_hash)"


def _spelled(form: str, **others: str) -> str:
    """Return the question, with bytes spelled as `form` has it."""
    named = {name: form.format(one) for name, one in {**_BYTES, "leaf": _LEAF, **others}.items()}
    return " ".join(_QUERY.format(**{"event_id": "e.event_id", **named}).split())


def _fill(folder: Path, records: int, url: str | None) -> Path:
    file = folder / f"{records}.sqlite"
    if url is None and file.exists():
        return file
    site = FilledSite(file, url)
    for first in range(0, records, SEALED_AFTER):
        site.record(min(SEALED_AFTER, records - first))
        site.seal()
    site.close()
    return file


def _own_tool(file: Path, url: str | None, output: Path) -> float:
    """Return how many seconds the database's own tool takes."""
    begun = time.monotonic()
    if url is None:
        command = ["sqlite3", "-csv", str(file), _spelled("hex({})", event_id="e.event_id")]
    else:
        plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        copy = f"COPY ({_spelled('encode({}, $$hex$$)')}) TO STDOUT WITH (FORMAT csv)"
        command = ["psql", plain, "-q", "-c", copy]
    with output.open("wb") as written:
        subprocess.run(command, stdout=written, check=True)
    return time.monotonic() - begun


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("records", type=int, nargs="?", default=1_000_000)
    parser.add_argument("--database")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    file = _fill(options.folder, options.records, options.database)
    if options.database:
        os.environ["CONSENT_KEY_FOLDER"] = str(options.folder / "keys")
    ours, theirs, peak = [], [], 0.0
    output = options.folder / "exported.csv"
    for _ in range(_ROUNDS):
        theirs.append(_own_tool(file, options.database, options.folder / "own.csv"))
        told = run(
            file,
            *("audit", "export", "--site", "smilee", "--format", "csv", "--force"),
            *("-o", str(output)),
            url=options.database,
        )
        ours.append(told.seconds)
        peak = max(peak, told.mebibytes)
    with output.open("rb") as written:
        lines = sum(1 for _ in written) - 1
    assert lines == options.records, lines
    per_second = [options.records / statistics.median(found) for found in (ours, theirs)]
    sys.stdout.write(
        f"{options.records:,} records: export {per_second[0]:,.0f} a second, the database's own "
        f"tool {per_second[1]:,.0f}: {per_second[0] / per_second[1]:.0%}; peak {peak:.0f} MiB\n"
    )


if __name__ == "__main__":
    main()
