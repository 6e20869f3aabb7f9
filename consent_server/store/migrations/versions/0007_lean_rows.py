"""Lean rows: what many records say alike is written once, and rows hold no byte twice.

Tables with many rows are made anew: SQLite changes neither keys nor types. No record changes:
what is hashed, and so every leaf, root, receipt and export, is what it was. All in the one
transaction of the upgrade, so that one that is cut off has changed nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from alembic import op

from consent_server.rules.times import parse_time
from consent_server.store.append_only import guard
from consent_server.store.types import ShortTime, ShortUuid, SparseJson, UtcTime, to_milliseconds

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

#: Evidence, with what makes a row one of a kind.
APPEND_ONLY = {
    "answer": (("site_id", "number"), ("site_id", "digest")),
    "consent_event": (("site_id", "event_id"),),
    "admin_event": (("site_id", "event_id"),),
    "ledger_leaf": (("site_id", "leaf_index"), ("site_id", "event_id")),
}
#: Columns of an answer that stood in every record, as they stood there.
_SAID = ("site_id", "version", "kind", "method", "layer", "script_hash", "language", "regime")


def upgrade() -> None:
    """Number the answers, then carry each table over."""
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    if is_sqlite:
        _teach_sqlite()
    else:
        # What a server of the release before would write meanwhile must not be lost.
        op.execute("LOCK TABLE consent_event, ledger_leaf IN ACCESS EXCLUSIVE MODE")
    _create_answers()
    _number_answers()
    _renew_events()
    op.drop_table("answer_number")
    _renew_leaves()
    if is_sqlite:
        # PostgreSQL keeps them as short already.
        _renew_links()
        _renew_admin_events()
        _renew_queue()
    guard(
        {table: keys for table, keys in APPEND_ONLY.items() if is_sqlite or table != "admin_event"}
    )


def _teach_sqlite() -> None:
    """Give SQLite the functions that spell times and ids as the new columns do."""
    connection: Any = op.get_bind().connection.driver_connection
    connection.create_function("short_uuid", 1, lambda text: UUID(text).bytes, deterministic=True)
    connection.create_function(
        "short_time", 1, lambda text: to_milliseconds(parse_time(text)), deterministic=True
    )


def _create_answers() -> None:
    op.create_table(
        "answer",
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("method", sa.String(length=16), nullable=False),
        sa.Column("layer", sa.String(length=16), nullable=False),
        sa.Column("script_hash", sa.String(length=64), nullable=False),
        sa.Column("language", sa.String(length=16), nullable=False),
        sa.Column("regime", sa.String(length=16), nullable=False),
        sa.Column("grants", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("site_id", "number", name=op.f("pk_answer")),
        sa.UniqueConstraint("site_id", "digest", name=op.f("uq_answer_site_id_digest")),
    )


def _number_answers() -> None:
    """Find what was said; `answer_number` tells by which number each spelling of it goes."""
    bind, names = op.get_bind(), ", ".join(_SAID)
    columns = [
        sa.Column(name, sa.Integer() if name in {"site_id", "version"} else sa.Text())
        for name in _SAID
    ]
    spelled = op.create_table(
        "answer_number",
        *columns,
        sa.Column("grants", sa.Text()),
        sa.Column("number", sa.Integer()),
    )
    answers = sa.table(
        "answer",
        *(sa.column(name) for name in (*_SAID, "number", "digest")),
        sa.column("grants", sa.JSON()),
    )
    known: dict[tuple[int, bytes], int] = {}
    last: dict[int, int] = {}
    found = bind.execute(
        sa.text(
            f"SELECT DISTINCT {names}, CAST(grants AS TEXT) AS spelled FROM consent_event "  # noqa: S608 (our names)
            f"ORDER BY {names}, spelled"
        )
    ).all()
    for row in found:
        fields = dict(zip(_SAID, row[:-1], strict=True))
        site_id, grants = fields["site_id"], json.loads(row.spelled)
        # As `store/answers.py` has it.
        content = [*(fields[name] for name in _SAID[1:]), list(grants.items())]
        digest = hashlib.sha256(json.dumps(content, separators=(",", ":")).encode()).digest()
        number = known.get((site_id, digest))
        if number is None:
            number = known[site_id, digest] = last[site_id] = last.get(site_id, 0) + 1
            bind.execute(
                answers.insert(), {**fields, "number": number, "digest": digest, "grants": grants}
            )
        bind.execute(spelled.insert(), {**fields, "grants": row.spelled, "number": number})
    op.create_index("ix_answer_number", "answer_number", [*_SAID, "grants"])


def _renew_events() -> None:
    same = " AND ".join(f"said.{name} = old.{name}" for name in _SAID)
    _renew(
        "consent_event",
        ("site_id", "event_id"),
        (
            sa.Column("decided_at", ShortTime(), nullable=False),
            sa.Column("received_at", ShortTime(), nullable=False),
            sa.Column("valid_until", ShortTime(), nullable=False),
            sa.Column("site_id", sa.Integer(), nullable=False),
            sa.Column("answer_number", sa.Integer(), nullable=False),
            sa.Column("event_id", ShortUuid(), nullable=False),
            sa.Column("subject_commitment", sa.LargeBinary(length=32), nullable=False),
            sa.Column("region", sa.String(length=16), nullable=False),
            sa.Column("signals", SparseJson(), nullable=False),
        ),
        {
            "answer_number": "said.number",
            "region": "old.region",
            "signals": "CASE CAST(old.signals AS TEXT) WHEN '{}' THEN '' "
            "ELSE CAST(old.signals AS TEXT) END",
        },
        # Outer: a record whose answer was not found would refuse to have none.
        f"LEFT JOIN answer_number said ON {same} AND said.grants = CAST(old.grants AS TEXT)",
        indexes=(("site_id", "received_at", "event_id"),),
    )


def _renew_leaves() -> None:
    _renew(
        "ledger_leaf",
        ("site_id", "leaf_index"),
        (
            sa.Column("leaf_index", sa.BigInteger(), nullable=False),
            sa.Column("site_id", sa.Integer(), nullable=False),
            sa.Column("event_id", ShortUuid(), nullable=False),
            sa.Column("leaf_hash", sa.LargeBinary(length=32), nullable=False),
        ),
        unique=("site_id", "event_id"),
    )


def _renew_links() -> None:
    _renew(
        "subject_data",
        ("site_id", "event_id"),
        (
            sa.Column("site_id", sa.Integer(), nullable=False),
            sa.Column("event_id", ShortUuid(), nullable=False),
            sa.Column("subject_key", sa.LargeBinary(length=32), nullable=False),
            sa.Column("salt", sa.LargeBinary(length=32), nullable=False),
        ),
        indexes=(("site_id", "subject_key"),),
        with_rowid=True,
    )


def _renew_admin_events() -> None:
    _renew(
        "admin_event",
        ("site_id", "event_id"),
        (
            sa.Column("site_id", sa.Integer(), nullable=False),
            sa.Column("event_id", ShortUuid(), nullable=False),
            sa.Column("action", sa.String(length=16), nullable=False),
            sa.Column("actor", sa.Text(), nullable=False),
            sa.Column("details", sa.Text(), nullable=False),
            sa.Column("happened_at", UtcTime(), nullable=False),
            sa.Column("leaf_hash", sa.LargeBinary(length=32), nullable=False),
        ),
        indexes=(("site_id", "happened_at", "event_id"),),
        with_rowid=True,
    )


def _renew_queue() -> None:
    _renew(
        "ledger_queue",
        ("site_id", "received_at", "event_id"),
        (
            sa.Column("site_id", sa.Integer(), nullable=False),
            sa.Column("received_at", ShortTime(), nullable=False),
            sa.Column("event_id", ShortUuid(), nullable=False),
            sa.Column("leaf_hash", sa.LargeBinary(length=32), nullable=False),
        ),
    )


def _renew(
    table: str,
    key: tuple[str, ...],
    columns: Sequence[sa.Column[Any]],
    values: dict[str, str] | None = None,
    joined: str = "",
    *,
    indexes: Sequence[tuple[str, ...]] = (),
    unique: tuple[str, ...] = (),
    with_rowid: bool = False,
) -> None:
    """Make a table anew under its name and fill it from what it was, in the order of its key.

    `values` are expressions for columns that are not just carried over.
    """
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    primary = sa.PrimaryKeyConstraint(*key, name=op.f(f"pk_{table}"))
    alike = [sa.UniqueConstraint(*unique, name=_name("uq", table, unique))] if unique else []
    # On PostgreSQL names of keys are those of the whole schema: the old ones go first.
    keys = [primary, *alike] if is_sqlite else []
    op.create_table(f"new_{table}", *columns, *keys, sqlite_with_rowid=with_rowid)
    names = [column.name for column in columns]
    chosen = [(values or {}).get(column.name) or _carried(column, is_sqlite) for column in columns]
    order = ", ".join(f"old.{name}" for name in key)
    op.execute(
        f"INSERT INTO new_{table} ({', '.join(names)}) SELECT {', '.join(chosen)} "  # noqa: S608 (our names)
        f"FROM {table} old {joined} ORDER BY {order}"
    )
    op.drop_table(table)
    op.rename_table(f"new_{table}", table)
    if not is_sqlite:
        op.create_primary_key(op.f(f"pk_{table}"), table, list(key))
        if unique:
            op.create_unique_constraint(_name("uq", table, unique), table, list(unique))
    for index in indexes:
        op.create_index(_name("ix", table, index), table, list(index))


def _carried(column: sa.Column[Any], is_sqlite: bool) -> str:
    """Return the expression that carries a column over."""
    old = f"old.{column.name}"
    if is_sqlite and isinstance(column.type, ShortTime):
        return f"short_time({old})"
    if is_sqlite and isinstance(column.type, ShortUuid):
        return f"short_uuid({old})"
    return old


def _name(kind: str, table: str, columns: Sequence[str]) -> str:
    return op.f(f"{kind}_{table}_{'_'.join(columns)}")
