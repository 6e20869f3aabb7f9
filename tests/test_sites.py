"""Sites: versions are immutable, made only of real changes, and say who must be asked again."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import func, select

from consent_server.errors import Conflict, InvalidSite, NotFound
from consent_server.site_form import load_site_form
from consent_server.sites import (
    Publication,
    compare_configs,
    compare_site,
    find_script,
    find_site,
    find_version,
    list_sites,
    list_versions,
    publish_version,
    read_config,
    retire_site,
)
from consent_server.store.database import Database
from consent_server.store.models import AdminEvent, SiteScript, SiteVersion
from tests.conftest import ReadSite
from tests.test_site_form import change

NOW = datetime(2026, 11, 22, 16, 47, tzinfo=UTC)
HOTJAR = {"use": "hotjar", "category": "analytics", "retention": "1y"}


@pytest.fixture
def site(read_site: ReadSite) -> dict[str, Any]:
    """The Smilee file, to be changed."""
    return copy.deepcopy(read_site("smilee"))


def publish(database: Database, site: dict[str, Any]) -> Publication:
    with database.write() as session:
        form = load_site_form(site)
        return publish_version(session, form, source="", author="tests", now=NOW)


def material_since(database: Database) -> int:
    with database.read() as session:
        found = find_site(session, "smilee")
        return find_version(session, found, found.current_version).material_since


def test_publishing_the_same_again_makes_no_version(
    database: Database, site: dict[str, Any]
) -> None:
    assert publish(database, site) == Publication("smilee", 1, False, False, ())
    with database.read() as session:
        assert len(list_versions(session, find_site(session, "smilee"))) == 1


@pytest.mark.parametrize(
    ("path", "value", "changed"),
    [
        ("texts", {"sv": {"heading": "Får vi?"}}, "texts.sv.ui.heading"),
        ("name", "Smilee Oy", "name"),
        ("theme.radius", 4, "theme.radius"),
        ("theme.accent", "#000000", "theme.light.accent"),
        ("origins", ["https://smilee.example"], "origins"),
        ("controller.phone", "+358", "controller.phone"),
        ("services.0.purpose.sv", "Visar chatten.", "texts.sv.services.smilee-chat.purpose"),
        ("services.0.retention", "6mo", "services.smilee-chat.retention"),
        ("valid_days", 200, "valid_days"),
    ],
)
def test_wording_and_looks_ask_nobody_again(
    database: Database, site: dict[str, Any], path: str, value: Any, changed: str
) -> None:
    publication = publish(database, change(site, path, value))
    assert (publication.number, publication.published) == (2, True)
    assert not publication.asks_again
    assert changed in [found.path for found in publication.changes]
    assert material_since(database) == 1


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("controller.name", "Another Oy"),
        ("services.0.category", "analytics"),
        ("ask_again", "2026-11"),
    ],
)
def test_who_and_what_ask_again(
    database: Database, site: dict[str, Any], path: str, value: Any
) -> None:
    publication = publish(database, change(site, path, value))
    assert publication.asks_again
    assert material_since(database) == 2


def test_a_new_service_asks_again_and_its_end_does_not(
    database: Database, site: dict[str, Any]
) -> None:
    more = {**site, "services": [*site["services"], HOTJAR]}
    assert publish(database, more).asks_again
    assert not publish(database, site).asks_again
    assert material_since(database) == 2
    assert publish(database, more).asks_again
    assert material_since(database) == 4


def test_a_published_version_stays_word_for_word(database: Database, site: dict[str, Any]) -> None:
    with database.read() as session:
        before = find_version(session, find_site(session, "smilee"), 1).config
    publish(database, change(site, "name", "Smilee anew"))
    with database.read() as session:
        found = find_site(session, "smilee")
        assert find_version(session, found, 1).config == before
        assert read_config(find_version(session, found, 2))["name"] == "Smilee anew"
        assert [version.number for version in list_versions(session, found)] == [2, 1]


def test_comparing_writes_nothing_and_says_what_publishing_will(
    database: Database, site: dict[str, Any]
) -> None:
    changed = change(site, "name", "Smilee anew")
    with database.read() as session:
        compared = compare_site(session, load_site_form(changed))
        assert session.scalar(select(func.count()).select_from(SiteVersion)) == 5
    assert publish(database, changed) == compared


def test_a_site_that_cannot_be_published_leaves_no_trace(
    database: Database, site: dict[str, Any]
) -> None:
    with pytest.raises(InvalidSite):
        publish(database, change(site, "key", "new-site") | {"languages": ["de"]})
    with database.read() as session, pytest.raises(NotFound):
        find_site(session, "new-site")


def test_a_retired_site_keeps_everything_and_is_revived_by_publishing(
    database: Database, site: dict[str, Any]
) -> None:
    with database.write() as session:
        assert retire_site(session, "smilee", author="tests", now=NOW).retired_at == NOW
    with database.write() as session:
        later = NOW.replace(year=2027)
        assert retire_site(session, "smilee", author="tests", now=later).retired_at == NOW
        assert "smilee" in [found.key for found in list_sites(session)]
    assert not publish(database, site).published
    with database.read() as session:
        assert find_site(session, "smilee").retired_at is None


def test_the_ledger_tells_of_a_site_that_comes_back_as_it_was(
    database: Database, site: dict[str, Any]
) -> None:
    with database.write() as session:
        retire_site(session, "smilee", author="tests", now=NOW)
    publish(database, site)
    with database.read() as session:
        smilee = AdminEvent.site_id == find_site(session, "smilee").id
        acts = [
            (event.action, json.loads(event.details)["version"])
            for event in session.scalars(select(AdminEvent).where(smilee))
        ]
    assert sorted(acts) == [("publish", 1), ("publish", 1), ("retire", 1)]
    publish(database, site)
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(AdminEvent).where(smilee)) == 3


def test_each_version_keeps_the_bytes_of_its_script(
    database: Database, site: dict[str, Any]
) -> None:
    publish(database, change(site, "name", "Smilee anew"))
    with database.read() as session:
        found = find_site(session, "smilee")
        query = select(SiteScript).where(SiteScript.site_id == found.id)
        scripts = list(session.scalars(query.order_by(SiteScript.version, SiteScript.signal)))
        # Each once more for browsers that send GPC, and for those that send DNT.
        kept = [(script.version, script.signal) for script in scripts]
        assert kept == [(number, signal) for number in (1, 2) for signal in ("", "dnt", "gpc")]
        assert find_script(session, found, scripts[0].script_id).body == scripts[0].body
        with pytest.raises(Conflict):
            find_script(session, found, "0" * 16)


@pytest.mark.parametrize("key", ["nowhere", "", "Smilee", "smilee\n", "\x00", "a" * 500])
def test_a_site_that_is_not_there_is_not_found(database: Database, key: str) -> None:
    with database.read() as session, pytest.raises(NotFound):
        find_site(session, key)


@pytest.mark.parametrize("number", [0, -1, 2, 2**31, 2**63, 10**30])
def test_a_version_that_is_not_there_is_not_found(database: Database, number: int) -> None:
    with database.read() as session, pytest.raises(NotFound):
        find_version(session, find_site(session, "smilee"), number)


def test_a_difference_is_named_by_key_and_not_by_place() -> None:
    old = {"services": [{"key": "a", "n": 1}, {"key": "b", "n": 2}], "gone": 1}
    new = {"services": [{"key": "b", "n": 3}, {"key": "c", "n": 4}], "come": [1]}
    found = {change.path: (change.old, change.new) for change in compare_configs(old, new)}
    assert found == {
        "services.a": ({"key": "a", "n": 1}, None),
        "services.b.n": (2, 3),
        "services.c": (None, {"key": "c", "n": 4}),
        "gone": (1, None),
        "come": (None, [1]),
    }


def test_a_new_order_is_a_difference_too() -> None:
    one, other = [{"key": "a"}, {"key": "b"}], [{"key": "b"}, {"key": "a"}]
    (found,) = compare_configs({"list": one}, {"list": other})
    assert found.path == "list (order)"
    assert compare_configs({"list": one}, {"list": one}) == []
