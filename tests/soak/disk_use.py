"""What a decision takes on disk, table by table and index by index.

    python -m tests.soak.disk_use FOLDER [RECORDS]
    python -m tests.soak.disk_use FOLDER --database postgresql+psycopg://user@host/empty

Decisions of the Smilee site go through the ledger's own code, 40 in a transaction, a fifth of
them of visitors who are known, sealed every 2,000. Sizes are those of the files as they are:
nothing is vacuumed, and what B-trees leave free counts.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from datetime import timedelta
from pathlib import Path

from sqlalchemy import text

from consent_server.appending import append_together
from consent_server.ledger import Recorded, ShownVersion
from consent_server.rules.decision import Decision, Layer, Method, optional_services
from consent_server.store.database import Database
from consent_server.wanted import Wanted
from tests.soak.million import START, FilledSite, event_id_of

_AT_ONCE, _SEALED_AFTER = 40, 2_000
_BETWEEN = timedelta(milliseconds=500)
#: Of a hundred visitors: as studies of notices with equal buttons find, about.
_SAID = (Method.ACCEPT_ALL,) * 55 + (Method.REJECT_ALL,) * 35 + (Method.SAVE,) * 10
_LANGUAGES = ("fi",) * 7 + ("sv", "en", "en")
_SQLITE = "SELECT name, sum(pgsize), sum(unused) FROM dbstat GROUP BY name ORDER BY 2 DESC"
_POSTGRESQL = (
    "SELECT relname, pg_relation_size(oid), 0 FROM pg_class WHERE relkind IN ('r', 'i') "
    "AND relnamespace = current_schema()::regnamespace ORDER BY 2 DESC"
)


class DecidingVisitors:
    """Makes decisions as visitors of one site make them."""

    def __init__(self, shown: ShownVersion) -> None:
        self._shown = shown
        self._rng = random.Random(0)
        self._subjects: list[str] = []
        self.now = START

    def decide(self, number: int) -> list[Wanted]:
        """Return so many decisions of one moment."""
        self.now += _BETWEEN * number
        return [Wanted(self._shown, self._decision()) for _ in range(number)]

    def _decision(self) -> Decision:
        rng = self._rng
        method, layer = rng.choice(_SAID), Layer.NOTICE
        yes = dict.fromkeys(optional_services(self._shown.config), method is Method.ACCEPT_ALL)
        if method is Method.SAVE:
            layer, yes = Layer.PREFERENCES, {one: rng.random() < 0.5 for one in yes}
        services = optional_services(self._shown.config)
        grants = {one: yes[key] for key, keys in services.items() for one in (key, *keys)}
        decided_at = self.now - timedelta(milliseconds=rng.randrange(50, 3_000))
        return Decision(
            decision_id=event_id_of(decided_at, rng),
            subject_id=self._subject(),
            method=method,
            layer=layer,
            version=self._shown.number,
            script="",
            language=rng.choice(_LANGUAGES),
            grants=grants,
            decided_at=decided_at,
        )

    def _subject(self) -> str:
        if self._subjects and self._rng.random() < 0.2:
            return self._rng.choice(self._subjects)
        self._subjects.append(f"{self._rng.getrandbits(128):032x}")
        return self._subjects[-1]


def fill(site: FilledSite, records: int) -> float:
    """Record so many decisions and seal them; return the writer's microseconds for each."""
    visitors, worked = DecidingVisitors(site.shown), 0.0
    for begin in range(0, records, _AT_ONCE):
        wanted = visitors.decide(min(_AT_ONCE, records - begin))
        before = time.process_time()
        with site.database.write() as session:
            for outcome in append_together(session, wanted, now=visitors.now):
                if not isinstance(outcome, Recorded):
                    raise outcome
        worked += time.process_time() - before
        if begin % _SEALED_AFTER == 0 or begin + _AT_ONCE >= records:
            site.seal(visitors.now)
    return worked / records * 1e6


def sizes(database: Database) -> list[tuple[str, int, int]]:
    """Return each table and index with its bytes, and those of them that SQLite leaves free."""
    with database.engine.connect() as connection:
        if database.is_sqlite:
            connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
        asked = _SQLITE if database.is_sqlite else _POSTGRESQL
        return [(str(one[0]), int(one[1]), int(one[2])) for one in connection.execute(text(asked))]


def main(folder: Path, records: int, url: str | None) -> int:
    """Fill a database and print what it holds."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{records}.disk.sqlite"
    site = FilledSite(file, url)
    # What a new database has before the first decision is no decision's.
    before = {name: size for name, size, _ in sizes(site.database)}
    worked = fill(site, records)
    total = 0.0
    for name, size, unused in sizes(site.database):
        each = (size - before.get(name, 0)) / records
        total += each
        if each >= 0.05:
            sys.stdout.write(f"{name:45} {each:8.1f} bytes, {unused / records:6.1f} free\n")
    sys.stdout.write(f"{'a decision':45} {total:8.1f} bytes, {worked:6.0f} us of work\n")
    if url is None:
        sys.stdout.write(f"{'the file':45} {file.stat().st_size / records:8.1f} bytes\n")
    site.close()
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.soak.disk_use")
    parser.add_argument("folder", type=Path, help="where the database is made")
    parser.add_argument("records", type=int, nargs="?", default=100_000, help="else 100000")
    parser.add_argument("--database", help="an empty PostgreSQL; SQLite where none is named")
    given = parser.parse_args()
    sys.exit(main(given.folder, given.records, given.database))
