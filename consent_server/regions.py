"""Regions: where a visitor is, as a proxy says it or as the operator's own file does.

Nobody is asked over the network. An address is looked up in memory, and neither kept nor logged.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from consent_server.config import Settings
from consent_server.errors import ConfigError
from consent_server.rules.sight import DATABASE, HEADER

if TYPE_CHECKING:
    from maxminddb import Reader

_COUNTRY = re.compile(r"[A-Z]{2}", re.ASCII)
_PART = re.compile(r"[A-Z0-9]{1,3}", re.ASCII)
#: What proxies and files write for an address that they do not know (ISO 3166 leaves these codes
#: to its users), or for more than one country.
_NOWHERE = frozenset({"XX", "ZZ", "T1", "A1", "A2", "O1", "AP", "EU"})
#: Often written for what ISO 3166 calls otherwise.
_SAME = {"UK": "GB", "EL": "GR"}


class Fields(Protocol):
    """The fields of a request, found in whatever case."""

    def get(self, key: str, default: str, /) -> str:
        """Return the field's value."""


class Regions:
    """Where visitors are, as far as this server can know."""

    def __init__(self, settings: Settings) -> None:
        names = [name.strip() for name in settings.region_header.split(",") if name.strip()]
        #: The request's fields that are believed: none, unless the proxies are.
        self.headers = tuple(names) if settings.trusted_proxies else ()
        self._reader = _open(settings.region_database) if settings.region_database else None

    @property
    def depends_on(self) -> tuple[str, ...]:
        """Return the fields of a request that the region follows from."""
        return self.headers

    @property
    def by_address(self) -> bool:
        """Tell whether an address can decide."""
        return self._reader is not None

    def locate(self, headers: Fields, address: str) -> tuple[str, str]:
        """Return region and how it is known; both empty where it is not.

        `address` is that of the visitor, as the trusted proxies tell it.
        """
        told = [headers.get(name, "") for name in self.headers]
        if region := spell_region(*told) if told else "":
            return region, HEADER
        if region := self._look_up(address):
            return region, DATABASE
        return "", ""

    def _look_up(self, address: str) -> str:
        if self._reader is None:
            return ""
        try:
            found = self._reader.get(address)
        except ValueError:  # no address of the internet, such as that of a local socket
            return ""
        return _read_region(found) if isinstance(found, dict) else ""


def spell_region(country: str, part: str = "") -> str:
    """Return "US-CA" or "DE" as ISO 3166 writes it; empty for what is none.

    The country may hold the part already. A part that is none is left out.
    """
    country, _, own_part = country.strip().upper().partition("-")
    country, part = _SAME.get(country, country), (own_part or part.strip().upper())
    part = part.removeprefix(f"{country}-")
    if not _COUNTRY.fullmatch(country) or country in _NOWHERE:
        return ""
    return f"{country}-{part}" if _PART.fullmatch(part) else country


def _read_region(found: Mapping[str, Any]) -> str:
    """Read a record as MaxMind and DB-IP write it, or the flat one of other files."""
    country = found.get("country")
    code = country.get("iso_code") if isinstance(country, dict) else None
    parts = found.get("subdivisions")
    first = parts[0] if isinstance(parts, list) and parts else {}
    part = first.get("iso_code") if isinstance(first, dict) else None
    return spell_region(str(code or found.get("country_code") or ""), str(part or ""))


def _open(path: str) -> Reader:
    try:
        import maxminddb  # noqa: PLC0415 (an extra)
    except ImportError as error:
        raise ConfigError(
            "CONSENT_REGION_DATABASE needs one more package: pip install 'consent-server[regions]'"
        ) from error
    try:
        return maxminddb.open_database(path)
    except (OSError, maxminddb.InvalidDatabaseError) as error:
        raise ConfigError(f"CONSENT_REGION_DATABASE: {path} cannot be read: {error}") from error
