"""Alembic environment: runs on the connection that the caller hands over."""

from __future__ import annotations

from alembic import context

from consent_server.store.models import Base

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    transactional_ddl=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
