"""Retention on both databases: what outlived its time no longer says whose it is."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import DBAPIError

from consent_server import retention
from consent_server.appending import append_event
from consent_server.cli import upkeep
from consent_server.cli.upkeep import Scrubber, holding, run_retention
from consent_server.demo import site_files
from consent_server.errors import NotFound
from consent_server.ledger import ShownVersion, admin_event_of, append_admin_event
from consent_server.published import PublishedSites
from consent_server.rules.admin_event import Action, hash_admin_event
from consent_server.rules.decision import Decision, Layer, Method, optional_services
from consent_server.rules.times import parse_time, to_utc
from consent_server.site_form import load_site_form
from consent_server.sites import find_site, publish_version
from consent_server.store.database import Database
from consent_server.store.models import AdminEvent, ConsentEvent, Lease, SubjectData
from consent_server.store.schema import upgrade_schema

from .postgresql import PostgresqlServer

_NOW = to_utc(datetime.now(UTC))
_DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 3)


def publish(database: Database, keep_records: str, key: str = "smilee") -> ShownVersion:
    source = next(file for file in site_files() if file.stem == "smilee").read_text("utf-8")
    given = {**tomllib.loads(source), "key": key, "keep_records": keep_records}
    with database.write() as session:
        form = load_site_form(given)
        publish_version(session, form, source=source, author="tests", now=_NOW - 2000 * _DAY)
    published = PublishedSites(database)
    site = published.find(key)
    return published.shown(site, site.number, site.script.script.script_id)


def record(database: Database, shown: ShownVersion, *ages: timedelta) -> None:
    """Record a decision of a new visitor for each age."""
    optional = optional_services(shown.config)
    keys = [key for category, services in optional.items() for key in (category, *services)]
    for age in ages:
        decision = Decision(
            decision_id=uuid4(),
            subject_id=secrets.token_hex(16),
            method=Method.REJECT_ALL,
            layer=Layer.NOTICE,
            version=shown.number,
            script="",
            language="sv",
            grants=dict.fromkeys(keys, False),
            decided_at=_NOW - age,
        )
        with database.write() as session:
            append_event(session, shown, decision, now=_NOW - age)


def linked(database: Database) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(SubjectData)) or 0


def erasures(database: Database) -> list[AdminEvent]:
    with database.read() as session:
        return list(session.scalars(select(AdminEvent).where(AdminEvent.action == Action.ERASE)))


def test_links_are_erased_after_the_time_that_the_site_says(store: Database) -> None:
    shown = publish(store, "2y")
    record(store, shown, *[800 * _DAY] * 7, 740 * _DAY, 720 * _DAY, timedelta())
    done = run_retention(store)
    assert done is not None
    assert [(one.site, one.kept, one.records) for one in done] == [("smilee", "2y", 8)]
    assert linked(store) == 2
    with store.read() as session:
        assert session.scalar(select(func.count()).select_from(ConsentEvent)) == 10


def test_a_run_is_one_entry_in_the_ledger_that_names_nobody(store: Database) -> None:
    record(store, publish(store, "2y"), *[800 * _DAY] * 7)
    run_retention(store)
    [event] = erasures(store)
    details = json.loads(event.details)
    before = parse_time(details.pop("before"))
    assert details == {"reason": "retention: 2y", "records": 7}
    assert timedelta(days=729) < datetime.now(UTC) - before < timedelta(days=732)
    assert event.actor == "retention"
    assert hash_admin_event(admin_event_of(event, "smilee")) == event.leaf_hash
    assert run_retention(store) == []
    assert len(erasures(store)) == 1


@pytest.mark.parametrize("empty_url", ["sqlite"], indirect=True)
def test_each_site_has_its_own_rule_and_none_keeps_for_ever(store: Database) -> None:
    for key, kept in (("one", "1y"), ("three", "3y"), ("ever", "")):
        record(store, publish(store, kept, key), 400 * _DAY, 1200 * _DAY)
    done = run_retention(store)
    assert done is not None
    assert [(one.site, one.records) for one in done] == [("one", 2), ("three", 1)]
    assert linked(store) == 3


@pytest.mark.parametrize("empty_url", ["sqlite"], indirect=True)
def test_a_retired_site_erases_too(store: Database) -> None:
    record(store, publish(store, "1y"), 400 * _DAY)
    with store.write() as session:
        find_site(session, "smilee").retired_at = _NOW
    assert run_retention(store)
    assert linked(store) == 0


def test_a_run_that_was_cut_off_is_finished_by_the_next(store: Database) -> None:
    record(store, publish(store, "1y"), *[400 * _DAY] * 7)
    with store.read() as session:
        [due] = retention.find_outlived(session, now=_NOW)
    with store.write() as session:
        retention.announce_erasure(session, due, now=_NOW)
    with store.write() as session:
        assert retention.erase_batch(session, due, None)
    assert linked(store) == 4
    run_retention(store)
    assert linked(store) == 0
    told = [json.loads(event.details)["records"] for event in erasures(store)]
    assert sorted(told) == [4, 7], "no link goes without an entry before it"


def test_while_another_server_is_at_it_nothing_is_done(store: Database) -> None:
    record(store, publish(store, "1y"), 400 * _DAY)
    with holding(store, "retention") as renew:
        assert renew is not None
        assert run_retention(store) is None
    assert linked(store) == 1
    assert run_retention(store)
    assert linked(store) == 0


def test_who_lost_the_lease_announces_nothing_more(store: Database) -> None:
    """As a machine that slept for longer than its lease: the other one erases the rest."""
    for key in ("one", "other"):
        record(store, publish(store, "1y", key), 400 * _DAY)

    def take_over() -> None:
        with store.write() as session:
            session.execute(update(Lease).values(holder="another server"))

    run_retention(store, take_over)
    assert len(erasures(store)) == 1
    assert linked(store) == 1


def test_a_site_whose_rule_cannot_be_read_holds_up_no_other(store: Database) -> None:
    for key in ("broken", "other"):
        record(store, publish(store, "1y", key), 400 * _DAY)
    with store.write() as session:
        find_site(session, "broken").current_version = 7
    with pytest.raises(NotFound, match="'broken' has no version 7"):
        run_retention(store)
    assert len(erasures(store)) == 1
    assert linked(store) == 1


def test_a_site_whose_rows_another_holds_keeps_no_other_from_its_retention(
    postgresql: PostgresqlServer,
) -> None:
    store = Database(f"{postgresql.make_database()}?options=-clock_timeout%3D300")
    upgrade_schema(store)
    for key in ("held", "other"):
        record(store, publish(store, "1y", key), 400 * _DAY)
    with store.write() as session:
        held = select(SubjectData).where(SubjectData.site_id == find_site(session, "held").id)
        session.execute(held.with_for_update())
        with pytest.raises(DBAPIError):
            run_retention(store)
    assert linked(store) == 1
    assert run_retention(store)
    assert linked(store) == 0
    store.close()


def test_many_servers_at_once_erase_once(store: Database, empty_url: str) -> None:
    record(store, publish(store, "1y"), *[400 * _DAY] * 9)
    command = [sys.executable, "-m", "consent_server", "retention", "run"]
    processes = [
        subprocess.Popen(
            command,
            env={"CONSENT_DATABASE_URL": empty_url},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for _ in range(2)
    ]
    said = [process.communicate(timeout=60)[0] for process in processes]
    assert sum("smilee" in one for one in said) == 1, said
    assert linked(store) == 0
    assert [json.loads(event.details)["records"] for event in erasures(store)] == [9]


def test_files_are_scrubbed_once_for_each_erasure(store: Database) -> None:
    scrubber = Scrubber(store)
    assert not scrubber.run(), "nothing was ever erased"
    record(store, publish(store, "1y"), 400 * _DAY)
    run_retention(store)
    assert scrubber.run()
    assert not scrubber.run()


def test_files_are_scrubbed_again_after_what_was_deleted_meanwhile(store: Database) -> None:
    """Whoever announces an erasure may delete later than another server scrubs."""
    record(store, publish(store, "1y"), *[400 * _DAY] * 7)
    own, another = Scrubber(store), Scrubber(store)
    done = []

    def look_away() -> None:
        own.mark()
        done.append((own.run(), another.run()))

    run_retention(store, look_away)
    assert done[0] == (True, True)
    assert linked(store) == 0
    assert (own.run(), another.run()) == (True, True)
    assert (own.run(), another.run()) == (False, False)


def test_an_erasure_of_an_earlier_time_that_comes_late_is_scrubbed_too(store: Database) -> None:
    shown = publish(store, "")
    scrubber = Scrubber(store)
    for _ in range(2):
        record(store, shown, timedelta())
        with store.write() as session:
            site = find_site(session, "smilee")
            details = {"reason": "asked", "records": 1}
            append_admin_event(
                session, site, Action.ERASE, actor="x", details=details, now=_NOW - _DAY
            )
        assert scrubber.run()
    assert not scrubber.run()


def test_a_scrubbing_that_failed_is_tried_again(
    store: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    scrubber = Scrubber(store)
    scrubber.mark()
    with monkeypatch.context() as broken:
        broken.setattr(upkeep, "scrub", lambda _database: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            scrubber.run()
    assert scrubber.run()


@pytest.fixture(autouse=True)
def closed(store: Database) -> Iterator[None]:
    yield
    store.close()
