"""Audit: the ledger of a site as files that others can check."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from consent_server.ledger import receipt_of_row
from consent_server.rules.times import spell_time
from consent_server.sites import read_config
from consent_server.store.models import Answer, ConsentEvent, Site, SiteScript, SiteVersion
from consent_server.store.record_rows import SAME_ANSWER, select_records

Record = dict[str, Any]

#: The fields of a receipt, in its order; a test compares them.
COLUMNS = (
    "schema",
    "site",
    "event_id",
    "kind",
    "method",
    "layer",
    "version",
    "version_hash",
    "script_hash",
    "language",
    "regime",
    "region",
    "signals",
    "grants",
    "decided_at",
    "received_at",
    "valid_until",
    "subject_commitment",
    "leaf_hash",
    "salt",
)
#: Excel reads UTF-8 only behind a byte order mark.
_BOM = "\ufeff"
#: What makes a spreadsheet run a cell (OWASP, CSV injection), full-width forms included;
#: the apostrophe is among them so that taking one off always gives the value back.
_RUNS_AS_FORMULA = tuple("=+-@\t\r\n＝＋－＠'")
_ROWS_AT_ONCE = 500
_CHUNK_BYTES = 64 * 1024


def hold_snapshot(session: Session) -> None:
    """Let all that the session reads be of one moment; call it first.

    SQLite does so in every transaction, PostgreSQL only when told.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})


def count_records(
    session: Session, site: Site, since: datetime | None = None, until: datetime | None = None
) -> int:
    """Return how many records the same export holds."""
    query = select(func.count()).select_from(ConsentEvent).where(*in_period(site, since, until))
    return session.scalar(query) or 0


def export_records(
    session: Session, site: Site, since: datetime | None = None, until: datetime | None = None
) -> Iterator[Record]:
    """Give every record received from `since` on and before `until`, oldest first.

    A record has exactly the fields of the visitor's receipt; `salt` is None once the
    subject was erased. Rows are read as they are taken, never all at once.
    """
    query = (
        select_records()
        .where(*in_period(site, since, until))
        .order_by(ConsentEvent.received_at, ConsentEvent.event_id)
        .execution_options(yield_per=_ROWS_AT_ONCE)
    )
    for row in session.execute(query):
        yield receipt_of_row(row, site.key)


def versions_of(
    session: Session, site: Site, since: datetime | None = None, until: datetime | None = None
) -> Iterator[Record]:
    """Give the snapshot of every version that the records of the period name.

    The SHA-256 of the canonical JSON (RFC 8785) of `config` is `config_hash`, which
    each record repeats as `version_hash`.
    """
    named = select(Answer.version).select_from(ConsentEvent).join(Answer, SAME_ANSWER)
    named = named.where(*in_period(site, since, until)).distinct()
    for number in sorted(session.scalars(named)):
        yield describe_version(session, site, number)


def describe_version(session: Session, site: Site, number: int) -> Record:
    """Return the snapshot of a version, and which scripts were served for it."""
    version = session.get_one(SiteVersion, (site.id, number))
    return {
        "site": site.key,
        "version": number,
        "config_hash": version.config_hash,
        "material_since": version.material_since,
        "published_at": spell_time(version.published_at),
        "published_by": version.published_by,
        "config": read_config(version),
        "scripts": _scripts_of(session, version),
    }


def write_jsonl(records: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    """Write one JSON object per line, in pieces of many lines."""
    return _in_chunks(spell_jsonl(record).encode() for record in records)


def spell_jsonl(record: Mapping[str, Any]) -> str:
    """Return the line of one record."""
    return f"{json.dumps(record, ensure_ascii=False, separators=(',', ':'))}\n"


def write_csv(
    records: Iterable[Mapping[str, Any]], columns: Sequence[str] = COLUMNS
) -> Iterator[bytes]:
    """Write CSV (RFC 4180) in UTF-8 with a byte order mark, the header first.

    Objects are JSON inside their cell, nothing is an empty cell. A cell that a
    spreadsheet would run as a formula begins with an apostrophe: to read a cell back,
    take off one leading apostrophe.
    """
    return _in_chunks(_csv_lines(records, columns))


def spell_csv(
    record: Mapping[str, Any], columns: Sequence[str] = COLUMNS, *, is_header: bool = False
) -> str:
    """Return the line of one record; that of the header begins with the byte order mark."""
    line = io.StringIO(newline="")
    line.write(_BOM if is_header else "")
    csv.writer(line).writerow([neutralise_cell(record[column]) for column in columns])
    return line.getvalue()


def neutralise_cell(value: Any) -> str:
    """Return the cell of a value, so that no spreadsheet runs it."""
    if value is None:
        return ""
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    cell = str(value)
    return f"'{cell}" if cell.startswith(_RUNS_AS_FORMULA) else cell


def in_period(
    site: Site, since: datetime | None, until: datetime | None
) -> Iterator[ColumnElement[bool]]:
    """Give what is true of the records of a site that were received in a period."""
    yield ConsentEvent.site_id == site.id
    if since is not None:
        yield ConsentEvent.received_at >= since
    if until is not None:
        yield ConsentEvent.received_at < until


def _scripts_of(session: Session, version: SiteVersion) -> list[Record]:
    query = (
        select(SiteScript.script_hash, SiteScript.script_id, SiteScript.first_served_at)
        .where(SiteScript.site_id == version.site_id, SiteScript.version == version.number)
        .order_by(SiteScript.first_served_at, SiteScript.script_hash)
    )
    return [
        {"script_hash": found, "script_id": name, "first_served_at": spell_time(moment)}
        for found, name, moment in session.execute(query)
    ]


def _csv_lines(records: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> Iterator[bytes]:
    yield spell_csv(dict(zip(columns, columns, strict=True)), columns, is_header=True).encode()
    for record in records:
        yield spell_csv(record, columns).encode()


def _in_chunks(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Join lines: a chunk of its own for each would cost more than the line."""
    chunk = bytearray()
    for line in lines:
        chunk += line
        if len(chunk) >= _CHUNK_BYTES:
            yield bytes(chunk)
            chunk.clear()
    if chunk:
        yield bytes(chunk)
