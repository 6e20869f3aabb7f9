"""Versions: every word that was shown, for machines and for people."""

from __future__ import annotations

import hashlib
import json
from html import escape
from typing import Any

import pytest
import rfc8785
from flask.testing import FlaskClient

from tests.api.answers import read_problem
from tests.browser.own_site import describe_service, describe_site
from tests.conftest import ReadSite
from tests.visitor import Visitor

MACHINE, PERSON = {"Accept": "application/json"}, {"Accept": "text/html,*/*;q=0.8"}


def test_a_version_hashes_to_what_receipts_name(visitor: Visitor) -> None:
    receipt = visitor.reject_all().json
    assert receipt is not None
    answer = visitor.client.get(f"{visitor.address}/versions/{receipt['version']}")
    version = json.loads(answer.text)
    assert hashlib.sha256(rfc8785.dumps(version["config"])).hexdigest() == receipt["version_hash"]
    assert version["config_hash"] == receipt["version_hash"]


def test_machines_get_json_and_people_a_page(client: FlaskClient) -> None:
    for path in ("/w/smilee/versions", "/w/smilee/versions/1"):
        assert client.get(path).mimetype == "application/json"
        assert client.get(path, headers=MACHINE).mimetype == "application/json"
        page = client.get(path, headers=PERSON)
        assert page.mimetype == "text/html"
        assert "Accept" in page.headers["Vary"]


@pytest.mark.parametrize("language", ["sv", "fi", "en"])
def test_the_page_shows_every_text_of_a_language(client: FlaskClient, language: str) -> None:
    config = json.loads(client.get("/w/smilee/versions/1", headers=MACHINE).text)["config"]
    page = client.get(f"/w/smilee/versions/1?language={language}", headers=PERSON).text
    words = config["texts"][language]
    shown = [words["ui"]["heading"], words["ui"]["accept_all"], words["ui"]["reject_all"]]
    shown += [category["description"] for category in words["categories"].values()]
    shown += [service["purpose"] for service in words["services"].values()]
    for text in shown:
        assert escape(text, quote=False) in page.replace("&#39;", "'").replace("&#34;", '"')
    assert f'lang="{language}"' in page


def test_no_category_is_said_to_have_no_services(admin: FlaskClient, client: FlaskClient) -> None:
    categories = [{"key": "analytics"}, {"key": "functional"}]
    services = [describe_service("counter", (("cookie", "_one"),))]
    for key, held in (("some", services), ("none", [])):
        site = describe_site("https://shop.example", key, held, categories=categories)
        assert admin.put(f"/api/v1/sites/{key}", json=site).status_code == 200
        page = client.get(f"/w/{key}/versions/1", headers=PERSON).text
        assert "1 service" in page
        assert "0 services" not in page
        assert page.count("off until switched on") == 2
    # What leads from the notice to the settings has a name all the same.
    config = json.loads(client.get("/w/none/versions/1", headers=MACHINE).text)["config"]
    assert config["texts"]["en"]["ui"]["services_link"] == "Cookie settings"


def test_a_language_that_the_site_lacks_falls_back(client: FlaskClient) -> None:
    for query in ("?language=de", "?language=%00", "?language=<script>"):
        page = client.get(f"/w/smilee/versions/1{query}", headers=PERSON)
        assert page.status_code == 200
        assert "<script>" not in page.text


def test_pages_run_nothing_and_load_nothing_from_elsewhere(client: FlaskClient) -> None:
    page = client.get("/w/smilee/versions/1", headers=PERSON)
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


def test_versions_of_a_retired_site_stay_readable(client: FlaskClient, admin: FlaskClient) -> None:
    admin.post("/api/v1/sites/smilee/retire")
    for path in ("/w/smilee/versions", "/w/smilee/versions/1"):
        assert client.get(path).status_code == 200


def test_a_version_that_was_never_published_is_404(client: FlaskClient) -> None:
    for number in (0, 2, 2**31, 2**63):
        read_problem(client.get(f"/w/smilee/versions/{number}"), 404, "not_found")


def _publish_again(admin: FlaskClient, site: dict[str, Any]) -> None:
    """Publish an editorial version 2, then a version 3 with a new service."""
    site["theme"]["accent"] = "#0a4a2a"
    assert admin.put("/api/v1/sites/smilee", json=site).status_code == 200
    site["services"].append(
        {"use": "hotjar", "category": "analytics", "legal_basis": "consent", "retention": "1y"}
    )
    assert admin.put("/api/v1/sites/smilee", json=site).status_code == 200


def test_the_archive_tells_when_each_version_held_and_why_visitors_were_asked(
    client: FlaskClient, admin: FlaskClient, read_site: ReadSite
) -> None:
    _publish_again(admin, read_site("smilee"))
    third, second, first = json.loads(client.get("/w/smilee/versions").text)["versions"]
    assert first["shown_until"] == second["published_at"]
    assert second["shown_until"] == third["published_at"]
    assert third["shown_until"] is None
    assert [one["asked_again"] for one in (first, second, third)] == [True, False, True]
    assert second["changes"] == [{"what": "colours", "key": "", "names": {}}]
    assert second["asked_again_because"] == []
    [added] = third["asked_again_because"]
    assert (added["what"], added["key"]) == ("service_added", "hotjar")
    assert added["names"]["fi"] == "Hotjar"
    one = json.loads(client.get("/w/smilee/versions/3").text)
    assert {name: one[name] for name in third} == third


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("New service: ", "Colours", "Shown since ", "because of this:")),
        ("fi", ("Uusi palvelu: ", "Värit", "Käytössä alkaen ", "koska tämä muuttui:")),
        ("sv", ("Ny tjänst: ", "Färger", "Visas sedan ", "på grund av detta:")),
    ],
)
def test_people_read_in_their_language_what_changed(
    client: FlaskClient,
    admin: FlaskClient,
    read_site: ReadSite,
    language: str,
    words: tuple[str, ...],
) -> None:
    _publish_again(admin, read_site("smilee"))
    archive = client.get(f"/w/smilee/versions?language={language}", headers=PERSON).text
    one = client.get(f"/w/smilee/versions/3?language={language}", headers=PERSON).text
    for text in words:
        assert text in archive
    for text in (words[0], *words[2:]):
        assert text in one
    assert f'href="/w/smilee/versions/2?language={language}"' in one
    assert 'rel="next"' not in one
    assert 'rel="prev"' not in client.get("/w/smilee/versions/1", headers=PERSON).text
