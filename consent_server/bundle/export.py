"""Export of a bundle: sealed first, then written from one moment of the database."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, time
from pathlib import Path
from typing import IO, Any
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from consent_server import __version__
from consent_server.audit import COLUMNS, Record, describe_version, hold_snapshot, write_csv
from consent_server.audit import write_jsonl as write_lines
from consent_server.bundle.archive import TILE, BundleWriter, spell_json, spell_leaves
from consent_server.bundle.checkpoints import choose_sizes, read_notes
from consent_server.bundle.pictures import missing_views, read_pictures, views_of
from consent_server.bundle.readme import write_readme
from consent_server.bundle.selection import (
    Selection,
    note_export,
    read_admin_events,
    read_leaves,
    read_records,
)
from consent_server.errors import Unavailable
from consent_server.following import await_sealed
from consent_server.ledger_keys import keys_of
from consent_server.proofs import newest_checkpoint
from consent_server.rules.admin_event import Action
from consent_server.rules.note import VerifierKey
from consent_server.rules.times import spell_time
from consent_server.sealing import origin_of, seal_site
from consent_server.signing import Signer
from consent_server.sites import find_site
from consent_server.store.database import Database
from consent_server.store.models import (
    AdminEvent,
    Checkpoint,
    LedgerLeaf,
    NoticeCount,
    Site,
    SiteScript,
)

_VERIFIER = Path(__file__).parents[1] / "verification" / "verify.py"
_TRIES = 10
_COUNTED = ("shown", "accepted", "refused", "saved", "withdrawn")
_TOTALS = ("day", "version", "language", "regime", *_COUNTED)
_COLUMNS = (*COLUMNS, "leaf_index")
_CHUNK = 256 * 1024

Clock = Callable[[], datetime]
Tell = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Exported:
    """What a bundle came to hold."""

    records: int
    leaves: int
    missing_pictures: int


def export_bundle(
    database: Database,
    signer: Signer,
    site_key: str,
    selection: Selection,
    file: IO[bytes],
    *,
    actor: str,
    clock: Clock,
    witnesses: Iterable[VerifierKey] = (),
    tell: Tell | None = None,
    follower: Database | None = None,
) -> Exported:
    """Note the export in the ledger, seal it, and write the bundle of that moment.

    It is read from the follower, where there is one. Raises NotFound, CannotSeal, and Unavailable
    when people are being erased all the time, or nothing arrives at the follower.
    """
    with database.write() as session:
        site = find_site(session, site_key)
        export = note_export(session, site, "bundle", selection, actor=actor, now=clock())
    for _ in range(_TRIES):
        with database.write() as session:
            sealed = seal_site(session, find_site(session, site_key), signer, now=clock())
        if sealed is not None:
            signer.remember(sealed.published)
        if follower is not None:
            await_sealed(database, follower, site_key)
        with (follower or database).read() as session:
            hold_snapshot(session)
            site = find_site(session, site_key)
            checkpoint = newest_checkpoint(session, site)
            # A salt that is gone must be accounted for by a leaf of this bundle.
            if not _erases_unsealed(session, site, checkpoint.size):
                making = _Making(session, site, selection, checkpoint, export, tell)
                with BundleWriter(file) as bundle:
                    return making.write(bundle, tuple(witnesses), clock())
    raise Unavailable("Visitors are being erased at this moment. Export again in a minute.")


def _erases_unsealed(session: Session, site: Site, size: int) -> bool:
    query = (
        select(AdminEvent.event_id)
        .outerjoin(
            LedgerLeaf,
            (LedgerLeaf.site_id == AdminEvent.site_id)
            & (LedgerLeaf.event_id == AdminEvent.event_id),
        )
        .where(
            AdminEvent.site_id == site.id,
            AdminEvent.action == Action.ERASE,
            or_(LedgerLeaf.leaf_index.is_(None), LedgerLeaf.leaf_index >= size),
        )
        .limit(1)
    )
    return session.scalar(query) is not None


@dataclass
class _Making:
    """A bundle while it is written: what the records named is written after them."""

    session: Session
    site: Site
    selection: Selection
    checkpoint: Checkpoint
    export: UUID
    tell: Tell | None
    records: int = 0
    admin: int = 0
    versions: set[int] = field(default_factory=set)
    scripts: set[str] = field(default_factory=set)
    announced: set[str] = field(default_factory=set)
    #: One byte for each tile of which the bundle holds an event.
    shown: bytearray = field(default_factory=bytearray)

    @property
    def size(self) -> int:
        return self.checkpoint.size

    def write(
        self, bundle: BundleWriter, witnesses: tuple[VerifierKey, ...], now: datetime
    ) -> Exported:
        """Write every file; the manifest is the last."""
        self.shown = bytearray(self.size // TILE + 1)
        self._write_records(bundle)
        bundle.add("admin.jsonl", write_lines(self._admin_events()))
        sizes = choose_sizes(self.session, self.site, self.size)
        shown = None if self.selection.is_whole else self.shown
        leaves = read_leaves(self.session, self.site, self.size)
        bundle.add("leaves.txt", spell_leaves(leaves, shown, sizes))
        for size, note in read_notes(self.session, self.site, sizes):
            bundle.add(f"checkpoints/{size}.txt", [note.encode()])
        bundle.add("keys.json", spell_json(self._keys(witnesses)))
        self._write_versions(bundle)
        missing = self._write_pictures(bundle)
        bundle.add("totals.csv", self._totals())
        bundle.add("verify.py", [_VERIFIER.read_bytes()])
        manifest = self._manifest(now)
        bundle.add("README.txt", [write_readme(manifest, missing).encode()])
        bundle.finish(manifest)
        return Exported(self.records, self.size, len(missing))

    def _manifest(self, now: datetime) -> dict[str, Any]:
        return {
            "site": self.site.key,
            "origin": origin_of(self.checkpoint),
            "generator": f"consent-server {__version__}",
            "created_at": spell_time(now),
            "export": str(self.export),
            "filters": self.selection.to_filters(),
            "counts": {
                "records": self.records,
                "admin_events": self.admin,
                "leaves": self.size,
            },
            "checkpoint": {"size": self.size, "root": self.checkpoint.root.hex()},
        }

    def _write_records(self, bundle: BundleWriter) -> None:
        """Write the records twice, read once: the rows wait in a file of their own."""
        with tempfile.TemporaryFile() as rows:
            kept: list[Record] = []

            def keeping() -> Iterator[Record]:
                for record in self._records():
                    kept.append(record)
                    yield record

            rows.write(b"".join(write_csv([], _COLUMNS)))
            with bundle.adding("records.jsonl") as write:
                for piece in write_lines(keeping()):
                    write(piece)
                    rows.write(b"".join(write_csv(kept, _COLUMNS)).split(b"\r\n", 1)[1])
                    kept.clear()
            rows.seek(0)
            bundle.add("records.csv", iter(lambda: rows.read(_CHUNK), b""))

    def _records(self) -> Iterator[Record]:
        for record in read_records(self.session, self.site, self.size, self.selection):
            self.records += 1
            self.versions.add(record["version"])
            self.scripts.add(record["script_hash"])
            self.shown[record["leaf_index"] // TILE] = 1
            if self.tell:
                self.tell(record["leaf_index"] + 1, self.size)
            yield record

    def _admin_events(self) -> Iterator[Record]:
        events = read_admin_events(self.session, self.site, self.size, self.selection, self.export)
        for event in events:
            self.admin += 1
            self.shown[event["leaf_index"] // TILE] = 1
            details = event["details"]
            if event["action"] == Action.PUBLISH and self.selection.is_whole:
                self.versions.add(details["version"])
                self.scripts.add(details["script_hash"])
            if event["action"] == Action.KEY_CHANGE:
                self.announced.add(details["added"])
            yield event

    def _keys(self, witnesses: Iterable[VerifierKey]) -> dict[str, list[str]]:
        """Return the keys that the ledger announced, and those of its witnesses."""
        log = [key.to_text() for key in keys_of(self.session, self.site)]
        if self.selection.is_whole:
            log = [key for key in log if key in self.announced]
        return {"log": log, "witnesses": [key.to_text() for key in witnesses]}

    def _write_versions(self, bundle: BundleWriter) -> None:
        for number in sorted(self.versions):
            version = describe_version(self.session, self.site, number)
            bundle.add(f"versions/{number}.json", spell_json(version))
        for digest in sorted(self.scripts):
            script = self.session.get_one(SiteScript, (self.site.id, digest))
            bundle.add(f"scripts/{digest}.js", [script.body])

    def _write_pictures(self, bundle: BundleWriter) -> list[str]:
        """Write the screenshots that there are; return the names of the others."""
        missing = missing_views(self.session, self.site, self.versions)
        views = views_of(self.session, self.site, self.versions)
        there = [view for view in views if view not in missing]
        taken = []
        for entry, body in read_pictures(self.session, self.site, there):
            bundle.add(entry["file"], [body])
            taken.append(entry)
        names = [view.file for view in missing]
        bundle.add("screenshots/index.json", spell_json({"taken": taken, "missing": names}))
        return names

    def _totals(self) -> Iterator[bytes]:
        query = select(NoticeCount).where(NoticeCount.site_id == self.site.id)
        if self.selection.since is not None:
            query = query.where(NoticeCount.day >= self.selection.since.date())
        until = self.selection.until
        if until is not None:
            # A day that the period ends in is told whole, and one that it ends before is not.
            day, at_midnight = NoticeCount.day, until.time() == time()
            query = query.where(day < until.date() if at_midnight else day <= until.date())
        if self.selection.versions:
            query = query.where(NoticeCount.version.in_(self.selection.versions))
        query = query.order_by(
            NoticeCount.day, NoticeCount.version, NoticeCount.language, NoticeCount.regime
        )
        rows = self.session.scalars(query)
        return write_csv(({name: getattr(row, name) for name in _TOTALS} for row in rows), _TOTALS)
