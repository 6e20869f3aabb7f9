"""A million records: exported at constant memory, checked within a minute.

    python -m tests.soak.million FOLDER [RECORDS]

makes a database of 10,000 records and one of a million, exports a bundle of each, checks it
with both verifiers, and prints times and peaks.
"""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
import time
import tomllib
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select

from consent_server.demo import site_files
from consent_server.ledger import ShownVersion
from consent_server.rules.decision import Kind, optional_services
from consent_server.rules.receipt import Event, commit_subject, hash_event, subject_key
from consent_server.sealing import seal_site
from consent_server.signing import open_signer
from consent_server.site_form import load_site_form
from consent_server.sites import find_site, find_version, publish_version, read_config
from consent_server.store.database import Database
from consent_server.store.models import ConsentEvent, LedgerQueue, SiteScript, SubjectData
from consent_server.store.schema import upgrade_schema

FEW, MANY = 10_000, 1_000_000
START = datetime(2026, 1, 1, tzinfo=UTC)
#: Two records a second, sealed once an hour and at the end of the day.
_BETWEEN = timedelta(milliseconds=500)
_SEALED_AFTER = 7_200
_AT_ONCE = 2_000
_PEAK = """
import pathlib, re, runpy, sys
sys.argv = sys.argv[1:]
try:
    if sys.argv[0].endswith(".py"):
        runpy.run_path(sys.argv[0], run_name="__main__")
    else:
        from consent_server.cli import main
        main(sys.argv, standalone_mode=False)
finally:
    status = pathlib.Path("/proc/self/status").read_text()
    print("PEAK", re.search(r"VmHWM:\\s+(\\d+) kB", status)[1])
"""


@dataclass(frozen=True)
class Measured:
    """What a command took."""

    seconds: float
    mebibytes: float
    output: str


def fill(file: Path, records: int) -> None:
    """Make a database whose Smilee site has that many records, all sealed."""
    database = Database(f"sqlite:///{file}")
    upgrade_schema(database)
    [site_file] = [one for one in site_files() if one.stem == "smilee"]
    form = load_site_form(tomllib.loads(site_file.read_text("utf-8")))
    with database.write() as session:
        publish_version(session, form, source="", author="tests", now=START)
    signer = open_signer(file.parent / "keys", now=START)
    shown = _shown(database)
    rng, moment = random.Random(records), START
    for first in range(0, records, _SEALED_AFTER):
        last = min(first + _SEALED_AFTER, records)
        with database.write() as session:
            for begin in range(first, last, _AT_ONCE):
                numbers = range(begin, min(begin + _AT_ONCE, last))
                events = [_event(shown, number, rng) for number in numbers]
                moment = events[-1][0].received_at
                for table, rows in _rows(shown, events):
                    session.execute(insert(table), rows)
            sealed = seal_site(session, find_site(session, "smilee"), signer, now=moment)
        if sealed is not None:
            signer.remember(sealed.published)
    database.close()


def run(file: Path, *arguments: str) -> Measured:
    """Run a command on the database in a process of its own; raises when it fails."""
    environment = {**os.environ, "CONSENT_DATABASE_URL": f"sqlite:///{file}"}
    begun = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", _PEAK, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.monotonic() - begun
    peak = re.search(r"^PEAK (\d+)$", done.stdout, re.M)
    if done.returncode or peak is None:
        raise RuntimeError(f"{arguments}: {done.stdout[-500:]} {done.stderr[-2000:]}")
    return Measured(seconds, int(peak[1]) / 1024, done.stdout)


def measure(folder: Path, records: int) -> dict[str, Measured]:
    """Make, export and check a ledger of that many records."""
    file, bundle = folder / f"{records}.sqlite", folder / f"{records}.zip"
    if not file.exists():
        fill(file, records)
    bundle.unlink(missing_ok=True)
    found = {"export": run(file, "audit", "export", "--site", "smilee", "-o", str(bundle))}
    with zipfile.ZipFile(bundle) as archive:
        archive.extract("verify.py", folder)
    found["verify"] = run(file, "audit", "verify", str(bundle))
    found["verify.py"] = run(file, str(folder / "verify.py"), str(bundle))
    for name, one in found.items():
        sys.stdout.write(
            f"{records} records, {name}: {one.seconds:.1f} s, peak {one.mebibytes:.0f} MiB\n"
        )
    sys.stdout.write(f"{records} records: a bundle of {bundle.stat().st_size / 2**20:.0f} MiB\n")
    sys.stdout.flush()
    return found


