"""The writer among sites: nobody pays for the crowd of another site."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from sqlalchemy.orm import Session

from consent_server.errors import Unavailable
from consent_server.store import writer as writer_module
from consent_server.store.database import Database
from consent_server.store.writer import GroupWriter

LONG = 30.0


class Batches:
    """Writes nothing, keeps what came together, and holds the first batch until told."""

    def __init__(self, store: Database) -> None:
        self.found: list[list[str]] = []
        self.go_on, self._begun = threading.Event(), threading.Event()
        self.writer: GroupWriter[str, str] = GroupWriter(
            store, self._append, site_of=lambda item: item[0]
        )
        self._told = threading.Condition()
        self._answers = 0

    def submit(self, *names: str, patient: bool = False) -> None:
        for name in names:
            self.writer.submit(name, self._tell, patient=patient)

    def hold(self) -> None:
        """Let all that is submitted from now on wait behind a transaction under way."""
        self.submit("first")
        assert self._begun.wait(10)

    def wait(self, answers: int) -> None:
        with self._told:
            assert self._told.wait_for(lambda: self._answers >= answers, 10)

    def _append(self, _session: Session, names: Sequence[str]) -> list[str | Exception]:
        self.found.append(list(names))
        if names[0] == "first":
            self._begun.set()
            self.go_on.wait(10)
        return list(names)

    def _tell(self, _outcome: Any) -> None:
        with self._told:
            self._answers += 1
            self._told.notify()


@pytest.fixture
def batches(store: Database) -> Iterator[Batches]:
    batches = Batches(store)
    yield batches
    batches.go_on.set()
    batches.writer.close()


def test_one_decision_behind_a_crowd_is_in_the_next_transaction_and_that_is_small(
    batches: Batches,
) -> None:
    batches.hold()
    crowd = [f"a{number}" for number in range(40)]
    batches.submit(*crowd, "b")
    batches.go_on.set()
    batches.wait(42)
    assert "b" in batches.found[1]
    assert len(batches.found[1]) <= 10
    # Of one site in the order in which they came.
    assert [name for batch in batches.found for name in batch if name[0] == "a"] == crowd


def test_what_is_patient_goes_with_the_next_that_is_not(
    batches: Batches, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_module, "_COMPANY_SECONDS", LONG)
    batches.submit("a1", "a2", patient=True)
    batches.submit("b1")
    batches.wait(3)
    assert sorted(batches.found[0]) == ["a1", "a2", "b1"]


def test_what_is_patient_is_written_in_time_without_others(
    batches: Batches, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_module, "_COMPANY_SECONDS", 0.2)
    for number in range(5):
        batches.submit(f"a{number}", patient=True)
    batches.wait(5)
    # One transaction, or two where the machine was held up: not one for each.
    assert len(batches.found) <= 2


def test_what_fills_a_transaction_waits_for_nobody(
    batches: Batches, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_module, "_COMPANY_SECONDS", LONG)
    batches.submit(*(f"a{number}" for number in range(64)), patient=True)
    batches.wait(64)
    assert len(batches.found) == 1


def test_a_server_that_ends_sends_away_who_is_patient(
    batches: Batches, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_module, "_COMPANY_SECONDS", LONG)
    batches.submit("a", patient=True)
    batches.writer.close()
    batches.wait(1)


def test_a_crowd_that_fills_the_line_does_not_close_it_to_others(
    batches: Batches, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_module, "_WAITING", 20)
    batches.hold()
    batches.submit(*(f"a{number}" for number in range(20)))
    batches.submit("b")
    with pytest.raises(Unavailable):
        batches.submit("a20")
    batches.go_on.set()
    batches.wait(22)
