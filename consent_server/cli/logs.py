"""Logs: lines for people or for machines, of which none can hold whose request it was."""

from __future__ import annotations

import json
import logging
import re
import traceback
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.exc import DBAPIError

from consent_server.config import Settings
from consent_server.errors import ConsentError
from consent_server.rules.times import spell_time

#: What would end a line, or colour a terminal.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
#: Data exceptions of PostgreSQL (class 22) repeat the value that was wrong.
_TELLS_VALUES = "22"


class LineFormatter(logging.Formatter):
    """A line for people: time, level, logger, message; a traceback follows, indented."""

    def format(self, record: logging.LogRecord) -> str:
        """Spell one record."""
        line = f"{_time(record)} {record.levelname} {record.name}: {_message(record)}"
        if record.exc_info and record.exc_info[1]:
            line = "\n  ".join([line, *describe_exception(record.exc_info[1])])
        return line


class JsonFormatter(logging.Formatter):
    """A JSON object on a line of its own: `time`, `level`, `logger`, `message` and more."""

    def format(self, record: logging.LogRecord) -> str:
        """Spell one record."""
        told: dict[str, Any] = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _message(record),
            **getattr(record, "fields", {}),
        }
        if record.exc_info and record.exc_info[1]:
            told["exception"] = describe_exception(record.exc_info[1])
        return json.dumps(told, ensure_ascii=False)


def logging_of(settings: Settings) -> dict[str, Any]:
    """Return how a server of these settings logs (logging.config.dictConfig)."""
    formatter = JsonFormatter if settings.log_format == "json" else LineFormatter
    return {
        "formatters": {"line": {"()": formatter}},
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "formatter": "line",
                "stream": "ext://sys.stderr",
            },
        },
        "root": {"handlers": ["stderr"], "level": "WARNING"},
        "loggers": {"_granian": {}, "granian.access": {"level": "WARNING"}},
    }


def describe_exception(error: BaseException) -> list[str]:
    """Tell what happened and where, the cause first.

    Messages of other people's exceptions are left out, since they may repeat what a
    visitor sent; what a database said stays as far as it speaks of the database.
    """
    earlier = error.__cause__ or error.__context__
    lines = [] if earlier is None else describe_exception(earlier)
    for frame in traceback.extract_tb(error.__traceback__):
        lines.append(f"{frame.filename}:{frame.lineno} {frame.name}")
    lines.append(_CONTROL.sub(" ", f"{type(error).__name__}{_said(error)}"))
    return lines


def _said(error: BaseException) -> str:
    if isinstance(error, ConsentError):
        return f": {error.code}"
    if isinstance(error, DBAPIError):
        return f": {_database_said(error.orig)}"
    if isinstance(error, OSError) and error.strerror:
        return f": {error.strerror}"
    return ""


def _database_said(error: BaseException | None) -> str:
    """Return the message without the details, in which PostgreSQL repeats keys and rows."""
    diagnosis, state = getattr(error, "diag", None), getattr(error, "sqlstate", None)
    if diagnosis is None or state is None:
        # SQLite names tables and columns only; without a state no server was reached.
        return str(error)
    if state.startswith(_TELLS_VALUES):
        return f"SQLSTATE {state}"
    return f"SQLSTATE {state} {diagnosis.message_primary}"


def _time(record: logging.LogRecord) -> str:
    return spell_time(datetime.fromtimestamp(record.created, UTC))


def _message(record: logging.LogRecord) -> str:
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", record.getMessage())
