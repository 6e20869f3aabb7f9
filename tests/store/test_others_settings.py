"""What else a database of PostgreSQL is told, and by whom: decisions are recorded all the same."""

from __future__ import annotations

import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from sqlalchemy import update
from sqlalchemy.engine import make_url

from consent_server.app import create_app
from consent_server.config import Settings
from consent_server.demo import site_files
from consent_server.site_form import load_site_form
from consent_server.sites import publish_version
from consent_server.store.database import Database
from consent_server.store.models import NoticeCount
from consent_server.store.schema import missing_tables, upgrade_schema
from tests.visitor import Visitor

from .postgresql import PostgresqlServer


@contextmanager
def visiting(url: str) -> Iterator[Visitor]:
    """A visitor of the Smilee site, on a database that is prepared first."""
    app = create_app(Settings(database_url=url))
    database: Database = app.extensions["consent"].database
    upgrade_schema(database)
    source = next(file for file in site_files() if file.stem == "smilee").read_text("utf-8")
    form = load_site_form(tomllib.loads(source))
    with database.write() as session:
        publish_version(session, form, source=source, author="tests", now=datetime.now(UTC))
    try:
        yield Visitor(app.test_client(use_cookies=False))
    finally:
        database.close()


@pytest.mark.parametrize("by", ["address", "environment"])
def test_the_tables_lie_in_the_schema_that_the_operator_names(
    postgresql: PostgresqlServer, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    """Beside another program's tables, of the same names among them."""
    url = postgresql.make_database()
    with postgresql.connect(make_url(url).database or "") as outside:
        outside.execute("CREATE SCHEMA ours")
        outside.execute("CREATE TABLE alembic_version (version_num text)")
        outside.execute("INSERT INTO alembic_version VALUES ('theirs')")
        outside.execute("CREATE TABLE site (theirs text)")
        if by == "address":
            url += "?options=-csearch_path%3Dours"
        else:
            monkeypatch.setenv("PGOPTIONS", "-c search_path=ours")
        with visiting(url) as visitor:
            assert visitor.reject_all().status_code == 201
            assert missing_tables(visitor.client.application.extensions["consent"].database) == []
        assert outside.execute("SELECT count(*) FROM ours.consent_event").fetchone() == (1,)
        assert outside.execute("SELECT version_num FROM alembic_version").fetchall() == [
            ("theirs",)
        ]


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_letters_are_kept_whatever_encoding_clients_are_told_to_use(
    postgresql: PostgresqlServer, encoding: str
) -> None:
    url = postgresql.make_database()
    name = make_url(url).database or ""
    with postgresql.connect("postgres") as outside:
        outside.execute(f"ALTER DATABASE \"{name}\" SET client_encoding = '{encoding}'".encode())
    with visiting(url) as visitor:
        assert visitor.reject_all().status_code == 201
        assert "ä" in str(visitor.read_version())


def test_a_database_without_an_encoding_is_one_of_utf_8(postgresql: PostgresqlServer) -> None:
    """As `initdb` makes them where the system has no language."""
    url = postgresql.make_database()
    name = make_url(url).database or ""
    with postgresql.connect("postgres") as outside:
        outside.execute(f'DROP DATABASE "{name}"'.encode())
        outside.execute(
            f"CREATE DATABASE \"{name}\" TEMPLATE template0 ENCODING 'SQL_ASCII' "
            "LC_COLLATE 'C' LC_CTYPE 'C'".encode()
        )
    with visiting(url) as visitor:
        assert visitor.reject_all().status_code == 201


@pytest.mark.parametrize("isolation", ["repeatable read", "serializable"])
def test_who_waited_for_another_server_is_recorded_whatever_isolation_is_usual(
    postgresql: PostgresqlServer, isolation: str
) -> None:
    url = postgresql.make_database()
    name = make_url(url).database or ""
    with postgresql.connect("postgres") as outside:
        outside.execute(
            f"ALTER DATABASE \"{name}\" SET default_transaction_isolation = '{isolation}'".encode()
        )
    with visiting(url) as visitor:
        assert visitor.reject_all().status_code == 201
        other = Database(url)
        answers: list[int] = []
        decide = threading.Thread(target=lambda: answers.append(visitor.reject_all().status_code))
        with other.write() as session:
            # The other server adds to the same totals.
            session.execute(update(NoticeCount).values(shown=NoticeCount.shown + 1))
            decide.start()
            decide.join(1)
            assert not answers
        decide.join(10)
        other.close()
        assert answers == [201]
