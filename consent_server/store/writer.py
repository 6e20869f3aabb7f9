"""The writer: one thread gathers what waits into one transaction (group commit).

A commit costs the same for one row as for many, so that under load each request pays a
part of one. Nobody is told anything before the commit that holds their own.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future, InvalidStateError
from contextlib import suppress
from typing import Any, Generic, TypeVar

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from consent_server.errors import Unavailable
from consent_server.store.database import Database

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")

#: In one transaction: more would make the first of them wait for the last.
_TOGETHER = 64
#: Waiting for their turn: more than are written in the time that a client waits.
_WAITING = 1_024
#: Without work the thread ends; the next item starts another.
_IDLE_SECONDS = 5.0
#: Longer than another process may hold the database, shorter than whoever stops a server
#: waits. A hanging database must not keep the threads that serve scripts from memory.
_PATIENCE_SECONDS = 8.0
#: A commit that takes longer hangs: who comes now is not kept waiting for it.
_HANGING_SECONDS = 6.0
#: Twins of an item may be written by other processes at the same time.
_TRIES = 3


class GroupWriter(Generic[Item, Outcome]):
    """Writes items in the order in which they came.

    `append` writes items in one session and gives an outcome for each, or the error that
    this item alone met; what it raises is met by all.
    """

    def __init__(
        self,
        database: Database,
        append: Callable[[Session, Sequence[Item]], Sequence[Outcome | Exception]],
        *,
        committed: Callable[[int], None] = lambda _: None,
    ) -> None:
        """`committed` is told after each commit how many items it held."""
        self._database = database
        self._append = append
        self._committed = committed
        self._lock = threading.Lock()
        self._running = False
        #: When what is being written now was taken from the queue (monotonic seconds).
        self._began: float | None = None
        self._queue: queue.Queue[tuple[Item, Future[Outcome]]] = queue.Queue(_WAITING)
        self._under_way: Sequence[tuple[Item, Future[Outcome]]] = ()
        self._closed = False

    def write(self, item: Item) -> Outcome:
        """Return the outcome of an item once it is committed; raises its error.

        Raises Unavailable when too many wait already, when the commit under way hangs, and
        once the writer is closed. It may be written all the same, but then only once.
        """
        if self._closed:
            raise _stopping()
        if self.busy_seconds() > _HANGING_SECONDS:
            raise _too_many()
        future: Future[Outcome] = Future()
        with self._lock:
            try:
                self._queue.put_nowait((item, future))
            except queue.Full:
                raise _too_many() from None
            if not self._running:
                self._running = True
                threading.Thread(target=self._work, name="writer", daemon=True).start()
        try:
            return future.result(_PATIENCE_SECONDS)
        except TimeoutError:
            raise _too_many() from None
        except CancelledError:
            raise _stopping() from None

    def close(self) -> None:
        """Send away whoever waits and whoever comes: the server ends."""
        self._closed = True
        for _, future in self._under_way:
            future.cancel()
        while True:
            try:
                _, future = self._queue.get_nowait()
            except queue.Empty:
                return
            future.cancel()

    @property
    def waiting(self) -> int:
        """Return how many items wait for their turn."""
        return self._queue.qsize()

    def busy_seconds(self) -> float:
        """Return for how long the transaction under way has been going on; 0 without one."""
        began = self._began
        return 0.0 if began is None else time.monotonic() - began

    def _work(self) -> None:
        while True:
            try:
                batch = [self._queue.get(timeout=_IDLE_SECONDS)]
            except queue.Empty:
                with self._lock:
                    if self._queue.empty():
                        self._running = False
                        return
                continue
            while len(batch) < _TOGETHER:
                try:
                    batch.append(self._queue.get_nowait())
                except queue.Empty:
                    break
            self._began, self._under_way = time.monotonic(), batch
            try:
                self._write_batch(batch)
            finally:
                self._began, self._under_way = None, ()

    def _write_batch(self, batch: Sequence[tuple[Item, Future[Outcome]]]) -> None:
        try:
            outcomes = self._commit([item for item, _ in batch])
        except IntegrityError as error:
            if len(batch) == 1:
                _tell(batch[0][1], error)
            else:
                # Somebody else wrote one of them: the others must not suffer from it.
                for one in batch:
                    self._write_batch([one])
        except Exception as error:
            for _, future in batch:
                _tell(future, error)
        else:
            self._committed(len(batch))
            for (_, future), outcome in zip(batch, outcomes, strict=True):
                _tell(future, outcome)

    def _commit(self, items: Sequence[Item]) -> Sequence[Outcome | Exception]:
        for tries_left in range(_TRIES - 1 if len(items) == 1 else 0, -1, -1):
            try:
                with self._database.write_together() as session:
                    return self._append(session, items)
            except IntegrityError:
                if not tries_left:
                    raise
        raise AssertionError("unreachable")


def _tell(future: Future[Any], outcome: object) -> None:
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
