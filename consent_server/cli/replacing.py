"""Replacing: a file that is there once it is complete, and never half."""

from __future__ import annotations

import filecmp
import os
import signal
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import BinaryIO

from consent_server.config import load_settings, sqlite_path
from consent_server.errors import Conflict
from consent_server.store.backup import belongs_to

#: How a service manager, and a terminal that is closed, end a process.
_ENDS = (signal.SIGTERM, signal.SIGHUP)


@contextmanager
def replacing(target: Path, *, force: bool) -> Iterator[BinaryIO]:
    """Open a file that becomes `target` once it is complete, or leaves no trace.

    Raises Conflict when there is a file of that name with something else in it, or what is none.
    """
    _check_kind(target)
    with tidying(), _part(target) as part:
        with part.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        # The same period as CSV and as JSON lines has the same versions beside it.
        if not force and target.exists() and not filecmp.cmp(part, target, shallow=False):
            raise _refusal(target)
        part.replace(target)


@contextmanager
def tidying() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end what is done here as an error does: nothing half is left.

    A process without handlers ends at once, and leaves what it was writing: personal data
    under a name that nobody looks for.
    """
    received: list[int] = []

    def end(number: int, _frame: FrameType | None) -> None:
        if not received:
            received.append(number)
            raise SystemExit(128 + number)

    former = {}
    if threading.current_thread() is threading.main_thread():
        # What is ignored (nohup) or handled already stays so.
        ours = [one for one in _ENDS if signal.getsignal(one) is signal.SIG_DFL]
        former = {one: signal.signal(one, end) for one in ours}
    try:
        yield
    except BaseException:
        if received:
            # What the signal cut off may say that it failed, in its own words.
            raise SystemExit(128 + received[0]) from None
        raise
    finally:
        for one, handler in former.items():
            signal.signal(one, handler)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Let signals that end the process wait: for what must not be left in the middle."""
    former = signal.pthread_sigmask(signal.SIG_BLOCK, {*_ENDS, signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, former)


@contextmanager
def _part(target: Path) -> Iterator[Path]:
    descriptor, name = tempfile.mkstemp(
        dir=target.parent, prefix=f".{target.name}.", suffix=".part"
    )
    os.close(descriptor)
    part = Path(name)
    try:
        yield part
    finally:
        part.unlink(missing_ok=True)


def check_apart(*targets: Path) -> None:
    """Raise Conflict where a file that is to be written, forced or not, is the database's."""
    source = sqlite_path(load_settings().database_url)
    for target in targets:
        if source is not None and belongs_to(target, source):
            raise Conflict(
                f"{target} is a file of the database itself: a server that runs would go on with "
                "what it had. Choose another name."
            )


def check_free(target: Path, *, force: bool) -> None:
    """Raise Conflict where a file cannot be written under this name, before it is made."""
    if not target.parent.is_dir():
        raise Conflict(f"There is no folder {target.parent} to write {target.name} into.")
    _check_kind(target)
    if target.exists() and not force:
        raise _refusal(target)


def _check_kind(target: Path) -> None:
    # What is complete takes the place of what has the name: of `/dev/stdout` for every program.
    if target.exists() and not target.is_file():
        raise Conflict(f"{target} is no file, but a device, a pipe or a folder. Name a file.")


def _refusal(target: Path) -> Conflict:
    return Conflict(f"{target} exists. Choose another name, or replace it with --force.")
