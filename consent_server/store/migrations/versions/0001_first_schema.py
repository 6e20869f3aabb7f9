"""First schema: sites, versions, scripts, the ledger and its triggers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from consent_server.store.append_only import guard, prepare_guard
from consent_server.store.types import UtcTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

#: Tables whose rows are evidence, with what makes a row one of a kind: once written,
#: never changed. `site_script` keeps what was served.
APPEND_ONLY = {
    "consent_event": (("site_id", "event_id"),),
    "site_version": (("site_id", "number"),),
    "site_script": (("site_id", "script_hash"), ("site_id", "script_id")),
    "ledger_leaf": (("site_id", "leaf_index"), ("site_id", "event_id")),
    "checkpoint": (("site_id", "size"),),
}


def upgrade() -> None:
    """Create every table and the triggers that keep the evidence as it is."""
    _create_tables()
    prepare_guard()
    guard(APPEND_ONLY)


def _create_tables() -> None:
    op.create_table(
        "checkpoint",
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("frontier", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("key_id", sa.String(length=64), nullable=False),
        sa.Column("sealed_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("site_id", "size", name=op.f("pk_checkpoint")),
    )
    op.create_table(
        "consent_event",
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("method", sa.String(length=16), nullable=False),
        sa.Column("layer", sa.String(length=16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("script_hash", sa.String(length=64), nullable=False),
        sa.Column("language", sa.String(length=16), nullable=False),
        sa.Column("regime", sa.String(length=16), nullable=False),
        sa.Column("region", sa.String(length=16), nullable=False),
        sa.Column("signals", sa.JSON(), nullable=False),
        sa.Column("grants", sa.JSON(), nullable=False),
        sa.Column("decided_at", UtcTime(), nullable=False),
        sa.Column("received_at", UtcTime(), nullable=False),
        sa.Column("valid_until", UtcTime(), nullable=False),
        sa.Column("subject_commitment", sa.LargeBinary(length=32), nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("site_id", "event_id", name=op.f("pk_consent_event")),
    )
    op.create_index(
        op.f("ix_consent_event_site_id_received_at_event_id"),
        "consent_event",
        ["site_id", "received_at", "event_id"],
        unique=False,
    )
    op.create_table(
        "ledger_leaf",
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("leaf_index", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("site_id", "leaf_index", name=op.f("pk_ledger_leaf")),
        sa.UniqueConstraint("site_id", "event_id", name=op.f("uq_ledger_leaf_site_id_event_id")),
    )
    op.create_table(
        "notice_count",
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("language", sa.String(length=16), nullable=False),
        sa.Column("regime", sa.String(length=16), nullable=False),
        sa.Column("shown", sa.Integer(), nullable=False),
        sa.Column("accepted", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("saved", sa.Integer(), nullable=False),
        sa.Column("withdrawn", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(
            "site_id",
            "day",
            "version",
            "language",
            "regime",
            name=op.f("pk_notice_count"),
        ),
    )
    op.create_table(
        "site",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("current_version", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("retired_at", UtcTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_site")),
        sa.UniqueConstraint("key", name=op.f("uq_site_key")),
    )
    op.create_table(
        "subject_data",
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("subject_key", sa.LargeBinary(length=32), nullable=False),
        sa.Column("salt", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("site_id", "event_id", name=op.f("pk_subject_data")),
    )
    op.create_index(
        op.f("ix_subject_data_site_id_subject_key"),
        "subject_data",
        ["site_id", "subject_key"],
        unique=False,
    )
    op.create_table(
        "site_script",
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("script_hash", sa.String(length=64), nullable=False),
        sa.Column("script_id", sa.String(length=16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("first_served_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_site_script_site_id")),
        sa.PrimaryKeyConstraint("site_id", "script_hash", name=op.f("pk_site_script")),
        sa.UniqueConstraint("site_id", "script_id", name=op.f("uq_site_script_site_id_script_id")),
    )
    op.create_table(
        "site_version",
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("config", sa.Text(), nullable=False),
        sa.Column("config_hash", sa.String(length=64), nullable=False),
        sa.Column("material_hash", sa.String(length=64), nullable=False),
        sa.Column("material_since", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("published_at", UtcTime(), nullable=False),
        sa.Column("published_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_site_version_site_id")),
        sa.PrimaryKeyConstraint("site_id", "number", name=op.f("pk_site_version")),
    )
