"""The sealed ledger: queue, tree, names, administrators' events, witnesses and jobs.

`ledger_leaf` and `checkpoint` are made anew: no release ever wrote to them.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from consent_server.store.append_only import guard
from consent_server.store.types import UtcTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

#: Evidence, like that of the first schema.
APPEND_ONLY = {
    "admin_event": (("site_id", "event_id"),),
    "ledger": (("site_id", "number"),),
    "ledger_leaf": (("site_id", "leaf_index"), ("site_id", "event_id")),
    "ledger_node": (("site_id", "level", "node_index"),),
    "checkpoint": (("site_id", "size"),),
    "cosignature": (("site_id", "size", "key_id"),),
    "version_picture": (("site_id", "version", "language", "part", "viewport"),),
}


def upgrade() -> None:
    """Create the tables, guard them, and queue what was recorded before sealing existed."""
    # Their triggers go with them.
    op.drop_table("ledger_leaf")
    op.drop_table("checkpoint")
    _create_tree()
    _create_names_and_signatures()
    _create_events()
    _create_jobs()
    guard(APPEND_ONLY)
    op.execute(
        "INSERT INTO ledger_queue (site_id, received_at, event_id, leaf_hash) "
        "SELECT site_id, received_at, event_id, leaf_hash FROM consent_event"
    )


def _create_tree() -> None:
    _create(
        "ledger_leaf",
        ("site_id", "leaf_index"),
        sa.Column("leaf_index", sa.BigInteger(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary(length=32), nullable=False),
        sa.UniqueConstraint("site_id", "event_id", name=op.f("uq_ledger_leaf_site_id_event_id")),
    )
    _create(
        "ledger_node",
        ("site_id", "level", "node_index"),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("node_index", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
    )
    _create(
        "checkpoint",
        ("site_id", "size"),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("frontier", sa.LargeBinary(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("key_id", sa.String(length=8), nullable=False),
        sa.Column("sealed_at", UtcTime(), nullable=False),
    )


def _create_names_and_signatures() -> None:
    _create(
        "ledger",
        ("site_id", "number"),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("opened_at", UtcTime(), nullable=False),
    )
    _create(
        "cosignature",
        ("site_id", "size", "key_id"),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("key_id", sa.String(length=8), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("received_at", UtcTime(), nullable=False),
    )
    op.create_table(
        "witnessed",
        sa.Column("origin", sa.String(length=300), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("cosigned_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("origin", name=op.f("pk_witnessed")),
    )


def _create_events() -> None:
    _create(
        "admin_event",
        ("site_id", "event_id"),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("happened_at", UtcTime(), nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary(length=32), nullable=False),
    )
    op.create_index(
        op.f("ix_admin_event_site_id_happened_at_event_id"),
        "admin_event",
        ["site_id", "happened_at", "event_id"],
        unique=False,
    )
    _create(
        "ledger_queue",
        ("site_id", "received_at", "event_id"),
        sa.Column("received_at", UtcTime(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary(length=32), nullable=False),
    )
    _create(
        "version_picture",
        ("site_id", "version", "language", "part", "viewport"),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("language", sa.String(length=16), nullable=False),
        sa.Column("part", sa.String(length=16), nullable=False),
        sa.Column("viewport", sa.String(length=16), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("taken_at", UtcTime(), nullable=False),
    )


def _create_jobs() -> None:
    _create(
        "checkpoint_push",
        ("site_id", "target"),
        sa.Column("target", sa.String(length=300), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("pushed_at", UtcTime(), nullable=False),
    )
    op.create_table(
        "lease",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("holder", sa.String(length=64), nullable=False),
        sa.Column("expires_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_lease")),
    )


def _create(table: str, key: tuple[str, ...], *columns: sa.schema.SchemaItem) -> None:
    """Create a table whose key begins with the site."""
    op.create_table(
        table,
        sa.Column("site_id", sa.Integer(), nullable=False),
        *columns,
        sa.PrimaryKeyConstraint(*key, name=op.f(f"pk_{table}")),
    )
