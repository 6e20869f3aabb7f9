"""Replacing: a file that is there once it is complete, and never half."""

from __future__ import annotations

import filecmp
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from consent_server.config import load_settings, sqlite_path
from consent_server.errors import Conflict
from consent_server.store.backup import belongs_to


@contextmanager
def replacing(target: Path, *, force: bool) -> Iterator[BinaryIO]:
    """Open a file that becomes `target` once it is complete, or leaves no trace.

    Raises Conflict when there is a file of that name with something else in it.
    """
    descriptor, name = tempfile.mkstemp(
        dir=target.parent, prefix=f".{target.name}.", suffix=".part"
    )
    part = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        # The same period as CSV and as JSON lines has the same versions beside it.
        if not force and target.exists() and not filecmp.cmp(part, target, shallow=False):
            raise refusal(target)
        part.replace(target)
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


def refusal(target: Path) -> Conflict:
    """Return the error that says that a file is in the way."""
    return Conflict(f"{target} exists. Choose another name, or replace it with --force.")
