"""Diagnosis delivery: for the version that is published now, in each encoding, with every word."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import Any

import brotli
import pytest
from flask.testing import FlaskClient

from consent_server.catalogue import load_catalogue
from consent_server.diagnosis_texts import DIAGNOSIS_TEXTS
from tests.api.answers import read_problem
from tests.conftest import ReadSite

PATH = "/w/smilee/diagnose.js"
SOURCES = Path(__file__).parents[2] / "widget" / "src" / "diagnose"
UNPACK = {"br": brotli.decompress, "gzip": gzip.decompress}


def _facts(client: FlaskClient) -> dict[str, Any]:
    text = client.get(PATH).text.removeprefix("const FACTS=")
    found: dict[str, Any] = json.JSONDecoder().raw_decode(text)[0]
    return found


@pytest.mark.parametrize("encoding", UNPACK)
def test_packed_bytes_unpack_to_the_plain_ones(client: FlaskClient, encoding: str) -> None:
    packed = client.get(PATH, headers={"Accept-Encoding": encoding})
    assert packed.headers["Content-Encoding"] == encoding
    assert UNPACK[encoding](packed.data) == client.get(PATH).data


def test_it_fits_into_forty_kilobytes(client: FlaskClient) -> None:
    assert len(client.get(PATH, headers={"Accept-Encoding": "br"}).data) < 40_000


def test_pages_of_other_origins_may_import_it_and_always_ask_for_the_newest(
    client: FlaskClient,
) -> None:
    first = client.get(PATH)
    assert first.content_type == "text/javascript; charset=utf-8"
    assert first.headers["Access-Control-Allow-Origin"] == "*"
    assert first.headers["Cache-Control"] == "public, no-cache"
    again = client.get(PATH, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_it_follows_what_is_published(
    client: FlaskClient, admin: FlaskClient, read_site: ReadSite
) -> None:
    assert _facts(client)["version"] == 1
    form = read_site("smilee") | {"origins": ["https://www.example.com"]}
    assert admin.put("/api/v1/sites/smilee", json=form).status_code == 200
    facts = _facts(client)
    assert (facts["version"], facts["origins"]) == (2, ["https://www.example.com"])


def test_it_knows_the_site_and_the_whole_catalogue(client: FlaskClient) -> None:
    services = _facts(client)["services"]
    assert set(load_catalogue()) <= set(services)
    own = {key for key, service in services.items() if service["in_site"]}
    assert {"google-analytics", "smilee-chat", "consent-record"} <= own
    assert "hotjar" not in own
    assert "*.hotjar.com" in services["hotjar"]["patterns"]
    assert "c_ga_*" in services["google-analytics"]["items"]


def test_a_site_that_is_not_published_has_none(client: FlaskClient) -> None:
    read_problem(client.get("/w/nobody/diagnose.js"), 404, "not_found")


def test_every_word_that_the_panel_asks_for_is_there_in_each_language(client: FlaskClient) -> None:
    source = "".join(file.read_text("utf-8") for file in sorted(SOURCES.glob("*.ts")))
    asked = set(re.findall(r"(?:word|fill)\(\"(\w+)\"[,)]", source))
    checks = set(re.findall(r'\["(\w+)", "(?:error|warning|advice)"', source)) - {"error"}
    assert checks | {"csp_connect", "server_away"} == {
        name.removeprefix("check_") for name in DIAGNOSIS_TEXTS if name.startswith("check_")
    }
    assert {name for name in asked if not name.endswith("_")} <= {*DIAGNOSIS_TEXTS, "direction"}
    texts = _facts(client)["texts"]
    # Those of the site, and English for an owner who reads none of them.
    assert set(texts) == {"en", "fi", "sv"}
    for language in texts:
        assert set(texts[language]) == {*DIAGNOSIS_TEXTS, "direction"}
