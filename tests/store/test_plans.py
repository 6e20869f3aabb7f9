"""Plans: new versions are seen, and no page waits for a database that hangs."""

from __future__ import annotations

import threading
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from flask import Flask
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from consent_server.demo import site_files
from consent_server.errors import NotFound
from consent_server.rewriting import DatabasePlans, sources
from consent_server.site_form import load_site_form
from consent_server.sites import publish_version
from consent_server.store.database import Database

SCRIPT = "https://www.example.com/w/smilee.js"


class Slow(Database):
    """Answers once it may, and fails while it shall."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.fails = False

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Wait, then read."""
        assert self.may_answer.wait(30)
        if self.fails:
            raise OperationalError("SELECT", {}, Exception("gone"))
        with super().read() as session:
            yield session


@pytest.fixture
def slow(served: Flask, empty_url: str) -> Iterator[Slow]:
    """The database with the Smilee site."""
    database = Slow(empty_url)
    yield database
    database.may_answer.set()
    database.close()


@pytest.fixture(autouse=True)
def _each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan is looked for again with each page."""
    monkeypatch.setattr(sources, "_FRESH_SECONDS", 0.0)


def publish_another(database: Database) -> None:
    """Publish a version that has a further service."""
    [file] = [one for one in site_files() if one.stem == "smilee"]
    source = file.read_text("utf-8") + '\n[[services]]\nuse = "hotjar"\nretention = "1y"\n'
    form = load_site_form(tomllib.loads(source))
    with database.write() as session:
        publish_version(session, form, source=source, author="tests", now=datetime.now(UTC))


def holds(plans: DatabasePlans) -> bool:
    """Tell whether the plan holds the service of the other version."""
    return any(one["key"] == "hotjar" for one in plans().services)


def test_a_new_version_is_seen(slow: Slow) -> None:
    plans = DatabasePlans(slow, "smilee", SCRIPT)
    assert not holds(plans)
    publish_another(slow)
    assert holds(plans)


def test_no_page_waits_for_a_database_that_hangs_and_the_new_version_comes_once_it_answers(
    slow: Slow,
) -> None:
    plans = DatabasePlans(slow, "smilee", SCRIPT)
    assert not holds(plans)
    publish_another(slow)
    slow.may_answer.clear()
    began = time.monotonic()
    assert not any(holds(plans) for _ in range(5)), "as it was, and at once after the first"
    assert time.monotonic() - began < 2 * sources._PATIENCE_SECONDS
    slow.may_answer.set()
    deadline = time.monotonic() + 20
    while not holds(plans):
        assert time.monotonic() < deadline


def test_a_database_that_fails_leaves_the_plan_as_it_was(slow: Slow) -> None:
    plans = DatabasePlans(slow, "smilee", SCRIPT)
    plans()
    publish_another(slow)
    slow.fails = True
    assert not holds(plans)
    slow.fails = False
    assert holds(plans)


def test_without_a_plan_the_first_page_is_told_what_is_missing(slow: Slow) -> None:
    with pytest.raises(NotFound):
        DatabasePlans(slow, "nobody", SCRIPT)()
    slow.fails = True
    with pytest.raises(OperationalError):
        DatabasePlans(slow, "smilee", SCRIPT)()
