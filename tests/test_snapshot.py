"""Snapshots: complete, canonical, and the same for the same description."""

from __future__ import annotations

import copy
import hashlib
import json
from typing import Any

import pytest
import rfc8785

from consent_server.site_form import load_site_form
from consent_server.snapshot import build_snapshot, hash_config, hash_material, material_facts
from consent_server.texts import UI_TEXTS
from tests.conftest import ReadSite
from tests.test_site_form import change

SITES = ["getjenny", "jackbot", "jiminny", "smilee", "ujet"]


def snapshot(site: dict[str, Any]) -> dict[str, Any]:
    return build_snapshot(load_site_form(copy.deepcopy(site)))


@pytest.mark.parametrize("key", SITES)
def test_the_same_description_gives_the_same_bytes(read_site: ReadSite, key: str) -> None:
    one, other = snapshot(read_site(key)), snapshot(read_site(key))
    assert hash_config(one) == hash_config(other)
    assert hash_config(one) == hashlib.sha256(rfc8785.dumps(one)).hexdigest()
    assert json.loads(rfc8785.dumps(one)) == one


@pytest.mark.parametrize("key", SITES)
def test_every_text_is_there_in_every_language(read_site: ReadSite, key: str) -> None:
    config = snapshot(read_site(key))
    services = [service["key"] for service in config["services"]]
    categories = [category["key"] for category in config["categories"]]
    assert list(config["texts"]) == config["languages"]
    for words in config["texts"].values():
        assert set(UI_TEXTS) <= set(words["ui"])
        assert list(words["services"]) == services
        assert list(words["categories"]) == categories
        for place in (words["ui"], *words["categories"].values()):
            # Nothing of jiminny's is sold or shared, so that a signal refuses nothing there.
            empty = {"honoured"} if key == "jiminny" else set()
            assert {name for name in place if not place[name]} == empty & set(place), place
        for service in words["services"].values():
            assert service["name"]
            assert service["purpose"]
            assert service["retention"]


@pytest.mark.parametrize("key", SITES)
def test_every_service_stands_in_exactly_one_category(read_site: ReadSite, key: str) -> None:
    config = snapshot(read_site(key))
    placed = [service for category in config["categories"] for service in category["services"]]
    assert sorted(placed) == sorted(service["key"] for service in config["services"])


def test_our_own_cookie_is_named_as_a_necessary_service(read_site: ReadSite) -> None:
    config = snapshot(read_site("smilee"))
    first = config["services"][0]
    assert (first["key"], first["category"]) == ("consent-record", "necessary")
    assert "consent_smilee" in [item["name"] for item in first["items"]]
    assert config["categories"][0] == {"key": "necessary", "services": ["consent-record"]}


def test_what_visitors_are_told_can_be_replaced_but_buttons_cannot(read_site: ReadSite) -> None:
    site = change(read_site("smilee"), "texts", {"fi": {"heading": "Saammeko, {name}?"}})
    config = snapshot(site)
    assert config["texts"]["fi"]["ui"]["heading"] == "Saammeko, Smilee?"
    assert config["texts"]["fi"]["ui"]["reject_all"] == "Hylkää kaikki"


def test_braces_of_an_owner_reach_nothing_of_the_server(read_site: ReadSite) -> None:
    hostile = "{name.__class__} {0} {controller!r} {unknown}"
    site = change(read_site("smilee"), "texts", {"en": {"heading": hostile}})
    assert snapshot(site)["texts"]["en"]["ui"]["heading"] == hostile


def test_the_form_that_was_given_stays_as_it_was(read_site: ReadSite) -> None:
    form = load_site_form(read_site("smilee"))
    before = copy.deepcopy(form)
    build_snapshot(form)
    assert form == before


def test_facts_do_not_depend_on_order_or_wording(read_site: ReadSite) -> None:
    site = read_site("smilee")
    turned = {**site, "services": site["services"][::-1], "categories": site["categories"][::-1]}
    worded = change(site, "services.0.purpose.sv", "Annat.")
    assert material_facts(snapshot(turned)) == material_facts(snapshot(site))
    assert hash_material(snapshot(worded)) == hash_material(snapshot(site))
    assert hash_config(snapshot(worded)) != hash_config(snapshot(site))


def test_how_long_records_are_kept_is_in_the_snapshot_only_where_it_is_said(
    read_site: ReadSite,
) -> None:
    form = read_site("smilee")
    silent = build_snapshot(load_site_form(form))
    empty = build_snapshot(load_site_form({**form, "keep_records": ""}))
    told = build_snapshot(load_site_form({**form, "keep_records": "2y"}))
    assert "keep_records" not in silent
    assert empty == silent
    assert told == {**silent, "keep_records": "2y"}