def _shown(database: Database) -> ShownVersion:
    with database.read() as session:
        site = find_site(session, "smilee")
        version = find_version(session, site, 1)
        script = session.scalars(select(SiteScript).where(SiteScript.site_id == site.id)).first()
        assert script is not None
        return ShownVersion(
            site_id=site.id,
            site=site.key,
            number=1,
            config=read_config(version),
            config_hash=version.config_hash,
            script_hash=script.script_hash,
        )


def _event(shown: ShownVersion, number: int, rng: random.Random) -> tuple[Event, bytes, bytes]:
    """Return a decision, its salt and the hashed subject."""
    salt, key = rng.randbytes(32), subject_key(f"{number // 2:032x}")
    yes, received = bool(rng.getrandbits(1)), START + _BETWEEN * (number + 1)
    optional = optional_services(shown.config)
    grants = {one: yes for category, keys in optional.items() for one in (category, *keys)}
    event = Event(
        site=shown.site,
        event_id=UUID(bytes=rng.randbytes(16), version=4),
        kind=Kind.GIVEN if yes else Kind.REFUSED,
        method="accept_all" if yes else "reject_all",
        layer="notice",
        version=shown.number,
        version_hash=shown.config_hash,
        script_hash=shown.script_hash,
        language=rng.choice(["en", "fi", "sv"]),
        regime=shown.config["regime"],
        region="",
        signals={},
        grants=grants,
        decided_at=received - timedelta(milliseconds=300),
        received_at=received,
        valid_until=received + timedelta(days=shown.config["valid_days"]),
        subject_commitment=commit_subject(salt, key),
    )
    return event, salt, key


def _rows(
    shown: ShownVersion, events: list[tuple[Event, bytes, bytes]]
) -> Iterator[tuple[type[Any], list[dict[str, Any]]]]:
    """Give the rows of each table, as the ledger writes them."""
    columns = {column.key for column in ConsentEvent.__table__.columns}
    hashed = [(event, hash_event(event), salt, key) for event, salt, key in events]
    yield (
        ConsentEvent,
        [
            {
                **{name: getattr(event, name) for name in columns - {"site_id", "leaf_hash"}},
                "site_id": shown.site_id,
                "leaf_hash": leaf,
            }
            for event, leaf, _, _ in hashed
        ],
    )
    yield (
        SubjectData,
        [
            {
                "site_id": shown.site_id,
                "event_id": event.event_id,
                "subject_key": key,
                "salt": salt,
            }
            for event, _, salt, key in hashed
        ],
    )
    yield (
        LedgerQueue,
        [
            {
                "site_id": shown.site_id,
                "received_at": event.received_at,
                "event_id": event.event_id,
                "leaf_hash": leaf,
            }
            for event, leaf, _, _ in hashed
        ],
    )


def main(folder: Path, many: int) -> int:
    """Measure both, and say whether the promises hold; 0 when they do."""
    folder.mkdir(parents=True, exist_ok=True)
    few, much = measure(folder, FEW), measure(folder, many)
    grown = much["export"].mebibytes - few["export"].mebibytes
    promises = {
        f"export takes {grown:.0f} MiB more than that of {FEW} records (at most 20)": grown <= 20,
        "verify takes at most 60 s": much["verify"].seconds <= 60,
        "verify takes at most 200 MiB": much["verify"].mebibytes <= 200,
    }
    for promise, held in promises.items():
        sys.stdout.write(f"{'kept' if held else 'BROKEN'}: {promise}\n")
    return 0 if all(promises.values()) else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else MANY))
