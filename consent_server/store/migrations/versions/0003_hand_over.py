"""Handing over: tokens that take a decision to another address of its site."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from consent_server.store.types import UtcTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table. Its rows live for a minute, and are no evidence."""
    op.create_table(
        "hand_over",
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("target", sa.String(length=300), nullable=False),
        sa.Column("expires_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("site_id", "token_hash", name=op.f("pk_hand_over")),
    )
