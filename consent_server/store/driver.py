"""Driver: what every decision asks of the database, spelled once and handed over as it is.

SQLAlchemy spells a statement anew each time, which costs more than the database needs to
carry it out. Tables and types stay its own: the spelling is its, and values go through its
types. Few long statements are better than many short ones: each lets go of the interpreter,
and has to wait for its turn again.

On a connection that `Database.write_together` opened on PostgreSQL, statements are sent
without waiting for what comes of them: questions that are asked one after the other, and
read then, are one way to the server and back.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import ClauseElement, Connection, Dialect, Select, bindparam, insert, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.dml import ReturningDelete
from sqlalchemy.types import TypeEngine

from consent_server.store.dialects import dialect_of
from consent_server.store.models import Base
from consent_server.store.postgresql import leads_nowhere

#: Rows in one statement. Each is a text of its own for the database, so there are few; a statement
#: costs as much as three rows, so they are not fewer: 45 rows go in as 32, 12 and 1.
_SIZES = (64, 48, 32, 24, 16, 12, 8, 6, 4, 3, 2, 1)

#: Where a connection's `info` has the pipeline in which no statement is waited for.
SENDS_ON = "consent_server.sends_on"

_Spell = Callable[[Any], Any]
_Form = Callable[[str], ClauseElement]
_Answered = Select[Any] | ReturningDelete[Any]
#: Reads the rows of a question that was asked.
Asked = Callable[[], list[tuple[Any, ...]]]


class Insert:
    """Inserts rows of one table, many with each statement."""

    def __init__(self, model: type[Base], *names: str) -> None:
        """`names` are the columns of each row, in its order."""
        self._model, self._names = model, names

    def __call__(self, connection: Connection, rows: Sequence[Sequence[Any]]) -> None:
        """Insert `rows`."""
        texts, columns = _insert(connection.dialect.name, self._model, self._names)
        begin = 0
        for size in _SIZES:
            while len(rows) - begin >= size:
                values: list[Any] = []
                for row in rows[begin : begin + size]:
                    values += [
                        row[place] if spell is None else spell(row[place])
                        for place, spell in columns
                    ]
                _run(connection, texts[size], values)
                begin += size


class Statement:
    """A statement with named parameters that is carried out for each of some rows."""

    def __init__(self, form: _Form) -> None:
        """`form` returns it for the dialect of a name."""
        self._form = form

    def __call__(self, connection: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
        """Carry it out for each row."""
        text, columns = _statement(connection.dialect.name, self._form)
        for row in rows:
            bound = [row[one] if spell is None else spell(row[one]) for one, spell in columns]
            _run(connection, text, bound)


class Find:
    """Finds the rows of a site that have one of some values in a column."""

    def __init__(self, column: InstrumentedAttribute[Any], *wanted: Any) -> None:
        """`wanted` are the columns of an answer; the column itself unless given."""
        self._column, self._wanted = column, wanted or (column,)

    def __call__(
        self, connection: Connection, site_id: int, values: Collection[Any]
    ) -> list[tuple[Any, ...]]:
        """Return the rows there are, in any order."""
        return self.ask(connection, site_id, values)()

    def ask(self, connection: Connection, site_id: int, values: Collection[Any]) -> Asked:
        """Ask; what is returned reads the rows."""
        text, spell, readers = _find(
            connection.dialect.name, self._column, self._wanted, _room(len(values))
        )
        bound = [value if spell is None else spell(value) for value in values]
        # What is asked twice is found once.
        bound += bound[:1] * (_room(len(bound)) - len(bound))
        return _ask(connection, text, [site_id, *bound], readers)


class Question:
    """A question whose parameters have names; also a deletion that returns its rows."""

    def __init__(self, query: _Answered) -> None:
        self._query = query

    def __call__(self, connection: Connection, **values: Any) -> list[tuple[Any, ...]]:
        """Return the rows that answer it."""
        return self.ask(connection, **values)()

    def ask(self, connection: Connection, **values: Any) -> Asked:
        """Ask; what is returned reads the rows."""
        text, columns, readers = _question(connection.dialect.name, self._query)
        bound = [values[name] if spell is None else spell(values[name]) for name, spell in columns]
        return _ask(connection, text, bound, readers)


@contextmanager
def copying(connection: Connection, query: Select[Any]) -> Iterator[Iterator[bytes]]:
    """Give the rows of a query by PostgreSQL's COPY, in its text format, each with its line end.

    Whoever leaves before the last row ends the copy; what the transaction sees stays as it is.
    """
    text, values = _with_values(query)
    raw: Any = connection.connection.driver_connection
    with (
        connection.begin_nested(),
        raising_as_ours(connection),
        raw.cursor() as cursor,
        cursor.copy(f"COPY ({text}) TO STDOUT", values) as copy,
    ):
        yield _copied(copy, raw.pgconn, connection.dialect.dbapi)


def _copied(copy: Any, library: Any, dbapi: Any) -> Iterator[bytes]:
    """Give each row of a copy.

    The driver waits for one; those that came with it are taken from its library, since asking the
    driver for each costs three times as much as the row.
    """
    size = 0
    while size >= 0:
        row = copy.read()
        if not row:
            return
        yield row
        size, row = library.get_copy_data(1)
        while size > 0:
            yield row
            size, row = library.get_copy_data(1)
    # The driver has not seen the end: it is read here, or the connection would stay at it.
    for result in list(iter(library.get_result, None)):
        if result.status != dbapi.pq.ExecStatus.COMMAND_OK:
            raise dbapi.errors.error_from_result(result)


def _with_values(query: Select[Any]) -> tuple[str, list[Any]]:
    """Return the text of a question that holds its values, and these by their place."""
    dialect = dialect_of("postgresql")
    compiled = query.compile(dialect=dialect)
    given = compiled.params
    return str(compiled), [
        given[name] if spell is None else spell(given[name])
        for name, spell in _parameters(compiled, dialect)
    ]


def _room(number: int) -> int:
    """Return for how many values a statement is spelled, so that there are few statements."""
    return 1 << (number - 1).bit_length()


@cache
def _insert(
    name: str, model: type[Base], names: tuple[str, ...]
) -> tuple[dict[int, str], list[tuple[int, _Spell | None]]]:
    """Return the text for each number of rows, and place and spelling of each parameter."""
    dialect = dialect_of(name)
    compiled = insert(model).compile(dialect=dialect, column_keys=names)
    head, values, row = str(compiled).partition(" VALUES ")
    texts = {size: head + values + ", ".join([row] * size) for size in _SIZES}
    columns = model.__table__.c
    order = compiled.positiontup or []
    return texts, [(names.index(one), _spell(columns[one].type, dialect)) for one in order]


def _run(connection: Connection, text: str, values: Sequence[Any]) -> None:
    if connection.info.get(SENDS_ON):
        _send(connection, text, values)
    else:
        _fetch(connection, text, values)


def _ask(
    connection: Connection, text: str, values: Sequence[Any], readers: Sequence[_Spell | None]
) -> Asked:
    if not connection.info.get(SENDS_ON):
        found = _fetch(connection, text, values)
        return lambda: _read(found, readers)
    cursor = _send(connection, text, values)

    def read() -> list[tuple[Any, ...]]:
        with raising_as_ours(connection), closing(cursor):
            return _read(cursor.fetchall(), readers)

    return read


def _fetch(connection: Connection, text: str, values: Sequence[Any]) -> Sequence[Any]:
    """Carry a statement out, and return the rows that come of it."""
    if connection.dialect.name != "sqlite":
        answer = connection.exec_driver_sql(text, tuple(values))
        return answer.all() if answer.returns_rows else ()
    if not connection.in_transaction():
        connection.begin()
    # What SQLAlchemy keeps of each statement takes several times as long as SQLite needs for it.
    raw: Any = connection.connection.driver_connection
    with raising_as_ours(connection):
        found: list[Any] = raw.execute(text, values).fetchall()
    return found


def _send(connection: Connection, text: str, values: Sequence[Any]) -> Any:
    raw: Any = connection.connection.driver_connection
    dbapi: Any = connection.dialect.dbapi
    with raising_as_ours(connection):
        return dbapi.RawCursor(raw).execute(_numbered(text), values)


@lru_cache(512)
def _numbered(text: str) -> str:
    """Return a statement with the server's own parameters: nothing is left to be translated."""
    head, *rest = text.split("%s")
    return (head + "".join(f"${at}{one}" for at, one in enumerate(rest, 1))).replace("%%", "%")


