"""Dialects: how each database spells a statement, loaded for the one that is used.

SQLAlchemy's PostgreSQL takes 2 MB of memory and time at every start, and brings each of its
drivers: a server on SQLite needs none of it.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

from sqlalchemy import Dialect

#: Where each database's driver is, and its parameters by their place, as it writes them.
_DRIVERS = {
    "sqlite": ("sqlalchemy.dialects.sqlite.pysqlite", "qmark"),
    "postgresql": ("sqlalchemy.dialects.postgresql.psycopg", "format"),
}


@cache
def dialect_of(name: str) -> Dialect:
    """Return the dialect of that name, with parameters by their place."""
    module, paramstyle = _DRIVERS[name]
    found: Dialect = import_module(module).dialect(paramstyle=paramstyle)
    return found


def insert_for(name: str, table: Any) -> Any:
    """Return an INSERT that can say `ON CONFLICT`, for the dialect of that name."""
    return import_module(f"sqlalchemy.dialects.{name}").insert(table)
