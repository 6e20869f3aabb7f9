"""Leases on both databases: one holder at a time, whatever the number of servers."""

from __future__ import annotations

import multiprocessing
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from consent_server.store.database import Database
from consent_server.store.leases import release_lease, take_lease

NOW = datetime(2026, 11, 25, 10, 13, 26, 123_000, tzinfo=UTC)
LASTS = timedelta(minutes=5)
_PROCESSES, _ROUNDS = 3, 25


def take(database: Database, holder: str, now: datetime = NOW, name: str = "job") -> bool:
    with database.write() as session:
        return take_lease(session, name, holder, now=now, lasts=LASTS)


def release(database: Database, holder: str, name: str = "job") -> None:
    with database.write() as session:
        release_lease(session, name, holder)


def test_a_lease_has_one_holder_until_it_ends(store: Database) -> None:
    assert take(store, "a")
    assert not take(store, "b")
    assert not take(store, "b", NOW + LASTS - timedelta(milliseconds=1))
    assert take(store, "b", NOW + LASTS)
    assert not take(store, "a", NOW + LASTS)


def test_the_holder_renews_it(store: Database) -> None:
    assert take(store, "a")
    assert take(store, "a", NOW + timedelta(minutes=4))
    assert not take(store, "b", NOW + timedelta(minutes=6))


def test_a_lease_is_given_back_by_its_holder_only(store: Database) -> None:
    assert take(store, "a")
    release(store, "b")
    assert not take(store, "b")
    release(store, "a")
    assert take(store, "b")


def test_leases_of_different_names_have_nothing_to_do_with_each_other(store: Database) -> None:
    assert take(store, "a", name="one")
    assert take(store, "b", name="other")


def test_of_many_processes_one_holds_the_lease_at_a_time(
    store: Database, empty_url: str, tmp_path: Path
) -> None:
    there = tmp_path / "somebody-is-at-it"
    context = multiprocessing.get_context("spawn")
    processes = [
        context.Process(target=work, args=(empty_url, there, tmp_path / f"turns-{number}"))
        for number in range(_PROCESSES)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0] * _PROCESSES
    assert [(tmp_path / f"turns-{n}").read_text() for n in range(_PROCESSES)] == [
        str(_ROUNDS)
    ] * _PROCESSES


def work(url: str, there: Path, turns: Path) -> None:
    """Take the lease again and again; fails when another process is at work as well."""
    database, holder, done = Database(url), f"process-{os.getpid()}", 0
    while done < _ROUNDS:
        if take(database, holder):
            os.close(os.open(there, os.O_CREAT | os.O_EXCL))
            there.unlink()
            release(database, holder)
            done += 1
    turns.write_text(str(done))
    database.close()


@pytest.mark.parametrize("holder", ["a", "b"])
def test_a_holder_that_died_keeps_others_out_no_longer_than_its_lease(
    store: Database, holder: str
) -> None:
    assert take(store, "died")
    assert not take(store, holder)
    assert take(store, holder, NOW + LASTS)


def test_a_holder_that_died_with_its_clock_years_ahead_keeps_nobody_out(store: Database) -> None:
    assert take(store, "died", NOW + timedelta(days=4_000))
    assert take(store, "a")
    assert not take(store, "b")
