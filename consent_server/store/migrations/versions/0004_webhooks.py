"""Webhooks: where the sites' own servers are told, and what waits for them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from consent_server.store.types import UtcTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables. What arrived is deleted; none of it is evidence."""
    op.create_table(
        "webhook",
        sa.Column("site_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("url", sa.String(length=300), nullable=False),
        sa.Column("every_decision", sa.Boolean(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("rotated_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("site_id", name=op.f("pk_webhook")),
    )
    op.create_table(
        "webhook_delivery",
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("subject_key", sa.LargeBinary(length=32), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("made_at", UtcTime(), nullable=False),
        sa.Column("due_at", UtcTime(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("site_id", "delivery_id", name=op.f("pk_webhook_delivery")),
    )
    op.create_index(op.f("ix_webhook_delivery_due_at"), "webhook_delivery", ["due_at"])
