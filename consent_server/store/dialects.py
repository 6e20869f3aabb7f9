"""Dialects: what each database's address says, and how it spells a statement.

Of each, what the database in use needs is loaded. SQLAlchemy's PostgreSQL takes 2 MB of memory
and time at every start, and brings each of its drivers: a server on SQLite needs none of it.
"""

from __future__ import annotations

import sqlite3
from functools import cache
from importlib import import_module
from typing import Any

from sqlalchemy import URL, Dialect, make_url
from sqlalchemy.exc import ArgumentError

from consent_server.errors import ConfigError

#: The sealer takes what waits with one DELETE ... RETURNING.
_SQLITE = (3, 35, 0)

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


def read_address(url: str) -> URL:
    """Read the address of a database; raises ConfigError where it is none or of no use here."""
    try:
        address = make_url(url)
    except (ArgumentError, ValueError):
        # Without the cause: it may repeat the password.
        raise ConfigError(
            "CONSENT_DATABASE_URL cannot be read. It is written postgresql+psycopg://"
            "user:password@host:port/name, with %40 for an @ in the password."
        ) from None
    if url.startswith("sqlite") and sqlite3.sqlite_version_info < _SQLITE:
        raise ConfigError(
            f"Python has SQLite {sqlite3.sqlite_version} here, which is too old: "
            f"{'.'.join(map(str, _SQLITE))} is the first that returns what it deletes. "
            "Take a newer Python, or PostgreSQL."
        )
    return address
