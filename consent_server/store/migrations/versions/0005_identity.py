"""Identities: which subjects are one person who signed in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from consent_server.store.types import UtcTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table. Its rows go with the records of their subjects."""
    op.create_table(
        "identity",
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("ref_key", sa.LargeBinary(length=32), nullable=False),
        sa.Column("subject_key", sa.LargeBinary(length=32), nullable=False),
        sa.Column("linked_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("site_id", "ref_key", "subject_key", name=op.f("pk_identity")),
    )
    op.create_index(op.f("ix_identity_site_id_subject_key"), "identity", ["site_id", "subject_key"])
