"""Forms of the fields in a service file, and the reader that asks for them by name."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final

from consent_server.errors import CatalogueError


@dataclass(frozen=True, slots=True)
class Form:
    """Pattern of a value and the words that tell a person how to write it."""

    pattern: re.Pattern[str]
    advice: str


_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = rf"{_LABEL}(?:\.{_LABEL})+"

KEY: Final = Form(re.compile(r"[a-z0-9][a-z0-9-]{0,39}"), "write a-z, 0-9 and - (at most 40)")
COUNTRY: Final = Form(re.compile(r"[A-Z]{2}"), 'write two capitals of ISO 3166-1, like "FI"')
HOST: Final = Form(
    re.compile(rf"(?:\*\.)?{_HOST}"),
    'write a lower-case host, like "cdn.example.com" or "*.example.com", without scheme or path',
)
PATH: Final = Form(
    re.compile(rf"{_HOST}/[^\s?#*]+"),
    'write host and path prefix, like "www.example.com/tag.js", without scheme or query',
)
LINK: Final = Form(re.compile(r"https://[^\s/]+\.[^\s/]+(?:/\S*)?"), "write an absolute https link")
LIFETIME: Final = Form(
    re.compile(r"[1-9][0-9]{0,4}(?:min|h|d|w|mo|y)|session|persistent"),
    'write a number and min, h, d, w, mo or y, like "13mo", or "session" or "persistent"',
)
# The token of RFC 6265, with {site_key} for our own cookie.
_COOKIE_SIGNS = r"(?:[!#$%&'+.^_`|~0-9A-Za-z-]|\{site_key\})+"
COOKIE_NAME: Final = Form(
    re.compile(rf"{_COOKIE_SIGNS}\*?|\*{_COOKIE_SIGNS}"),
    'write the exact name, or one * at its end or beginning, like "_ga_*"',
)
STORAGE_NAME: Final = Form(
    re.compile(r"[^\s*]+\*?|\*[^\s*]+"),
    'write the exact key, or one * at its end or beginning, like "state-*"',
)


class Table:
    """One table of a file; knows its place, so that every complaint names file and field."""

    def __init__(
        self,
        values: Mapping[str, Any],
        source: str,
        place: str = "",
        *,
        required: Sequence[str] = (),
        optional: Sequence[str] = (),
    ) -> None:
        self._values = values
        self._source = source
        self._place = place
        known = (*required, *optional)
        for name in values:
            if name not in known:
                near = get_close_matches(name, known, n=1)
                advice = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
                raise self.wrong(name, "is not a known field", advice)
        for name in required:
            if name not in values:
                raise self.wrong(name, "is missing", "add it")

    def wrong(self, name: str, fault: str, advice: str) -> CatalogueError:
        """Make the error for one field of this table."""
        return CatalogueError(f"{self._source}: {self._at(name)}: {fault}; {advice}")

    def has(self, name: str) -> bool:
        """Tell whether a field is there."""
        return name in self._values

    def value(self, name: str) -> Any:
        """Give a field as it is, for whoever knows its form."""
        return self._values[name]

    def text(self, name: str, *, empty: bool = False, default: str | None = None) -> str:
        """Give a text without blanks around it; an empty one only where that is allowed."""
        value = self._values.get(name, default)
        if not isinstance(value, str):
            raise self.wrong(name, f"is {value!r}", "write a text in quotes")
        if value != value.strip():
            raise self.wrong(name, "has blanks around it", "remove them")
        if not value and not empty and name in self._values:
            raise self.wrong(name, "is empty", "fill it")
        return value

    def formed(
        self, name: str, form: Form, *, empty: bool = False, default: str | None = None
    ) -> str:
        """Give a text of a certain form."""
        value = self.text(name, empty=empty, default=default)
        if value and not form.pattern.fullmatch(value):
            raise self.wrong(name, f"is {value!r}", form.advice)
        return value

    def formed_list(self, name: str, form: Form) -> tuple[str, ...]:
        """Give a list of distinct texts of a certain form; a missing one is empty."""
        values = self._values.get(name, [])
        if not isinstance(values, list):
            raise self.wrong(name, f"is {values!r}", "write a list")
        for index, value in enumerate(values):
            if not isinstance(value, str) or not form.pattern.fullmatch(value):
                raise self.wrong(f"{name}[{index}]", f"is {value!r}", form.advice)
            if value in values[:index]:
                raise self.wrong(f"{name}[{index}]", f"{value!r} is there twice", "keep one")
        return tuple(values)

    def choice(self, name: str, choices: Sequence[str], *, default: str | None = None) -> str:
        """Give one of the words allowed."""
        value = self._values.get(name, default)
        if value not in choices:
            raise self.wrong(name, f"is {value!r}", f"write one of {', '.join(choices)}")
        return str(value)

    def flag(self, name: str) -> bool:
        """Give true or false."""
        value = self._values[name]
        if not isinstance(value, bool):
            raise self.wrong(name, f"is {value!r}", "write true or false")
        return value

    def date(self, name: str) -> dt.date:
        """Give a day; a time of day has no meaning here and is refused."""
        value = self._values[name]
        if not isinstance(value, dt.date) or isinstance(value, dt.datetime):
            raise self.wrong(name, f"is {value!r}", "write a date without quotes, like 2026-11-22")
        return value

    def table(
        self, name: str, *, required: Sequence[str] = (), optional: Sequence[str] = ()
    ) -> Table:
        """Give a table inside this one; a missing one is empty."""
        return self._inner(self._values.get(name, {}), self._at(name), required, optional)

    def tables(
        self, name: str, *, required: Sequence[str] = (), optional: Sequence[str] = ()
    ) -> tuple[Table, ...]:
        """Give a list of tables; a missing one is empty."""
        values = self._values.get(name, [])
        if not isinstance(values, list):
            raise self.wrong(name, "is not a list of tables", f"write [[{self._at(name)}]]")
        return tuple(
            self._inner(value, f"{self._at(name)}[{index}]", required, optional)
            for index, value in enumerate(values)
        )

    def _inner(
        self, values: object, place: str, required: Sequence[str], optional: Sequence[str]
    ) -> Table:
        if not isinstance(values, dict):
            raise CatalogueError(f"{self._source}: {place}: is {values!r}; write a table")
        return Table(values, self._source, place, required=required, optional=optional)

    def _at(self, name: str) -> str:
        return f"{self._place}.{name}" if self._place else name
