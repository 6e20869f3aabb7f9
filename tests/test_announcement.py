"""Announcement: told in every language, in the version, and asked of nobody."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from consent_server.cores import read_core
from consent_server.errors import InvalidForm, InvalidSite
from consent_server.packing import pack_script
from consent_server.site_form import load_site_form
from consent_server.snapshot import build_snapshot, hash_material
from consent_server.widget import added_parts, compose_script, read_forms
from tests.conftest import ReadSite

Site = dict[str, Any]


@pytest.fixture
def site(read_site: ReadSite) -> Site:
    """The Smilee site with a change that is coming."""
    found = copy.deepcopy(read_site("smilee"))
    words = {"sv": "Ny leverantör.", "fi": "Uusi toimittaja.", "en": "A new provider."}
    found["announcement"] = {"date": "2027-02-01", "text": words}
    return found


def snapshot(site: Site) -> Site:
    return build_snapshot(load_site_form(copy.deepcopy(site)))


def test_it_is_told_for_thirty_days_unless_said_otherwise(site: Site) -> None:
    told = snapshot(site)["announcement"]
    assert (told["shown_from"], told["date"]) == ("2027-01-02", "2027-02-01")
    site["announcement"]["days"] = 7
    assert snapshot(site)["announcement"]["shown_from"] == "2027-01-25"


def test_every_word_of_it_is_in_the_version(site: Site) -> None:
    told = snapshot(site)["announcement"]["texts"]
    assert told == {
        "sv": {"text": "Ny leverantör.", "close": "Stäng"},
        "fi": {"text": "Uusi toimittaja.", "close": "Sulje"},
        "en": {"text": "A new provider.", "close": "Close"},
    }


def test_what_closing_it_leaves_in_the_browser_is_told_like_every_other_item(site: Site) -> None:
    [record] = [one for one in snapshot(site)["services"] if one["key"] == "consent-record"]
    assert {
        "kind": "session_storage",
        "name": "consent_smilee_announcement",
        "lifetime": "session",
    } in record["items"]


def test_it_asks_nobody_again(site: Site) -> None:
    announced = snapshot(site)
    del site["announcement"]
    assert hash_material(announced) == hash_material(snapshot(site))
    assert "announcement" not in snapshot(site)


def test_only_its_own_site_pays_for_it(site: Site) -> None:
    announced = compose_script(snapshot(site), 1, 1)
    del site["announcement"]
    plain = compose_script(snapshot(site), 1, 1)
    added = added_parts(snapshot(site))
    assert read_core("news", "announced", added=added) in announced.body.decode()
    assert read_core(added=added) in plain.body.decode()
    known = json.loads(plain.body.decode().rpartition("})(")[2].removesuffix(");"))
    assert read_forms()["announcement"] not in known["css"]
    assert len(pack_script(announced).brotli) <= len(pack_script(plain).brotli) + 800


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"date": "2027-02-30"}, "announcement.date"),
        ({"text": {"sv": "Snart."}}, "announcement.text.fi"),
        ({"text": dict.fromkeys(["sv", "fi", "en", "de"], "Bald.")}, "announcement.text.de"),
    ],
)
def test_what_cannot_be_told_is_refused_by_its_field(
    site: Site, change: dict[str, Any], path: str
) -> None:
    site["announcement"] |= change
    with pytest.raises(InvalidSite) as caught:
        snapshot(site)
    assert path in (caught.value.errors or {})


@pytest.mark.parametrize("change", [{"date": "soon"}, {"days": 0}, {"days": 181}, {"ask": True}])
def test_what_has_another_form_is_refused(site: Site, change: dict[str, Any]) -> None:
    with pytest.raises(InvalidForm):
        load_site_form({**site, "announcement": site["announcement"] | change})
