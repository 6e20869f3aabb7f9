"""The writer: many decisions in one commit, each with an answer of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pytest
from sqlalchemy import event, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from consent_server.errors import Conflict, Unavailable
from consent_server.store import writer as writer_module
from consent_server.store.database import Database
from consent_server.store.models import Site
from consent_server.store.writer import GroupWriter

from .rows import NOW

Outcomes = dict[str, Any]


def add_sites(session: Session, names: Sequence[str]) -> list[str | Exception]:
    """Add a site for each name; `refused` is the one that nobody may have."""
    session.add_all(Site(key=name, name="", created_at=NOW) for name in names if name != "refused")
    session.flush()
    return [Conflict("no") if name == "refused" else name.upper() for name in names]


@pytest.fixture
def writer(store: Database) -> GroupWriter[str, str]:
    return GroupWriter(store, add_sites)


@pytest.fixture
def commits(store: Database) -> list[int]:
    """Grows by one with each commit."""
    found: list[int] = []
    event.listen(store.engine, "commit", lambda _connection: found.append(1))
    return found


def keys(database: Database) -> list[str]:
    with database.read() as session:
        return sorted(session.scalars(select(Site.key)))


def write_while_busy(
    database: Database, writer: GroupWriter[str, str], names: Sequence[str]
) -> Outcomes:
    """Let every name wait behind a transaction under way, then let them go together."""
    outcomes: Outcomes = {}

    def write(name: str) -> None:
        try:
            outcomes[name] = writer.write(name)
        except (Conflict, IntegrityError, Unavailable) as error:
            outcomes[name] = error

    threads = [threading.Thread(target=write, args=(name,)) for name in names]
    begun, go_on = threading.Event(), threading.Event()

    def hold(session: Session, names: Sequence[str]) -> list[str | Exception]:
        begun.set()
        go_on.wait(10)
        return add_sites(session, names)

    normal: Callable[..., Any] = writer._append
    writer._append = hold
    first = threading.Thread(target=write, args=("first",))
    first.start()
    begun.wait(10)
    writer._append = normal
    for thread in threads:
        thread.start()
    while writer.waiting + len(outcomes) < len(names):
        threading.Event().wait(0.005)
    go_on.set()
    for thread in [first, *threads]:
        thread.join(20)
    return outcomes


def test_what_waits_is_written_with_one_commit(
    store: Database, writer: GroupWriter[str, str], commits: list[int]
) -> None:
    names = [f"site-{number}" for number in range(20)]
    outcomes = write_while_busy(store, writer, names)
    assert outcomes == {name: name.upper() for name in ["first", *names]}
    assert keys(store) == sorted(["first", *names])
    assert len(commits) == 2


def test_what_one_may_not_do_is_told_to_that_one_only(
    store: Database, writer: GroupWriter[str, str]
) -> None:
    outcomes = write_while_busy(store, writer, ["a", "refused", "b"])
    assert isinstance(outcomes["refused"], Conflict)
    assert (outcomes["a"], outcomes["b"]) == ("A", "B")
    assert keys(store) == ["a", "b", "first"]


def test_a_row_that_another_process_wrote_does_not_take_the_others_along(
    store: Database, writer: GroupWriter[str, str]
) -> None:
    with store.write() as session:
        session.add(Site(key="taken", name="", created_at=NOW))
    outcomes = write_while_busy(store, writer, ["a", "taken", "b"])
    assert isinstance(outcomes["taken"], IntegrityError)
    assert (outcomes["a"], outcomes["b"]) == ("A", "B")
    assert keys(store) == ["a", "b", "first", "taken"]


def test_more_than_may_wait_are_sent_away_and_nothing_of_theirs_is_written(
    store: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_module, "_WAITING", 3)
    writer: GroupWriter[str, str] = GroupWriter(store, add_sites)
    names = [f"site-{number}" for number in range(8)]
    outcomes = write_while_busy(store, writer, names)
    refused = [name for name, outcome in outcomes.items() if isinstance(outcome, Unavailable)]
    assert len(refused) == 5
    assert outcomes[refused[0]].headers["Retry-After"]
    assert keys(store) == sorted({"first", *names} - set(refused))


def test_an_error_of_the_database_reaches_all_and_the_writer_goes_on(
    store: Database, writer: GroupWriter[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_session: Session, _names: Sequence[str]) -> list[str | Exception]:
        raise OSError("gone")

    normal = writer._append
    monkeypatch.setattr(writer, "_append", fail)
    with pytest.raises(OSError, match="gone"):
        writer.write("a")
    monkeypatch.setattr(writer, "_append", normal)
    assert writer.write("a") == "A"


def test_a_writer_without_work_ends_its_thread_and_begins_again(
    store: Database, writer: GroupWriter[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_module, "_IDLE_SECONDS", 0.01)
    before = set(threading.enumerate())
    assert writer.write("a") == "A"
    for thread in set(threading.enumerate()) - before:
        thread.join(10)
        assert not thread.is_alive()
    assert writer.write("b") == "B"


def test_without_a_thread_nothing_is_taken_in_and_the_next_has_one(
    store: Database, writer: GroupWriter[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    told: list[Any] = []
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        with pytest.raises(Unavailable) as refused:
            writer.submit("a", told.append)
    assert refused.value.headers["Retry-After"]
    assert writer.write("b") == "B"
    assert (keys(store), told) == (["b"], [])


def test_without_a_thread_that_sends_away_what_waits_is_written(
    store: Database, writer: GroupWriter[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    start, told = threading.Thread.start, threading.Event()

    def refuse_patience(thread: threading.Thread) -> None:
        if thread.name == "patience":
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refuse_patience)
    writer.submit("a", lambda _outcome: told.set())
    assert told.wait(10)
    assert keys(store) == ["a"]


def test_a_writer_that_is_closed_sends_everybody_away_and_writes_each_once(
    store: Database, writer: GroupWriter[str, str]
) -> None:
    outcomes: Outcomes = {}
    begun, go_on = threading.Event(), threading.Event()

    def hold(session: Session, names: Sequence[str]) -> list[str | Exception]:
        begun.set()
        go_on.wait(10)
        return add_sites(session, names)

    def write(name: str) -> None:
        try:
            outcomes[name] = writer.write(name)
        except Unavailable as error:
            outcomes[name] = error

    writer._append = hold
    threads = [threading.Thread(target=write, args=(name,)) for name in ("first", "second")]
    threads[0].start()
    assert begun.wait(10)
    threads[1].start()
    while writer.waiting < 1:
        threading.Event().wait(0.005)
    writer.close()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive(), "nobody waits for a commit that hangs"
    write("third")
    assert all(isinstance(outcome, Unavailable) for outcome in outcomes.values())
    assert all(outcome.headers["Retry-After"] for outcome in outcomes.values())
    go_on.set()
    deadline = threading.Event()
    for _ in range(1000):
        if keys(store) == ["first"]:
            break
        deadline.wait(0.01)
    assert keys(store) == ["first"], "what was under way is there, what waited is not"


def test_while_a_commit_hangs_nobody_else_is_kept_waiting(
    store: Database, writer: GroupWriter[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_module, "_HANGING_SECONDS", 0.05)
    monkeypatch.setattr(writer_module, "_PATIENCE_SECONDS", 0.3)
    begun, go_on = threading.Event(), threading.Event()

    def hang(session: Session, names: Sequence[str]) -> list[str | Exception]:
        begun.set()
        go_on.wait(10)
        return add_sites(session, names)

    writer._append = hang
    refused: list[Unavailable] = []

    def write() -> None:
        with pytest.raises(Unavailable) as caught:
            writer.write("first")
        refused.append(caught.value)

    first = threading.Thread(target=write)
    first.start()
    assert begun.wait(10)
    threading.Event().wait(0.1)
    assert writer.busy_seconds() > 0.05
    with pytest.raises(Unavailable):
        writer.write("second")
    first.join(10)
    assert len(refused) == 1, "patience has an end"
    go_on.set()
    while writer.busy_seconds():
        threading.Event().wait(0.005)
    assert keys(store) == ["first"]


def test_whoever_does_not_wait_is_told_after_the_commit(
    store: Database, writer: GroupWriter[str, str]
) -> None:
    told: list[tuple[object, list[str]]] = []
    done = threading.Event()

    def hear(outcome: object) -> None:
        told.append((outcome, keys(store)))
        if len(told) == 2:
            done.set()

    writer.submit("a", hear)
    writer.submit("refused", hear)
    assert done.wait(10)
    assert told[0] == ("A", ["a"]), "it is there before it is told"
    assert isinstance(told[1][0], Conflict)


def test_whoever_does_not_wait_is_sent_away_when_a_commit_hangs(
    store: Database, writer: GroupWriter[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_module, "_HANGING_SECONDS", 0.4)
    monkeypatch.setattr(writer_module, "_PATIENCE_SECONDS", 0.2)
    monkeypatch.setattr(writer_module, "_LOOK_SECONDS", 0.05)
    begun, go_on = threading.Event(), threading.Event()

    def hang(session: Session, names: Sequence[str]) -> list[str | Exception]:
        begun.set()
        go_on.wait(10)
        return add_sites(session, names)

    normal, writer._append = writer._append, hang
    told: dict[str, list[object]] = {"first": [], "second": []}
    sent_away = threading.Event()

    def hear(name: str, outcome: object) -> None:
        told[name].append(outcome)
        if all(told.values()):
            sent_away.set()

    for name in told:
        writer.submit(name, partial(hear, name))
        assert begun.wait(10)
    assert sent_away.wait(10), "nobody waits for a commit that hangs"
    assert all(isinstance(outcomes[0], Unavailable) for outcomes in told.values())
    while writer.busy_seconds() < 0.4:
        threading.Event().wait(0.01)
    with pytest.raises(Unavailable):
        writer.submit("third", print)
    writer._append = normal
    go_on.set()
    for _ in range(1_000):
        if keys(store) == ["first", "second"]:
            break
        threading.Event().wait(0.01)
    assert keys(store) == ["first", "second"], "they may be written all the same, once"


def test_a_closed_writer_sends_away_whoever_does_not_wait(
    store: Database, writer: GroupWriter[str, str]
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def hold(session: Session, names: Sequence[str]) -> list[str | Exception]:
        begun.set()
        go_on.wait(10)
        return add_sites(session, names)

    writer._append = hold
    told: list[object] = []
    writer.submit("first", told.append)
    assert begun.wait(10)
    writer.submit("second", told.append)
    writer.close()
    assert [type(outcome) for outcome in told] == [Unavailable, Unavailable]
    go_on.set()
    with pytest.raises(Unavailable):
        writer.submit("third", told.append)


def test_under_load_a_transaction_waits_for_those_that_come_at_once(
    store: Database,
    writer: GroupWriter[str, str],
    commits: list[int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(writer_module, "_GATHER_SECONDS", 0.3)
    write_while_busy(store, writer, [f"site-{number}" for number in range(20)])
    before, told, done = len(commits), [], threading.Event()

    def hear(outcome: object) -> None:
        told.append(outcome)
        if len(told) == 2:
            done.set()

    writer.submit("a", hear)
    threading.Event().wait(0.1)
    writer.submit("b", hear)
    assert done.wait(10)
    assert len(commits) == before + 1
    assert writer.write("c") == "C"
    assert not writer._crowded, "few came: the next is not kept waiting"


def test_an_outcome_that_cannot_be_told_keeps_nobody_else_from_theirs(
    store: Database, writer: GroupWriter[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_outcome: object) -> None:
        raise SystemExit  # no Exception, as what a panic in the server becomes

    told: list[object] = []
    writer.submit("a", fail)
    writer.submit("b", told.append)
    assert writer.write("c") == "C"
    assert told == ["B"]
    assert "could not be told" in caplog.text
