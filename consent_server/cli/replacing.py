"""Replacing: a file that is there once it is complete, and never half."""

from __future__ import annotations

import filecmp
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from consent_server.errors import Conflict


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


def refusal(target: Path) -> Conflict:
    """Return the error that says that a file is in the way."""
    return Conflict(f"{target} exists. Choose another name, or replace it with --force.")
