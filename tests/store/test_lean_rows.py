"""Lean rows: whatever schema a ledger comes from, it is byte for byte what it was.

`tests/data/ledger-0006.json` holds the rows of a ledger that a server of schema 0006 wrote, and
what that server gave of it: export, receipts, proofs.
"""

from __future__ import annotations

import hashlib
import json
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import (
    Date,
    DateTime,
    LargeBinary,
    MetaData,
    Table,
    Uuid,
    func,
    insert,
    inspect,
    select,
    text,
    update,
)
from sqlalchemy.exc import DBAPIError

from consent_server.audit import export_records, write_jsonl
from consent_server.ledger_check import BrokenLedger, check_ledger
from consent_server.proofs import prove_inclusion, spell_inclusion
from consent_server.rights import decisions_of
from consent_server.rules.note import parse_verifier_key
from consent_server.sites import find_site
from consent_server.store.database import Database
from consent_server.store.models import (
    AdminEvent,
    Answer,
    Base,
    Checkpoint,
    ConsentEvent,
    LedgerLeaf,
    LedgerQueue,
    SubjectData,
)
from consent_server.store.record_rows import SAME_LEAF
from consent_server.store.schema import upgrade_schema

from .sealed import remove_triggers

_FILE = Path(__file__).parents[1] / "data" / "ledger-0006.json"
_SEALING_SCHEMAS = ["0002", "0003", "0004", "0005", "0006"]


@cache
def kept() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(_FILE.read_text("utf-8"))
    return found


def load_ledger(database: Database, schema: str) -> None:
    """Make a database of that schema and put in what its tables can hold of the ledger."""
    upgrade_schema(database, schema)
    tables = kept()["tables"]
    with database.writing.begin() as connection:
        for name in ("site", *(one for one in tables if one != "site")):
            if schema == "0001" and name in {"checkpoint", "ledger_leaf"}:
                continue  # of that schema nothing was ever sealed
            if not inspect(connection).has_table(name):
                continue
            table = Table(name, MetaData(), autoload_with=connection)
            rows = [
                {
                    column.name: spelled(row[column.name], column.type)
                    for column in table.columns
                    if column.name in row
                }
                for row in tables[name]
            ]
            connection.execute(insert(table), rows)


def spelled(value: Any, kind: Any) -> Any:
    """Return a value of the file as the column of a reflected table takes it."""
    if isinstance(value, str) and isinstance(kind, LargeBinary):
        return bytes.fromhex(value)
    if isinstance(value, str) and isinstance(kind, Uuid):
        return UUID(value)
    if isinstance(value, str) and isinstance(kind, Date):
        return date.fromisoformat(value)
    if isinstance(value, str) and isinstance(kind, DateTime):
        return datetime.fromisoformat(value)
    if isinstance(value, str) and type(kind).__name__ == "JSON":
        return json.loads(value)
    return value


def exported(database: Database) -> str:
    with database.read() as session:
        site = find_site(session, "smilee")
        return b"".join(write_jsonl(export_records(session, site))).decode()


def check(database: Database) -> int:
    keys = [parse_verifier_key(one) for one in kept()["keys"]]
    with database.read() as session:
        return check_ledger(session, find_site(session, "smilee"), keys).leaves


@pytest.mark.parametrize("schema", ["0001", *_SEALING_SCHEMAS])
def test_every_export_and_receipt_is_what_it_was(empty_store: Database, schema: str) -> None:
    load_ledger(empty_store, schema)
    upgrade_schema(empty_store)
    assert exported(empty_store) == kept()["export"]
    with empty_store.read() as session:
        for subject_id, receipts in kept()["receipts"].items():
            # As bytes: the order of fields counts, too.
            assert json.dumps(decisions_of(session, "smilee", subject_id)) == json.dumps(receipts)


@pytest.mark.parametrize("schema", _SEALING_SCHEMAS)
def test_every_root_and_proof_is_what_it_was(empty_store: Database, schema: str) -> None:
    load_ledger(empty_store, schema)
    upgrade_schema(empty_store)
    assert check(empty_store) == max(map(int, kept()["roots"]))
    with empty_store.read() as session:
        roots = {str(one.size): one.root.hex() for one in session.scalars(select(Checkpoint))}
        assert roots == kept()["roots"]
        site = find_site(session, "smilee")
        for proof in kept()["proofs"]:
            event_id = UUID(proof["event_id"])
            assert spell_inclusion(event_id, prove_inclusion(session, site, event_id)) == proof
        assert session.scalar(select(func.count()).select_from(LedgerQueue)) == 1
        assert session.scalar(select(func.count()).select_from(AdminEvent)) == 3
        assert session.scalar(select(func.count()).select_from(SubjectData)) == 27


