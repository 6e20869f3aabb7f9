"""Doctor: looks at everything that must be right for a record to be kept and believed."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from consent_server.config import Settings, key_folder, sqlite_path
from consent_server.errors import ConsentError
from consent_server.regions import Regions
from consent_server.rules.times import spell_time, to_utc
from consent_server.signing import find_signer
from consent_server.store.database import Database
from consent_server.store.leases import release_lease, take_lease
from consent_server.witness import check_witness

#: A day of 500 decisions a second does not fit, a day of most sites does many times.
MIN_FREE_BYTES = 512 * 1024 * 1024
#: More than network time servers leave between two machines.
MAX_CLOCK_DIFFERENCE = timedelta(seconds=5)
#: Settings of PostgreSQL with which an acknowledged commit survives a crash.
_DURABLE = ("fsync", "full_page_writes", "synchronous_commit")


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, whether it is right, and what to do where it is not."""

    name: str
    good: bool
    said: str
    todo: str = ""


Findings = Iterator[Finding]


def examine_server(settings: Settings, database: Database, *, now: datetime) -> Findings:
    """Look at what all sites share, on a database with this release's schema."""
    yield from looking("durability", lambda: _durability(database))
    yield from looking("writing", lambda: _writing(database, now))
    yield from looking("space", lambda: _space(settings))
    yield from looking("clock", lambda: _clock(database, now))
    yield from looking("key", lambda: _key(settings))
    if settings.region_header or settings.region_database:
        yield from looking("regions", lambda: _regions(settings))
    if settings.witness_logs:
        yield from looking("witness", lambda: _witness(settings))


def looking(name: str, look: Callable[[], Finding]) -> Findings:
    """Give what a look finds; a look that fails is a finding too."""
    try:
        yield look()
    except ConsentError as error:
        yield Finding(name, False, error.detail)
    except DBAPIError as error:
        yield Finding(
            name,
            False,
            f"The database answered: {error.orig}",
            "Look whether it runs, whether its files may be read and written by this user, and "
            "whether another program holds it.",
        )
    except OSError as error:
        yield Finding(
            name,
            False,
            f"{error.filename}: {error.strerror}" if error.filename else str(error),
            "Look at the folder's permissions, and run this as the user of the server.",
        )


def _durability(database: Database) -> Finding:
    wrong = _sqlite_risks(database) if database.is_sqlite else _postgresql_risks(database)
    if wrong:
        return Finding(
            "durability",
            False,
            f"A crash can lose acknowledged decisions: {', '.join(wrong)}.",
            "Put the file on a local disk." if database.is_sqlite else "Turn it on and reload.",
        )
    return Finding("durability", True, "What is acknowledged is on the disk.")


def _sqlite_risks(database: Database) -> list[str]:
    with database.engine.connect() as connection:
        journal = connection.scalar(text("PRAGMA journal_mode"))
        synchronous = connection.scalar(text("PRAGMA synchronous"))
    risks = []
    if journal != "wal":
        risks.append(f"journal_mode is {journal}, not wal")
    # 2 is FULL, 3 is EXTRA.
    if synchronous not in {2, 3}:
        risks.append(f"synchronous is {synchronous}, not FULL")
    return risks


def _postgresql_risks(database: Database) -> list[str]:
    with database.engine.connect() as connection:
        found = {name: connection.scalar(text(f"SHOW {name}")) for name in _DURABLE}
    return [f"{name} is {value}" for name, value in found.items() if value == "off"]


def _writing(database: Database, now: datetime) -> Finding:
    """Write and take back a row: permissions, full disks and locks show only so."""
    holder = f"doctor {spell_time(now)}"
    with database.write() as session:
        take_lease(session, "doctor", holder, now=now, lasts=timedelta(seconds=1))
    with database.write() as session:
        release_lease(session, "doctor", holder)
    return Finding("writing", True, "The database takes writes.")


def _space(settings: Settings) -> Finding:
    path = sqlite_path(settings.database_url)
    folder = path.parent if path is not None else key_folder(settings)
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    said = f"{free // (1024 * 1024)} MiB free in {folder}."
    if path is None:
        said += " The disk of PostgreSQL cannot be seen from here."
    if free < MIN_FREE_BYTES:
        return Finding("space", False, said, "Make room: a full disk takes no decisions.")
    return Finding("space", True, said)


def _clock(database: Database, now: datetime) -> Finding:
    if database.is_sqlite:
        return Finding("clock", True, f"It is {spell_time(now)} here.")
    with database.engine.connect() as connection:
        theirs = connection.scalar(text("SELECT clock_timestamp()"))
    difference = abs(to_utc(theirs) - now)
    if difference > MAX_CLOCK_DIFFERENCE:
        return Finding(
            "clock",
            False,
            f"The database's clock says {spell_time(theirs)}, this one {spell_time(now)}.",
            "Let both follow a time server (NTP).",
        )
    return Finding("clock", True, f"It is {spell_time(now)}, and so it is for the database.")


def _key(settings: Settings) -> Finding:
    folder = key_folder(settings)
    signer = find_signer(folder)
    if signer is None:
        return Finding("key", True, f"None yet; the first is made in {folder} by sealing.")
    number = len(signer.keys)
    made = spell_time(signer.keys[-1].created_at)
    said = f"{number} {'key' if number == 1 else 'keys'} in {folder}, the last of {made}."
    return Finding("key", True, said)


def _regions(settings: Settings) -> Finding:
    """Look whether what is to say where visitors are is believed and can be read."""
    regions = Regions(settings)
    if settings.region_header and not regions.headers:
        return Finding(
            "regions",
            False,
            f"{settings.region_header} is not believed: anybody can send it.",
            "Set CONSENT_TRUSTED_PROXIES to the number of proxies in front, and let them set the "
            "header themselves. Until then everybody is asked as strictly as anywhere.",
        )
    sources = [*regions.headers, *([settings.region_database] if regions.by_address else [])]
    return Finding("regions", True, f"Visitors are where {', then '.join(sources)} says.")


def _witness(settings: Settings) -> Finding:
    check_witness(settings)
    return Finding("witness", True, f"Watches the logs in {Path(settings.witness_logs)}.")
