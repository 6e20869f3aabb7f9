"""Asking again: each version knows since when each category and service is what it is."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from consent_server.cores import read_core
from consent_server.site_form import load_site_form
from consent_server.sites import (
    compare_configs,
    find_site,
    find_version,
    publish_version,
    read_config,
)
from consent_server.snapshot import build_snapshot, hash_config, known_since, new_since
from consent_server.store.database import Database
from consent_server.widget import added_parts, compose_script, parts_of
from tests.conftest import ReadSite

Site = dict[str, Any]
HOTJAR = {"use": "hotjar", "category": "analytics", "legal_basis": "consent", "retention": "1y"}


def publish(database: Database, site: Site) -> dict[str, Any]:
    """Publish the next version and return its snapshot."""
    with database.write() as session:
        form = load_site_form(copy.deepcopy(site))
        publish_version(session, form, source="", author="tests", now=datetime.now(UTC))
    with database.read() as session:
        found = find_site(session, site["key"])
        return read_config(find_version(session, found, found.current_version))


@pytest.fixture
def site(read_site: ReadSite) -> Site:
    return read_site("smilee")


def test_only_what_is_new_is_new(database: Database, site: Site) -> None:
    site["services"].append(HOTJAR)
    assert publish(database, site)["new_since"] == {"hotjar": 2}
    site["theme"]["form"] = "bar"
    third = publish(database, site)
    assert third["new_since"] == {"hotjar": 2}, "an editorial change makes nothing new"
    site["categories"].append(
        {
            "key": "research",
            "name": dict.fromkeys(site["languages"], "Research"),
            "description": dict.fromkeys(site["languages"], "Interviews."),
        }
    )
    assert publish(database, site)["new_since"] == {"hotjar": 2, "research": 4}
    site["services"].remove(HOTJAR)
    assert publish(database, site)["new_since"] == {"research": 4}
    site["services"].append(HOTJAR)
    assert publish(database, site)["new_since"] == {"research": 4, "hotjar": 6}, "it came back"


@pytest.mark.parametrize(
    "change",
    [
        lambda site: site["services"][1].update(category="marketing"),
        lambda site: site["services"][1].update(use="hotjar"),
    ],
)
def test_a_service_that_becomes_another_is_new(
    database: Database, site: Site, change: Callable[[Site], None]
) -> None:
    change(site)
    service = site["services"][1]["use"]
    assert publish(database, site)["new_since"] == {service: 2}


@pytest.mark.parametrize("table", ["processors", "transfers"])
def test_a_new_recipient_or_country_makes_its_service_new(site: Site, table: str) -> None:
    old = build_snapshot(load_site_form(site))
    new = copy.deepcopy(old)
    more = {"name": "Another Ltd", "country": "GB"} if table == "processors" else "IN"
    new["services"][1][table].append(more)
    assert new_since(new, 2, old, 1) == {new["services"][1]["key"]: 2}


@pytest.mark.parametrize(
    "change",
    [
        lambda site: site["controller"].update(name="Another Oy"),
        lambda site: site.update(ask_again="for a reason of ours"),
    ],
)
def test_what_speaks_of_no_service_makes_all_of_them_new(
    database: Database, site: Site, change: Callable[[Site], None]
) -> None:
    change(site)
    config = publish(database, site)
    keys = {one["key"] for one in (*config["categories"], *config["services"])}
    assert config["new_since"] == dict.fromkeys(keys, 2)


def test_it_is_part_of_what_is_hashed_but_no_difference(database: Database, site: Site) -> None:
    site["services"].append(HOTJAR)
    second = publish(database, site)
    plain = build_snapshot(load_site_form(site))
    assert hash_config(second) != hash_config(plain)
    assert compare_configs(second, json.loads(json.dumps(plain))) == []
    assert publish(database, site) == second, "the same file publishes nothing"


def test_versions_of_an_earlier_release_carry_nothing_over(site: Site) -> None:
    old = build_snapshot(load_site_form(site))
    since = known_since(old, 4)
    assert set(since.values()) == {4}
    new = copy.deepcopy(old)
    new["theme"]["radius"] = 0
    assert new_since(new, 6, old, 4) == since


def test_the_script_knows_what_is_new_only_where_something_ever_was(site: Site) -> None:
    first = build_snapshot(load_site_form(site))
    assert "news" not in parts_of(first, 1)
    assert '"news"' not in compose_script(first, 3, 1).body.decode()
    later = {**first, "new_since": {"meta-pixel": 2}}
    script = compose_script(later, 2, 2).body.decode()
    assert read_core("news", added=added_parts(later)) in script
    known = json.loads(script.rpartition("})(")[2].removesuffix(");"))["news"]
    assert known["since"] == {"meta-pixel": 2}
    assert set(known["said"]) == set(first["languages"])
