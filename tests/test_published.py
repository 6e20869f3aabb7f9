"""Published sites: from memory, at most a second behind, and made-up keys cost little."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest
from flask import Flask
from sqlalchemy import event

from consent_server import published as published_module
from consent_server.config import Settings
from consent_server.errors import Conflict, NotFound
from consent_server.published import PublishedSites
from consent_server.site_form import load_site_form
from consent_server.sites import publish_version, retire_site
from consent_server.store.database import Database
from tests.conftest import ReadSite
from tests.test_site_form import change


@pytest.fixture
def published(app: Flask) -> PublishedSites:
    found: PublishedSites = app.extensions["consent"].published
    return found


@pytest.fixture
def queries(database: Database) -> list[str]:
    """Every statement that reaches the database."""
    seen: list[str] = []

    @event.listens_for(database.engine, "before_cursor_execute")
    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        seen.append(statement)

    return seen


def test_a_site_is_read_once_and_then_served_from_memory(
    published: PublishedSites, queries: list[str]
) -> None:
    first = published.find("smilee")
    assert queries
    queries.clear()
    assert published.find("smilee") is first
    assert not queries


def test_a_made_up_key_reaches_the_database_once(
    published: PublishedSites, queries: list[str]
) -> None:
    for _ in range(5):
        with pytest.raises(NotFound):
            published.find("nowhere")
    assert len([query for query in queries if query.startswith("SELECT")]) <= 1


def test_what_another_process_publishes_is_seen_when_the_second_is_over(
    published: PublishedSites,
    settings: Settings,
    read_site: ReadSite,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = published.find("smilee")
    other = Database(settings.database_url)
    form = load_site_form(change(read_site("smilee"), "name", "Smilee anew"))
    with other.write() as session:
        publish_version(session, form, source="", author="tests", now=datetime.now(UTC))
    monkeypatch.setattr(published_module, "_FRESH_SECONDS", -1.0)
    after = published.find("smilee")
    assert (after.number, after.config["name"]) == (2, "Smilee anew")
    # Pages that were open before still send what the older script asked.
    shown = published.shown(after, 1, before.script.script.script_id)
    assert shown.number == 1
    with pytest.raises(Conflict):
        published.shown(after, 2, before.script.script.script_id)
    with other.write() as session:
        retire_site(session, "smilee", author="tests", now=datetime.now(UTC))
    with pytest.raises(NotFound):
        published.find("smilee")
    other.close()


def test_without_a_thread_to_look_with_pages_are_served_from_memory(
    published: PublishedSites, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    known = published.find("smilee")
    monkeypatch.setattr(published_module, "_FRESH_SECONDS", 0.0)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        assert published.find("smilee") is known
    assert published.find("smilee") is known


def test_memory_is_bounded_however_many_keys_are_asked_for(
    published: PublishedSites, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(published_module, "_MAX_ENTRIES", 10)
    for number in range(50):
        with pytest.raises(NotFound):
            published.find(f"made-up-{number}")
        assert len(published._sites) <= 10
    assert published.find("smilee").key == "smilee"


def test_made_up_keys_never_push_a_site_out_of_memory(
    published: PublishedSites, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or whoever makes them up would let each site be composed again and again."""
    monkeypatch.setattr(published_module, "_MAX_ENTRIES", 10)
    known = published.find("smilee")
    for number in range(50):
        with pytest.raises(NotFound):
            published.find(f"made-up-{number}")
    assert published.find("smilee") is known


def test_what_scripts_of_the_current_version_showed_is_in_memory_once(
    published: PublishedSites,
) -> None:
    site = published.find("smilee")
    for script in site.scripts.composed:
        assert published.shown(site, site.number, script.script_id).config is site.config
