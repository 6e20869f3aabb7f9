"""Sealed: the ledger of the Smilee site, checked, and changed as only its owner can."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import text

from consent_server.audit import hold_snapshot
from consent_server.ledger_check import check_ledger
from consent_server.ledger_contents import check_contents
from consent_server.sealing import Sealed, origins_of
from consent_server.signing import Signer
from consent_server.sites import find_site
from consent_server.store.database import Database

Seal = Callable[[], list[Sealed]]


def check(database: Database, signer: Signer) -> int:
    """Check the whole ledger and what it names; return how many leaves it has."""
    with database.read() as session:
        hold_snapshot(session)
        site = find_site(session, "smilee")
        keys = [key for name in origins_of(session, site) for key in signer.verifiers(name)]
        leaves = check_ledger(session, site, keys).leaves
        check_contents(session, site)
        return leaves


def remove_triggers(database: Database) -> None:
    """Do what only the owner of the database can do."""
    with database.engine.begin() as connection:
        if database.is_sqlite:
            names = connection.scalars(text("SELECT name FROM sqlite_master WHERE type='trigger'"))
            statements = [f"DROP TRIGGER {name}" for name in names]
        else:
            tables = connection.scalars(
                text("SELECT DISTINCT event_object_table FROM information_schema.triggers")
            )
            statements = [f"ALTER TABLE {name} DISABLE TRIGGER ALL" for name in tables]
        for statement in statements:
            connection.execute(text(statement))
