"""Extraction of purposes for translators: Babel's method for the service files."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterator, Mapping
from typing import Any, BinaryIO

#: Line, function, message and comments, as babel.messages.extract.extract takes them.
Extracted = tuple[int, None, str, list[str]]


def extract_purposes(
    fileobj: BinaryIO,
    _keywords: Collection[str],
    _comment_tags: Collection[str],
    options: Mapping[str, Any],  # noqa: ARG001 (Babel gives it by name)
) -> Iterator[Extracted]:
    """Give each purpose of a service file, with the service and the item that it is of."""
    values = tomllib.loads(fileobj.read().decode("utf-8"))
    purposes = [(values["name"], values["texts"]["purpose"])]
    purposes += [
        (f"{values['name']}: {item['name']}", item["purpose"])
        for item in (*values.get("cookies", ()), *values.get("storage", ()))
    ]
    for line, (what, purpose) in enumerate(purposes, start=1):
        yield line, None, purpose, [what]
