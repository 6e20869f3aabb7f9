"""Column types: one way to keep each thing, and a short one for tables with many rows."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, LargeBinary, String, Text, Uuid
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

from consent_server.rules.times import NotATime, parse_time, spell_time, to_utc

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = 86_400_000
#: How these types fail at what was never written by us.
UNREADABLE = (ValueError, TypeError, KeyError, OverflowError, NotATime)


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

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any] | None:
        """Hand `_in_utc` out as it is on PostgreSQL: each decision has four times."""
        return super().bind_processor(dialect) if dialect.name == "sqlite" else _in_utc

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Read the time back, aware and in UTC."""
        if value is None:
            return None
        return parse_time(value) if dialect.name == "sqlite" else to_utc(value)


class ShortTime(TypeDecorator[datetime]):
    """The same time as a number of milliseconds on SQLite: 6 bytes, where the text takes 24."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose a number on SQLite, timestamptz on PostgreSQL."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(BigInteger())
        return dialect.type_descriptor(DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Give the database its form of the time."""
        if value is None:
            return None
        return to_milliseconds(value) if dialect.name == "sqlite" else to_utc(value)

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any] | None:
        """Hand `_in_utc` out as it is on PostgreSQL: each decision has four times."""
        return super().bind_processor(dialect) if dialect.name == "sqlite" else _in_utc

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Read the time back, aware and in UTC."""
        if value is None:
            return None
        if dialect.name == "sqlite":
            return _EPOCH + timedelta(milliseconds=value)
        return to_utc(value)


class ShortUuid(TypeDecorator[UUID]):
    """A UUID as its 16 bytes on SQLite, where SQLAlchemy's own is 32 characters."""

    impl = Uuid
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose bytes on SQLite, uuid on PostgreSQL."""
        return dialect.type_descriptor(LargeBinary(16) if dialect.name == "sqlite" else Uuid())

    def process_bind_param(self, value: UUID | None, dialect: Dialect) -> Any:
        """Give the database its form of the id."""
        return value.bytes if value is not None and dialect.name == "sqlite" else value

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any] | None:
        """Leave it to the driver on PostgreSQL, which knows ids."""
        return super().bind_processor(dialect) if dialect.name == "sqlite" else None

    def process_result_value(self, value: Any, dialect: Dialect) -> UUID | None:
        """Read the id back."""
        return UUID(bytes=value) if value is not None and dialect.name == "sqlite" else value


class SparseJson(TypeDecorator[dict[str, Any]]):
    """A JSON object that is mostly empty, and then takes no room."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: dict[str, Any] | None, _dialect: Dialect) -> str | None:
        """Spell it; the empty one as nothing."""
        if value is None:
            return None
        return json.dumps(value) if value else ""

    def process_result_value(self, value: str | None, _dialect: Dialect) -> dict[str, Any] | None:
        """Read it back."""
        if value is None:
            return None
        found: dict[str, Any] = json.loads(value) if value else {}
        return found


def _in_utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else to_utc(moment)


def to_milliseconds(moment: datetime) -> int:
    """Return the milliseconds since 1970 in UTC, rounded down; refuses a naive time."""
    if moment.tzinfo is None:
        raise NotATime("A time without a zone cannot be recorded.")
    since = moment - _EPOCH
    return since.days * _DAY + since.seconds * 1_000 + since.microseconds // 1_000
