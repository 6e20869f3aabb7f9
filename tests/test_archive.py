"""Archive: dates without gaps, and no difference that is not told in a word."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from consent_server.archive import (
    Fact,
    archive_version,
    archive_versions,
    describe_changes,
    describe_reasons,
)
from consent_server.site_form import SiteForm, load_site_form
from consent_server.sites import (
    compare_configs,
    find_site,
    list_versions,
    publish_version,
    retire_site,
)
from consent_server.snapshot import build_snapshot
from consent_server.store.database import Database
from tests.conftest import ReadSite

Site = dict[str, Any]
Change = Callable[[Site], Any]
START = datetime(2027, 1, 1, tzinfo=UTC)

HOTJAR = {"use": "hotjar", "category": "analytics", "legal_basis": "consent", "retention": "1y"}
#: Each change of a site file, what it is called, and whether visitors are asked again.
CHANGES: dict[str, tuple[Change, set[tuple[str, str]], bool]] = {
    "a new service": (
        lambda site: site["services"].append(HOTJAR),
        {("service_added", "hotjar")},
        True,
    ),
    "a service less": (
        lambda site: site["services"].pop(),
        {("service_removed", "meta-pixel")},
        False,
    ),
    "another category": (
        lambda site: site["services"][0].update(category="analytics"),
        {("service_moved", "smilee-chat")},
        True,
    ),
    "a longer retention": (
        lambda site: site["services"][1].update(retention="26mo"),
        {("service_retention", "google-analytics")},
        False,
    ),
    "another host": (
        lambda site: site["services"][0].update(hosts=["chat.example.com"]),
        {("service_addresses", "smilee-chat")},
        False,
    ),
    "another purpose": (
        lambda site: site["services"][0]["purpose"].update(fi="Näyttää keskustelun."),
        {("wording", "fi")},
        False,
    ),
    "another order of services": (
        lambda site: site["services"].reverse(),
        {("order", "")},
        False,
    ),
    "another order of languages": (
        lambda site: site["languages"].reverse(),
        {("order", "")},
        False,
    ),
    "a language less": (
        lambda site: _drop_language(site, "fi"),
        {("language_removed", "fi")},
        False,
    ),
    "a text": (
        lambda site: site.update(texts={"sv": {"heading": "Får vi?"}}),
        {("wording", "sv")},
        False,
    ),
    "a regime by region, with its own words on it": (
        lambda site: site.update(
            regime="by_region",
            regions={"BR": "notice_only"},
            sold_or_shared=["marketing", "analytics"],
            sensitive=["functional"],
            exempt=[],
            do_not_track=False,
        ),
        {("regime", ""), ("service_items", "consent-record"), ("wording", "en")},
        False,
    ),
    "a name": (lambda site: site.update(name="Smile"), {("name", "")}, False),
    "another controller": (
        lambda site: site["controller"].update(name="Kommeet Ab"),
        {
            ("controller", ""),
            ("service_recipients", "consent-record"),
            ("wording", "en"),
            ("wording", "fi"),
            ("wording", "sv"),
        },
        True,
    ),
    "an authority": (
        lambda site: site["supervisory_authority"].update(name="Integritetsskyddsmyndigheten"),
        {("contacts", "")},
        False,
    ),
    "a policy": (lambda site: site["links"].update(policy="/dataskydd"), {("links", "")}, False),
    "everybody anew": (lambda site: site.update(ask_again="2027"), {("ask_again", "")}, True),
    "longer validity": (
        lambda site: site.update(valid_days=200),
        {
            ("valid_days", ""),
            ("service_retention", "consent-record"),
            ("service_items", "consent-record"),
        },
        False,
    ),
    "records kept for a time": (
        lambda site: site.update(keep_records="3y"),
        {("keep_records", "")},
        False,
    ),
    "an origin": (
        lambda site: site["origins"].append("https://www.example.com"),
        {("site_addresses", "")},
        False,
    ),
    "a domain": (
        lambda site: site.update(cookie_domain="example.com"),
        {("site_addresses", "")},
        False,
    ),
    "visitors who sign in": (
        lambda site: site.update(identify=True),
        {("site_addresses", ""), ("wording", "en"), ("wording", "fi"), ("wording", "sv")},
        True,
    ),
    "another domain": (
        lambda site: site.update(hand_over=site["origins"][:1]),
        {("site_addresses", ""), ("wording", "en"), ("wording", "fi"), ("wording", "sv")},
        True,
    ),
    "an announcement": (
        lambda site: site.update(
            announcement={"date": "2027-02-01", "text": dict.fromkeys(site["languages"], "Soon.")}
        ),
        {("announcement", ""), ("service_items", "consent-record")},
        False,
    ),
    "the gate": (lambda site: site.update(blocking="gate"), {("technique", "")}, False),
    "pages for children": (
        lambda site: site.update(children="pages"),
        {("regime", ""), ("wording", "en"), ("wording", "fi"), ("wording", "sv")},
        False,
    ),
    "what advertising code is told": (
        lambda site: site.update(
            signals=["google_consent_mode"],
            consent_mode={"wait_for_update": 100},
            gpp=True,
        ),
        {("technique", "")},
        False,
    ),
    "the form": (lambda site: site["theme"].update(form="bar"), {("form", "")}, False),
    "a colour": (lambda site: site["theme"].update(accent="#0a4a2a"), {("colours", "")}, False),
    "the corner": (
        lambda site: site["theme"].update(position="bottom_right"),
        {("looks", "")},
        False,
    ),
}


def _drop_language(site: Site, language: str) -> None:
    site["languages"].remove(language)
    for service in site["services"]:
        del service["purpose"][language]


def _both(site: Site, change: Change) -> tuple[Site, Site]:
    changed = copy.deepcopy(site)
    change(changed)
    old, new = (build_snapshot(load_site_form(copy.deepcopy(one))) for one in (site, changed))
    return old, new


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_called_what_it_is(read_site: ReadSite, name: str) -> None:
    change, expected, asks = CHANGES[name]
    old, new = _both(read_site("smilee"), change)
    assert compare_configs(old, new), "something did change"
    found = {(fact.what, fact.key) for fact in describe_changes(old, new)}
    assert {one for one in found if one[0] != "wording"} == {
        one for one in expected if one[0] != "wording"
    }
    assert {one for one in expected if one[0] == "wording"} <= found
    assert bool(describe_reasons(old, new)) is asks


def test_every_field_of_a_site_file_is_among_the_changes_above(read_site: ReadSite) -> None:
    """No field may change without a word: a new one must be added here."""
    silent = {"key", "categories", "compatible", "compatible_names", "import_decisions"}
    silent |= {"allowed_hosts", "data_protection"}
    touched = set()
    for change, _, _ in CHANGES.values():
        site = copy.deepcopy(read_site("smilee"))
        change(site)
        touched |= {name for name in site if site[name] != read_site("smilee").get(name)}
    assert touched == set(SiteForm().fields) - silent


def test_a_new_recipient_of_a_known_service_is_a_reason(read_site: ReadSite) -> None:
    [old] = [build_snapshot(load_site_form(read_site("smilee")))]
    new = copy.deepcopy(old)
    new["services"][1]["processors"].append({"name": "Another Ltd", "country": "GB"})
    new["services"][2]["transfers"].append("IN")
    keys = [new["services"][place]["key"] for place in (1, 2)]
    assert {(fact.what, fact.key) for fact in describe_reasons(old, new)} == {
        ("service_recipients", keys[0]),
        ("service_countries", keys[1]),
    }
    assert {(fact.what, fact.key) for fact in describe_changes(old, new)} == {
        ("service_recipients", keys[0]),
        ("service_countries", keys[1]),
    }


def test_a_new_service_is_named_once_in_every_language(read_site: ReadSite) -> None:
    old, new = _both(read_site("smilee"), lambda site: site["services"].append(HOTJAR))
    assert describe_reasons(old, new) == [Fact("service_added", "hotjar")]
    [fact] = describe_reasons(old, new)
    assert fact.names == {"sv": "Hotjar", "fi": "Hotjar", "en": "Hotjar"}


def test_versions_follow_each_other_without_a_gap(database: Database, read_site: ReadSite) -> None:
    site_file = read_site("smilee")
    for days, text in enumerate(["a", "b", "c"]):
        form = load_site_form(copy.deepcopy(site_file) | {"ask_again": text})
        with database.write() as session:
            now = START + timedelta(days=days)
            publish_version(session, form, source="", author="tests", now=now)
    with database.write() as session:
        retire_site(session, "smilee", author="tests", now=START + timedelta(days=9))
    with database.read() as session:
        site = find_site(session, "smilee")
        found = archive_versions(session, site, list_versions(session, site))
        assert [one.version.number for one in found] == [4, 3, 2, 1]
        assert found[0].until == START + timedelta(days=9)
        for later, earlier in pairwise(found):
            assert earlier.until == later.version.published_at
        assert [one.asked_again for one in found] == [True] * 4
        assert found[-1].is_first
        assert [archive_version(session, site, number).changes for number in (4, 3, 2, 1)] == [
            one.changes for one in found
        ]


def test_a_version_was_not_shown_while_the_site_was_retired(
    database: Database, read_site: ReadSite
) -> None:
    def publish(text: str, days: int) -> None:
        form = load_site_form(copy.deepcopy(read_site("smilee")) | {"ask_again": text})
        with database.write() as session:
            now = START + timedelta(days=days)
            publish_version(session, form, source="", author="tests", now=now)

    def retire(days: int) -> None:
        with database.write() as session:
            retire_site(session, "smilee", author="tests", now=START + timedelta(days=days))

    publish("a", 1)
    retire(2)
    publish("a", 3)  # as it was: it comes back
    publish("b", 5)
    retire(6)
    publish("c", 8)
    with database.read() as session:
        site = find_site(session, "smilee")
        found = archive_versions(session, site, list_versions(session, site))
        until = {one.version.number: one.until for one in found}
        assert until.pop(4) is None
        assert until == {
            number: START + timedelta(days=day) for number, day in ((1, 1), (2, 5), (3, 6))
        }
        for number, one in until.items():
            assert archive_version(session, site, number).until == one