def test_what_is_said_alike_is_kept_once(empty_store: Database) -> None:
    load_ledger(empty_store, "0006")
    upgrade_schema(empty_store)
    with empty_store.read() as session:
        answers = list(session.scalars(select(Answer)))
        records = session.scalar(select(func.count()).select_from(ConsentEvent)) or 0
    assert len(answers) < records, "four in ten spell their grants in an order of their own"
    assert [one.number for one in answers] == list(range(1, len(answers) + 1))


def test_the_evidence_is_guarded_again(empty_store: Database) -> None:
    load_ledger(empty_store, "0006")
    upgrade_schema(empty_store)
    for table in ("answer", "consent_event", "admin_event", "ledger_leaf"):
        with pytest.raises(DBAPIError, match="append-only"), empty_store.write() as session:
            session.execute(text(f"DELETE FROM {table}"))


def test_a_record_that_cannot_be_carried_over_stops_the_upgrade(empty_store: Database) -> None:
    load_ledger(empty_store, "0006")
    before = counts(empty_store)
    remove_triggers(empty_store)
    with empty_store.writing.begin() as connection:
        connection.execute(text("UPDATE consent_event SET grants = '7'"))
    with pytest.raises(AttributeError):
        upgrade_schema(empty_store)
    assert counts(empty_store) == before, "nothing of it was done"


def counts(database: Database) -> dict[str, int]:
    with database.engine.connect() as connection:
        return {
            name: connection.scalar(text(f"SELECT count(*) FROM {name}")) or 0
            for name in inspect(connection).get_table_names()
        }


COLUMNS = [
    (table, column.name)
    for table in ("answer", "consent_event", "ledger_leaf", "admin_event")
    for column in Base.metadata.tables[table].columns
]


def changed(value: Any) -> Any:
    """Return a value with as little of it changed as can be."""
    if isinstance(value, bytes):
        return value[:-1] + bytes([value[-1] ^ 1])
    if isinstance(value, UUID):
        return UUID(int=value.int ^ 1)
    if isinstance(value, datetime):
        return value.replace(microsecond=(value.microsecond + 1000) % 1_000_000)
    if isinstance(value, dict):
        return {**value, "x": True}
    if isinstance(value, int):
        return value + 1_000
    return value[:-1] + chr(ord(value[-1]) ^ 1) if value else "x"


@pytest.mark.parametrize(("table", "column"), COLUMNS)
def test_a_change_of_any_column_of_any_record_is_found(
    empty_store: Database, table: str, column: str
) -> None:
    load_ledger(empty_store, "0006")
    upgrade_schema(empty_store)
    check(empty_store)
    remove_triggers(empty_store)
    found = Base.metadata.tables[table]
    with empty_store.write() as session:
        query = select(found).limit(1)
        if table == "answer":
            # What waits to be sealed is not looked at.
            sealed = select(ConsentEvent.answer_number).join(LedgerLeaf, SAME_LEAF)
            query = query.where(found.c.number.in_(sealed))
        row = session.execute(query).mappings().one()
        place = [one == row[one.name] for one in found.primary_key]
        session.execute(update(found).where(*place).values({column: changed(row[column])}))
    with pytest.raises(BrokenLedger):
        check(empty_store)


def test_the_digest_of_an_answer_is_that_of_what_it_says(empty_store: Database) -> None:
    load_ledger(empty_store, "0006")
    upgrade_schema(empty_store)
    with empty_store.read() as session:
        for one in session.scalars(select(Answer)):
            said = [one.version, one.kind, one.method, one.layer, one.script_hash, one.language]
            content = [*said, one.regime, [[key, yes] for key, yes in one.grants.items()]]
            spelled_out = json.dumps(content, separators=(",", ":")).encode()
            assert hashlib.sha256(spelled_out).digest() == one.digest
