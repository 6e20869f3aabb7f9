"""Bundles: of one moment on both databases, whatever is recorded and erased meanwhile."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import pytest
from flask import Flask
from sqlalchemy import delete

from consent_server.bundle.export import Exported, export_bundle
from consent_server.bundle.selection import Selection
from consent_server.ledger import append_admin_event
from consent_server.rules.admin_event import Action
from consent_server.rules.receipt import subject_key
from consent_server.sealing import seal_waiting
from consent_server.signing import Published, Signer, open_signer
from consent_server.sites import find_site
from consent_server.store.database import Database
from consent_server.store.models import SubjectData
from tests.verification.checking import said, said_by_the_small_one
from tests.visitor import Visitor


def now() -> datetime:
    return datetime.now(UTC)


def erase(store: Database, visitor: Visitor, records: int) -> None:
    """Erase a visitor as the server does: rows and event in one transaction."""
    with store.write() as session:
        key = subject_key(visitor.subject_id)
        session.execute(delete(SubjectData).where(SubjectData.subject_key == key))
        site, details = find_site(session, "smilee"), {"reason": "asked", "records": records}
        append_admin_event(session, site, Action.ERASE, actor="me", details=details, now=now())


@dataclass
class Busy:
    """A ledger that is written to while it is exported."""

    store: Database
    signer: Signer
    visitor: Visitor
    other: Visitor
    told: list[int] = field(default_factory=list)

    def tell(self, done: int, _size: int) -> None:
        """With the first record that is exported: a decision, an erasure, and a seal."""
        if not self.told:
            self.visitor.reject_all()
            erase(self.store, self.other, 1)
            seal_waiting(self.store, self.signer, now=now())
        self.told.append(done)


class ErasingSigner(Signer):
    """A signer under whose hands a visitor is erased, between the seal and the export."""

    meanwhile: tuple[Database, Visitor] | None = None

    def remember(self, published: Published) -> None:
        """Keep what was published, and let the visitor go."""
        super().remember(published)
        if self.meanwhile:
            (store, visitor), self.meanwhile = self.meanwhile, None
            erase(store, visitor, 1)


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    """Keys of a server."""
    return open_signer(tmp_path / "keys", now=now())


@pytest.fixture
def visitors(served: Flask) -> tuple[Visitor, Visitor]:
    """Two visitors, each of whom has decided."""
    client = served.test_client(use_cookies=False)
    visitors = Visitor(client), Visitor(client)
    for visitor in visitors:
        assert visitor.accept_all().status_code == 201
    return visitors


def test_what_happens_during_an_export_is_not_in_it(
    store: Database, signer: Signer, visitors: tuple[Visitor, Visitor], tmp_path: Path
) -> None:
    busy, file = Busy(store, signer, *visitors), tmp_path / "bundle.zip"
    with file.open("wb") as target:
        done = export_bundle(
            store, signer, "smilee", Selection(), target, actor="me", clock=now, tell=busy.tell
        )
    assert done.records == len(busy.told) == 2
    assert said(file) == said_by_the_small_one(file) == ""
    with file.open("wb") as target:
        assert export(store, signer, target).records == 3
    assert said(file) == said_by_the_small_one(file) == ""


def export(store: Database, signer: Signer, target: IO[bytes]) -> Exported:
    return export_bundle(
        store,
        signer,
        "smilee",
        Selection(),
        target,
        actor="me",
        clock=now,
    )


def test_an_erasure_after_the_seal_is_sealed_before_the_export(
    store: Database, signer: Signer, visitors: tuple[Visitor, Visitor], tmp_path: Path
) -> None:
    erasing = ErasingSigner(signer.folder, signer.keys)
    erasing.meanwhile = store, visitors[0]
    file = tmp_path / "bundle.zip"
    with file.open("wb") as target:
        export(store, erasing, target)
    assert said(file) == said_by_the_small_one(file) == ""
