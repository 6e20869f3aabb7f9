"""A seal is short: on SQLite every decision of every site waits for its end."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

from sqlalchemy import event, insert

from consent_server.sealing import seal_site
from consent_server.signing import Signer
from consent_server.sites import find_site
from consent_server.store.database import Database
from consent_server.store.models import LedgerQueue
from tests.visitor import Visitor

from .sealed import Seal


def test_a_seal_spells_no_statement_anew_while_decisions_wait_for_its_end(
    visitor: Visitor, store: Database, seal: Seal, signer: Signer
) -> None:
    visitor.accept_all()
    seal()
    now, spelled = datetime.now(UTC), []
    with store.write() as session:
        site = find_site(session, "smilee")
        rows = [{"event_id": uuid4(), "leaf_hash": uuid4().bytes * 2} for _ in range(50)]
        session.execute(insert(LedgerQueue).values(site_id=site.id, received_at=now), rows)

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        spelled.append(statement)

    with store.read() as session:
        site = find_site(session, "smilee")
    with store.write() as session:
        session.connection()
        event.listen(store.engine, "before_cursor_execute", note)
        sealed = seal_site(session, site, signer, now=now)
        event.remove(store.engine, "before_cursor_execute", note)
    assert sealed is not None
    assert sealed.added == 50
    if store.is_sqlite:  # on PostgreSQL nobody waits, and the texts go by way of SQLAlchemy
        assert spelled == []
