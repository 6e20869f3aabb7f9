"""Regions: what a proxy's header and the operator's own file say, and when nobody knows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from consent_server.config import Settings
from consent_server.errors import ConfigError
from consent_server.regions import Regions, spell_region

#: What operators' files hold: MaxMind's and DB-IP's records, and a flat one.
RECORDS: dict[str, dict[str, Any]] = {
    "192.0.2.0/25": {"country": {"iso_code": "US"}, "subdivisions": [{"iso_code": "CA"}]},
    "192.0.2.128/25": {"country": {"iso_code": "DE"}},
    "198.51.100.0/24": {"country_code": "GB"},
    "203.0.113.0/24": {"continent": {"code": "EU"}},
    "2001:db8::/32": {
        "country": {"iso_code": "FI"},
        "subdivisions": [{"names": {"en": "Uusimaa"}}],
    },
}
KNOWN = {
    "192.0.2.7": "US-CA",
    "192.0.2.200": "DE",
    "198.51.100.1": "GB",
    "2001:db8::1": "FI",
}


def write_database(file: Path) -> str:
    """Write such a file as operators have."""
    writer = MMDBWriter(ip_version=6, ipv4_compatible=True)
    for network, record in RECORDS.items():
        writer.insert_network(IPSet([network]), record)
    writer.to_db_file(str(file))
    return str(file)


@pytest.mark.parametrize(
    ("told", "region"),
    [
        (["DE"], "DE"),
        (["de"], "DE"),
        (["US-CA"], "US-CA"),
        (["US", "CA"], "US-CA"),
        (["US", "US-CA"], "US-CA"),
        (["US", ""], "US"),
        (["US", "California"], "US"),
        (["UK"], "GB"),
        ([" GB "], "GB"),
        (["XX"], ""),
        (["T1"], ""),
        (["EU"], ""),
        (["", "CA"], ""),
        (["Germany"], ""),
        (["D\u00cb"], ""),
        (["DE\n"], "DE"),
    ],
)
def test_a_region_is_written_as_iso_3166_has_it_or_nobody_knows_it(
    told: list[str], region: str
) -> None:
    assert spell_region(*told) == region


def test_a_header_is_believed_only_behind_proxies_that_are_trusted() -> None:
    told = {"X-Region": "US-CA"}
    trusted = Regions(Settings(region_header="X-Region", trusted_proxies=1))
    assert trusted.locate(told, "") == ("US-CA", "header")
    assert Regions(Settings(region_header="X-Region")).locate(told, "") == ("", "")
    assert Regions(Settings(trusted_proxies=1)).locate(told, "") == ("", "")


def test_country_and_part_may_come_in_two_headers() -> None:
    regions = Regions(Settings(region_header="CF-IPCountry, CF-Region-Code", trusted_proxies=1))
    told = {"CF-IPCountry": "US", "CF-Region-Code": "TX"}
    assert regions.headers == ("CF-IPCountry", "CF-Region-Code")
    assert regions.locate(told, "") == ("US-TX", "header")
    assert regions.locate({"CF-Region-Code": "TX"}, "") == ("", "")


@pytest.mark.parametrize(("address", "region"), KNOWN.items())
def test_the_operators_own_file_tells_where_an_address_is(
    tmp_path: Path, address: str, region: str
) -> None:
    regions = Regions(Settings(region_database=write_database(tmp_path / "r.mmdb")))
    assert regions.locate({}, address) == (region, "database")


@pytest.mark.parametrize("address", ["203.0.113.9", "127.0.0.1", "", "unix:", "2001:db9::1"])
def test_an_address_that_the_file_does_not_know_is_nowhere(tmp_path: Path, address: str) -> None:
    regions = Regions(Settings(region_database=write_database(tmp_path / "r.mmdb")))
    assert regions.locate({}, address) == ("", "")


def test_the_file_is_asked_where_no_header_tells(tmp_path: Path) -> None:
    file = write_database(tmp_path / "r.mmdb")
    regions = Regions(Settings(region_header="X", trusted_proxies=1, region_database=file))
    assert regions.locate({"X": "FR"}, "192.0.2.7") == ("FR", "header")
    assert regions.locate({"X": "XX"}, "192.0.2.7") == ("US-CA", "database")
    assert regions.locate({}, "192.0.2.7") == ("US-CA", "database")


@pytest.mark.parametrize("content", [None, b"", b"no database"])
def test_a_file_that_cannot_be_read_stops_the_start_by_its_setting(
    tmp_path: Path, content: bytes | None
) -> None:
    file = tmp_path / "r.mmdb"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError, match="CONSENT_REGION_DATABASE"):
        Regions(Settings(region_database=str(file)))
