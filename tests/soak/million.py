"""A million records: exported at constant memory, checked within a minute.

    python -m tests.soak.million FOLDER [RECORDS]

makes a database of 10,000 records and one of a million, proves some records, exports a bundle
of each, checks it with both verifiers, and prints times and peaks.
"""

from __future__ import annotations

import argparse
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

from sqlalchemy import Connection, insert, select

from consent_server.demo import site_files
from consent_server.ledger import ShownVersion
from consent_server.proofs import newest_checkpoint, prove_inclusion
from consent_server.rules.decision import Kind, optional_services
from consent_server.rules.receipt import Event, commit_subject, hash_event, subject_key
from consent_server.sealing import seal_site
from consent_server.signing import open_signer
from consent_server.site_form import load_site_form
from consent_server.sites import find_site, find_version, publish_version, read_config
from consent_server.store.answers import Said, number_answers
from consent_server.store.database import Database
from consent_server.store.models import (
    ConsentEvent,
    LedgerLeaf,
    LedgerQueue,
    SiteScript,
    SubjectData,
)
from consent_server.store.schema import upgrade_schema

FEW, MANY = 10_000, 1_000_000
START = datetime(2026, 1, 1, tzinfo=UTC)
#: Two records a second, sealed once an hour and at the end of the day.
_BETWEEN = timedelta(milliseconds=500)
SEALED_AFTER = 7_200
_AT_ONCE = 2_000
_PROVED = 500
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
    site = FilledSite(file)
    for first in range(0, records, SEALED_AFTER):
        site.record(min(SEALED_AFTER, records - first))
        site.seal()
    site.close()


class FilledSite:
    """A database with the Smilee site, whose ledger grows as fast as rows are written."""

    def __init__(self, file: Path, url: str | None = None) -> None:
        """`url` names another database than that file."""
        self.database = Database(url or f"sqlite:///{file}")
        upgrade_schema(self.database)
        [site_file] = [one for one in site_files() if one.stem == "smilee"]
        form = load_site_form(tomllib.loads(site_file.read_text("utf-8")))
        with self.database.write() as session:
            publish_version(session, form, source="", author="tests", now=START)
        self._signer = open_signer(file.parent / "keys", now=START)
        self.shown = _shown(self.database)
        self._rng = random.Random(0)
        self._moment = START
        self.records = 0

    def record(self, number: int) -> None:
        """Append so many decisions, as the ledger writes them."""
        last = self.records + number
        with self.database.write() as session:
            for begin in range(self.records, last, _AT_ONCE):
                numbers = range(begin, min(begin + _AT_ONCE, last))
                events = [_event(self.shown, one, self._rng) for one in numbers]
                self._moment = events[-1][0].received_at
                for table, rows in _rows(session.connection(), self.shown, events):
                    session.execute(insert(table), rows)
        self.records = last

    def seal(self, now: datetime | None = None) -> None:
        """Seal what waits, in a transaction of its own."""
        with self.database.write() as session:
            site = find_site(session, "smilee")
            sealed = seal_site(session, site, self._signer, now=now or self._moment)
        if sealed is not None:
            self._signer.remember(sealed.published)

    def close(self) -> None:
        """Give the database back."""
        self.database.close()


def run(file: Path, *arguments: str, url: str | None = None) -> Measured:
    """Run a command on the database in a process of its own; raises when it fails."""
    environment = {**os.environ, "CONSENT_DATABASE_URL": url or f"sqlite:///{file}"}
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


def prove(file: Path) -> list[tuple[float, int]]:
    """Prove records here and there; return milliseconds and hashes of each proof."""
    database, found = Database(f"sqlite:///{file}"), []
    with database.read() as session:
        site = find_site(session, "smilee")
        last = newest_checkpoint(session, site).size
        places = random.Random(1).sample(range(last), _PROVED)
        leaves = select(LedgerLeaf.event_id).where(
            LedgerLeaf.site_id == site.id, LedgerLeaf.leaf_index.in_(places)
        )
        for event_id in session.scalars(leaves).all():
            session.expunge_all()
            begun = time.perf_counter()
            proof = prove_inclusion(session, site, event_id)
            found.append(((time.perf_counter() - begun) * 1000, len(proof.path)))
    database.close()
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
            regime=script.regime,
        )


def event_id_of(moment: datetime, rng: random.Random) -> UUID:
    """Return an id as the widget makes it: a UUID version 7 (RFC 9562, 5.7)."""
    milliseconds = int(moment.timestamp() * 1000)
    number = milliseconds << 80 | 7 << 76 | rng.getrandbits(12) << 64
    return UUID(int=number | 2 << 62 | rng.getrandbits(62))


def _event(shown: ShownVersion, number: int, rng: random.Random) -> tuple[Event, bytes, bytes]:
    """Return a decision, its salt and the hashed subject."""
    salt, key = rng.randbytes(32), subject_key(f"{number // 2:032x}")
    yes, received = bool(rng.getrandbits(1)), START + _BETWEEN * (number + 1)
    optional = optional_services(shown.config)
    grants = {one: yes for category, keys in optional.items() for one in (category, *keys)}
    event = Event(
        site=shown.site,
        event_id=event_id_of(received, rng),
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
    connection: Connection, shown: ShownVersion, events: list[tuple[Event, bytes, bytes]]
) -> Iterator[tuple[type[Any], list[dict[str, Any]]]]:
    """Give the rows of each table, as the ledger writes them."""
    hashed = [(event, hash_event(event), salt, key) for event, salt, key in events]
    numbers = number_answers(
        connection, shown.site_id, {Said.in_event(event) for event, *_ in events}
    )
    columns = {column.key for column in ConsentEvent.__table__.columns}
    own = columns - {"site_id", "answer_number"}
    yield (
        ConsentEvent,
        [
            {
                **{name: getattr(event, name) for name in own},
                "site_id": shown.site_id,
                "answer_number": numbers[Said.in_event(event)],
            }
            for event, *_ in hashed
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
    proofs = prove(folder / f"{many}.sqlite")
    slowest, longest = (max(column) for column in zip(*proofs, strict=True))
    promises = {
        f"a proof takes {slowest:.1f} ms at most (10)": slowest <= 10,
        f"a proof has {longest} hashes at most (20)": longest <= 20,
        f"export takes {grown:.0f} MiB more than that of {FEW} records (at most 20)": grown <= 20,
        "verify takes at most 60 s": much["verify"].seconds <= 60,
        "verify takes at most 200 MiB": much["verify"].mebibytes <= 200,
    }
    for promise, held in promises.items():
        sys.stdout.write(f"{'kept' if held else 'BROKEN'}: {promise}\n")
    return 0 if all(promises.values()) else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.soak.million")
    parser.add_argument("folder", type=Path, help="where the ledgers are made")
    parser.add_argument("records", type=int, nargs="?", default=MANY, help=f"else {MANY}")
    given = parser.parse_args()
    sys.exit(main(given.folder, given.records))
