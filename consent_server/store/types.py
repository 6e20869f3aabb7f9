"""Column types: one way to keep a time, one way to keep JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import DateTime, String
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

from consent_server.rules.times import parse_time, spell_time, to_utc


class UtcTime(TypeDecorator[datetime]):
    """An aware UTC time in milliseconds; a naive one is refused.

    SQLite has no time type and SQLAlchemy's own comes back naive, so there it is
    kept as RFC 3339 text, which also sorts in time order.
    """

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose text on SQLite, timestamptz on PostgreSQL."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(String(24))
        return dialect.type_descriptor(DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Spell the time for the database."""
        if value is None:
            return None
        return spell_time(value) if dialect.name == "sqlite" else to_utc(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Read the time back, aware and in UTC."""
        if value is None:
            return None
        return parse_time(value) if dialect.name == "sqlite" else to_utc(value)
