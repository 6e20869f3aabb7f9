"""Problems on the terminal: one clear message and an exit code, never a traceback."""

from __future__ import annotations

import sqlite3
from typing import Any

import click
from sqlalchemy.exc import DBAPIError

from consent_server.errors import ConsentError
from consent_server.store.postgresql import leads_nowhere

#: What SQLite says where a file, or its folder, may not be written or opened.
_NOT_OURS = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM}


class ReportingGroup(click.Group):
    """A group whose commands may raise our own errors: they end with exit code 1."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command and tell what went wrong."""
        try:
            return super().invoke(ctx)
        except ConsentError as error:
            raise click.ClickException(describe_error(error)) from error
        except sqlite3.Error as error:
            raise click.ClickException(describe_database_error(error)) from error
        except DBAPIError as error:
            raise click.ClickException(describe_database_error(error.orig)) from error
        except BrokenPipeError:
            raise
        except OSError as error:
            raise click.ClickException(describe_os_error(error)) from error


def describe_error(error: ConsentError) -> str:
    """Return the message, and a line for every field that is wrong."""
    lines = [error.detail]
    for path, messages in (error.errors or {}).items():
        found = messages if isinstance(messages, list) else [messages]
        lines += [f"  {path}: {message}" for message in found]
    return "\n".join(lines)


def describe_database_error(error: BaseException | None) -> str:
    """Return what the database said, and what to do where this user may not use its file."""
    told = f"The database answered: {error}"
    if isinstance(error, sqlite3.Error) and _kind(error) in _NOT_OURS:
        told += (
            ". The file of CONSENT_DATABASE_URL, and the folder that it lies in, must be there for "
            "this user to read and to write: run commands as the user that the server runs as."
        )
    if error is not None and leads_nowhere(error):
        told += (
            ". CONSENT_DATABASE_URL must name a database that takes writes: the primary, if this "
            "is a standby. To read an export from the standby all the same: consent-server audit "
            "export --read-from ADDRESS"
        )
    return told


def _kind(error: sqlite3.Error) -> int:
    # The lower byte is the kind, the upper ones say more of it; our own wrong use has none.
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def describe_os_error(error: OSError) -> str:
    """Return e.g. `/etc/x.toml: Permission denied`."""
    reason = error.strerror or str(error)
    return f"{error.filename}: {reason}" if error.filename else reason
