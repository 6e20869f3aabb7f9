"""Site files: read, checked, and refused with file and field."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from consent_server.errors import Conflict, ConsentError, InvalidForm
from consent_server.site_form import load_site_form


@dataclass(frozen=True, slots=True)
class SiteFile:
    """A site file whose form is right, with its text as the owner wrote it."""

    path: Path
    source: str
    form: dict[str, Any]


def read_site_files(paths: Iterable[Path]) -> list[SiteFile]:
    """Read and check each file; raises InvalidForm, or Conflict for one site twice."""
    found: dict[str, SiteFile] = {}
    for path in paths:
        with naming(path):
            file = read_site_file(path)
        earlier = found.setdefault(file.form["key"], file)
        if earlier is not file:
            raise Conflict(
                f"{earlier.path} and {path} both describe the site {file.form['key']!r}."
            )
    return list(found.values())


def read_site_file(path: Path) -> SiteFile:
    """Read and check one file; raises InvalidForm that says where the fault is."""
    data = path.read_bytes()
    try:
        # Editors on Windows begin a file with a byte order mark.
        source = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8", "replace")
        raise InvalidForm(f"The text is not UTF-8 (at {_place(before)}).") from error
    try:
        described = tomllib.loads(source)
    except tomllib.TOMLDecodeError as error:
        message = re.sub(r"\(at end of document\)", f"(at {_place(source)}, the end)", str(error))
        raise InvalidForm(f"The text is not TOML: {message}.") from error
    except RecursionError as error:
        raise InvalidForm("The text is no site: lists or tables lie too deep in it.") from error
    return SiteFile(path, source, load_site_form(described))


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Put the file's name before the message of an error."""
    try:
        yield
    except ConsentError as error:
        raise ConsentError(f"{path}: {error.detail}", errors=error.errors) from error


def _place(before: str) -> str:
    return f"line {before.count(chr(10)) + 1}, column {len(before) - before.rfind(chr(10))}"
