"""The writer: one thread gathers what waits into one transaction (group commit).

A commit costs the same for one row as for many, so that under load each request pays a
part of one. Nobody is told anything before the commit that holds their own.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from functools import partial
from typing import Any, Generic, TypeVar

from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from consent_server.errors import Unavailable
from consent_server.store.database import Database, was_taken_back
from consent_server.store.line import Line, Waiting

log = logging.getLogger(__name__)

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")

#: In one transaction: more would make the first of them wait for the last.
_TOGETHER = 64
#: Waiting for their turn: more than are written in the time that a client waits.
_WAITING = 1_024
#: So many came together that more will: the next transaction waits for them, but not for long.
_FEW = 8
_GATHER_SECONDS = 0.002
_GATHERINGS = 5
#: How long items of a crowded site wait for company: each transaction keeps other sites waiting.
_COMPANY_SECONDS = 0.05
#: Without work the thread ends; the next item starts another.
_IDLE_SECONDS = 5.0
#: Longer than another process may hold the database, shorter than whoever stops a server
#: waits. A hanging database must not keep the threads that serve scripts from memory.
_PATIENCE_SECONDS = 8.0
#: A commit that takes longer hangs: who comes now is not kept waiting for it.
_HANGING_SECONDS = 6.0
#: How often it is looked for what has waited for too long.
_LOOK_SECONDS = 0.5
#: Twins of an item may be written by other processes at the same time, and two transactions
#: may wait for each other, so that the database ends one.
_TRIES = 3


class GroupWriter(Generic[Item, Outcome]):
    """Writes items: those of one site in the order in which they came, and sites in turn.

    `append` writes items in one session and gives an outcome for each, or the error that
    this item alone met; what it raises is met by all.
    """

    def __init__(
        self,
        database: Database,
        append: Callable[[Session, Sequence[Item]], Sequence[Outcome | Exception]],
        *,
        committed: Callable[[int], None] = lambda _: None,
        site_of: Callable[[Item], Hashable] = lambda _: None,
    ) -> None:
        """`committed` is told after each commit how many items it held.

        `site_of` tells whose an item is: many of one site never keep others waiting for all.
        """
        self._database = database
        self._append = append
        self._committed = committed
        self._site_of = site_of
        self._ready = threading.Condition()
        self._line = Line()
        self._under_way: Sequence[Waiting] = ()
        #: When what is being written now was taken from the queue (monotonic seconds).
        self._began: float | None = None
        self._running = self._watched = self._closed = False
        #: Whether the last transaction held many.
        self._crowded = False

    def write(self, item: Item) -> Outcome:
        """Return the outcome of an item once it is committed; raises its error.

        Raises Unavailable when too many wait already, when the commit under way hangs, and
        once the writer is closed. It may be written all the same, but then only once.
        """
        future: Future[Outcome] = Future()
        self._put(item, partial(_settle, future))
        try:
            return future.result(_PATIENCE_SECONDS)
        except TimeoutError:
            raise _too_many() from None

    def submit(
        self,
        item: Item,
        tell: Callable[[Outcome | Exception], object],
        *,
        patient: bool = False,
    ) -> None:
        """Let `tell` hear the outcome of an item once it is committed, or its error.

        What is `patient` waits a moment for others, which it is written with.
        It is called in a thread of the writer, must be quick, and may be called again: the first
        word counts. Raises Unavailable at once as `write` does.
        """
        self._put(item, tell, patient=patient)
        if not self._watched:
            self._watch()

    def close(self) -> None:
        """Send away whoever waits and whoever comes: the server ends."""
        self._closed = True
        with self._ready:
            waiting = [*self._under_way, *self._line]
            self._line.clear()
            self._ready.notify()
        for one in waiting:
            _tell(one, _stopping())

    @property
    def waiting(self) -> int:
        """Return how many items wait for their turn."""
        return len(self._line)

    def busy_seconds(self) -> float:
        """Return for how long the transaction under way has been going on; 0 without one."""
        began = self._began
        return 0.0 if began is None else time.monotonic() - began

    def _put(self, item: Item, tell: Callable[[Any], object], *, patient: bool = False) -> None:
        if self._closed:
            raise _stopping()
        site = self._site_of(item)
        if self.busy_seconds() > _HANGING_SECONDS or self._line.is_full(_WAITING, site):
            raise _too_many()
        with self._ready:
            if not self._running:
                # First: without it nothing may wait, and whoever comes next tries again.
                _start(self._work, "writer")
                self._running = True
            self._line.put(Waiting(item, tell, time.monotonic(), site, patient))
            # Not each time: the thread is woken for the first, and where it waits for company.
            if len(self._line) in (1, _TOGETHER) or (not patient and self._line.urgent == 1):
                self._ready.notify()

    def _work(self) -> None:
        while batch := self._take():
            try:
                self._write_batch(batch)
            finally:
                self._began, self._under_way = None, ()

    def _take(self) -> Sequence[Waiting]:
        """Return what waits, once something does; nothing where the thread may end."""
        with self._ready:
            if not self._line and not self._ready.wait_for(lambda: self._line, _IDLE_SECONDS):
                self._running = False
                return ()
            if not self._is_due():
                late = self._line.oldest() + _COMPANY_SECONDS
                self._ready.wait_for(self._is_due, max(late - time.monotonic(), 0))
        if self._crowded:
            self._gather()
        with self._ready:
            batch = self._line.take(_TOGETHER)
            self._running = bool(batch)  # without any, the writer was closed meanwhile
            if batch:  # at once: whoever is to be sent away stands in one of the two
                self._began, self._under_way = time.monotonic(), batch
        # Who was patient has waited for company already.
        self._crowded = sum(not one.patient for one in batch) > _FEW
        return batch

    def _is_due(self) -> bool:
        """Tell whether somebody waits who need not be patient, or enough for one transaction."""
        return bool(self._line.urgent) or len(self._line) >= _TOGETHER or self._closed

    def _gather(self) -> None:
        """Wait as long as more arrive: those that were answered just now are on their way again.

        A transaction of few costs nearly as much as one of many.
        """
        known = 0
        for _ in range(_GATHERINGS):
            waiting = len(self._line)
            if waiting == known or waiting >= _TOGETHER:
                return
            known = waiting
            time.sleep(_GATHER_SECONDS)

    def _watch(self) -> None:
        """Send away, from now on, what has waited for too long: nobody waits for it in a thread."""
        with self._ready:
            if not self._watched:
                # The item waits already: without this thread it waits longer, no more.
                with suppress(Unavailable):
                    _start(self._send_away, "patience")
                    self._watched = True

    def _send_away(self) -> None:
        while True:
            time.sleep(_LOOK_SECONDS)
            late = time.monotonic() - _PATIENCE_SECONDS
            with self._ready:
                if not self._running:
                    self._watched = False
                    return
                waiting = [*self._under_way, *self._line]
            for one in waiting:
                if one.since < late:
                    _tell(one, _too_many())

    def _write_batch(self, batch: Sequence[Waiting]) -> None:
        try:
            outcomes = self._commit([one.item for one in batch])
        except IntegrityError as error:
            if len(batch) == 1:
                _tell(batch[0], error)
            else:
                # Somebody else wrote one of them: the others must not suffer from it.
                for one in batch:
                    self._write_batch([one])
        except Exception as error:
            for one in batch:
                _tell(one, error)
        else:
            self._committed(len(batch))
            for one, outcome in zip(batch, outcomes, strict=True):
                _tell(one, outcome)

    def _commit(self, items: Sequence[Item]) -> Sequence[Outcome | Exception]:
        for tries_left in range(_TRIES - 1, -1, -1):
            try:
                with self._database.write_together() as session:
                    return self._append(session, items)
            except DBAPIError as error:
                twin = isinstance(error, IntegrityError) and len(items) == 1
                if not tries_left or not (twin or was_taken_back(error)):
                    raise
        raise AssertionError("unreachable")


def _start(work: Callable[[], None], name: str) -> None:
    """Start a thread; raises Unavailable where the system has none to give now."""
    try:
        threading.Thread(target=work, name=name, daemon=True).start()
    except RuntimeError as error:
        log.exception("The thread %s could not be started.", name)
        raise Unavailable(
            "The server has too much to do. Nothing was recorded; send it again.",
            headers={"Retry-After": "5"},
        ) from error


def _tell(one: Waiting, outcome: object) -> None:
    """Tell the outcome; whatever that meets, the thread goes on: the others wait for theirs."""
    try:
        one.tell(outcome)
    except BaseException:  # what breaks in the server's own half is no Exception
        log.exception("An outcome could not be told.")


def _settle(future: Future[Any], outcome: object) -> None:
    # Who was sent away meanwhile asks again, and gets the same receipt.
    with suppress(InvalidStateError):
        if isinstance(outcome, Exception):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)


def _stopping() -> Unavailable:
    return Unavailable(
        "The server is being stopped. Send it again: an id is recorded once only.",
        headers={"Retry-After": "5"},
    )


def _too_many() -> Unavailable:
    return Unavailable(
        "Too many decisions wait to be written. Send it again: an id is recorded once only.",
        headers={"Retry-After": "5"},
    )
