"""Regimes: which one a script and a picture show.

`version_picture` is made anew: its key grows by the regime, and SQLite changes no key.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from consent_server.store.append_only import guard
from consent_server.store.types import UtcTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_KEY = ("site_id", "version", "language", "part", "viewport")
_REST = ("sha256", "body", "taken_at")


def upgrade() -> None:
    """Add the columns; what there was before was shown by asking first."""
    op.add_column("site_script", _regime())
    signal = sa.Column("signal", sa.String(length=8), nullable=False, server_default="")
    op.add_column("site_script", signal)
    columns = ", ".join((*_KEY, *_REST))
    # Names of constraints are those of the whole schema, so the old table goes first.
    op.execute(f"CREATE TABLE kept_picture AS SELECT {columns} FROM version_picture")  # noqa: S608 (our names)
    op.drop_table("version_picture")
    op.create_table(
        "version_picture",
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("language", sa.String(length=16), nullable=False),
        sa.Column("part", sa.String(length=16), nullable=False),
        sa.Column("viewport", sa.String(length=16), nullable=False),
        # A server of the release before writes none while it is being replaced.
        _regime(),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("taken_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint(*_KEY, "regime", name=op.f("pk_version_picture")),
    )
    op.execute(
        f"INSERT INTO version_picture ({columns}) SELECT {columns} FROM kept_picture"  # noqa: S608 (our names)
    )
    op.drop_table("kept_picture")
    guard({"version_picture": ((*_KEY, "regime"),)})


def _regime() -> sa.Column[str]:
    return sa.Column("regime", sa.String(length=16), nullable=False, server_default="opt_in")
