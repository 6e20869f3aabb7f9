"""Answers: what many records say alike is written once, and numbered within its site."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from sqlalchemy import Connection, bindparam, func, literal, select

from consent_server.errors import Unavailable
from consent_server.rules.receipt import Event
from consent_server.store.dialects import insert_for
from consent_server.store.driver import Find
from consent_server.store.models import Answer

#: Servers that number new answers of one site at the same time take turns.
_TRIES = 100
_COLUMNS = ("version", "kind", "method", "layer", "script_hash", "language", "regime", "grants")

_NONE: Mapping[Said, int] = MappingProxyType({})
_find = Find(Answer.digest, Answer.digest, Answer.number)


@dataclass(frozen=True, slots=True)
class Said:
    """An answer that is to be written; hashable, grants in the order in which they came."""

    version: int
    kind: str
    method: str
    layer: str
    script_hash: str
    language: str
    regime: str
    grants: tuple[tuple[str, bool], ...]

    @property
    def digest(self) -> bytes:
        """SHA-256 of its fields as compact JSON, in their order."""
        return _digest(self)

    @classmethod
    def in_event(cls, event: Event) -> Said:
        """Return the part of an event that many others repeat."""
        return cls(
            version=event.version,
            kind=str(event.kind),
            method=str(event.method),
            layer=str(event.layer),
            script_hash=event.script_hash,
            language=event.language,
            regime=event.regime,
            grants=tuple(event.grants.items()),
        )

    @classmethod
    def of(cls, row: Answer) -> Said:
        """Return the answer that a row holds."""
        fields = {name: getattr(row, name) for name in _COLUMNS}
        return cls(**{**fields, "grants": tuple(row.grants.items())})


def ask_answers(
    connection: Connection, site_id: int, wanted: Collection[Said]
) -> Callable[[], dict[Said, int]]:
    """Ask for the numbers of those answers of a site that have one; what is returned reads them.

    Asked in the transaction that records them: a number that was remembered could be another
    answer's in a database that was restored meanwhile.
    """
    digests = {one.digest: one for one in wanted}
    asked = _find.ask(connection, site_id, list(digests))
    return lambda: {digests[bytes(digest)]: number for digest, number in asked()}


def number_answers(
    connection: Connection,
    site_id: int,
    wanted: Collection[Said],
    known: Mapping[Said, int] = _NONE,
) -> Mapping[Said, int]:
    """Return the number of each answer of a site; those that are new get one.

    `known` are numbers that were read in this transaction.
    """
    numbers = dict(known)
    asked = set(wanted) - numbers.keys()
    if asked:
        numbers |= ask_answers(connection, site_id, asked)()
    # In one order for all, or two servers could wait for each other.
    for new in sorted(set(wanted) - numbers.keys(), key=lambda one: one.digest):
        for _ in range(_TRIES):
            _insert(connection, site_id, new)
            found = ask_answers(connection, site_id, [new])()
            if found:
                numbers |= found
                break
        else:
            raise Unavailable("Too many new answers at once. Send it again.")
    return numbers


def _insert(connection: Connection, site_id: int, new: Said) -> None:
    """Insert it under the next number, or nothing where another server was faster."""
    columns = Answer.__table__.c
    values = {name: getattr(new, name) for name in _COLUMNS} | {"grants": dict(new.grants)}
    next_number = func.coalesce(func.max(columns.number), 0) + 1
    row = select(
        literal(site_id),
        next_number,
        literal(new.digest, columns.digest.type),
        *(bindparam(None, value, columns[name].type) for name, value in values.items()),
    ).where(columns.site_id == site_id)
    # SQLite has one writer, and its triggers would refuse the attempt.
    names = ["site_id", "number", "digest", *values]
    name = connection.dialect.name
    insert = insert_for(name, Answer).from_select(names, row)
    if name == "postgresql":
        insert = insert.on_conflict_do_nothing()
    connection.execute(insert)


@lru_cache(4_096)
def _digest(said: Said) -> bytes:
    fields = [getattr(said, name) for name in _COLUMNS]
    return hashlib.sha256(json.dumps(fields, separators=(",", ":")).encode()).digest()