@contextmanager
def raising_as_ours(connection: Connection) -> Iterator[None]:
    """Let what the driver itself raises be what SQLAlchemy raises for it."""
    dbapi: Any = connection.dialect.dbapi
    raw: Any = connection.connection.driver_connection
    try:
        yield
    except dbapi.Error as error:
        raise DBAPIError.instance(
            None,
            None,
            error,
            dbapi.Error,
            hide_parameters=True,  # they tell whose decision it was
            connection_invalidated=leads_nowhere(error) or getattr(raw, "closed", False),
            dialect=connection.dialect,
        ) from error


@cache
def _statement(name: str, form: _Form) -> tuple[str, list[tuple[str, _Spell | None]]]:
    dialect = dialect_of(name)
    compiled = form(name).compile(dialect=dialect)
    return str(compiled), _parameters(compiled, dialect)


@cache
def _find(
    name: str, column: InstrumentedAttribute[Any], wanted: tuple[Any, ...], number: int
) -> tuple[str, _Spell | None, list[_Spell | None]]:
    dialect = dialect_of(name)
    asked = [bindparam(f"value_{place}", type_=column.type) for place in range(number)]
    query = select(*wanted).where(
        column.parent.class_.site_id == bindparam("site_id"), column.in_(asked)
    )
    text = str(query.compile(dialect=dialect))
    return text, _spell(column.type, dialect), _readers(query, dialect)


@cache
def _question(
    name: str, query: _Answered
) -> tuple[str, list[tuple[str, _Spell | None]], list[_Spell | None]]:
    """Return the text, name and spelling of each parameter, and how each column is read."""
    dialect = dialect_of(name)
    compiled = query.compile(dialect=dialect)
    return str(compiled), _parameters(compiled, dialect), _readers(query, dialect)


def _parameters(compiled: Any, dialect: Dialect) -> list[tuple[str, _Spell | None]]:
    """Return name and spelling of each parameter, in the order of their places."""
    kinds = {name: bound.type for bound, name in compiled.bind_names.items()}
    return [(name, _spell(kinds[name], dialect)) for name in compiled.positiontup or []]


def _readers(query: _Answered, dialect: Dialect) -> list[_Spell | None]:
    """Return how each column of an answer is read."""
    return [
        column.type.dialect_impl(dialect).result_processor(dialect, None)
        for column in query.exported_columns
    ]


def _read(rows: Iterable[Any], readers: Sequence[_Spell | None]) -> list[tuple[Any, ...]]:
    return [
        tuple(
            [
                value if read is None else read(value)
                for value, read in zip(row, readers, strict=True)
            ]
        )
        for row in rows
    ]


def _spell(kind: TypeEngine[Any], dialect: Dialect) -> _Spell | None:
    return kind.dialect_impl(dialect).bind_processor(dialect)
