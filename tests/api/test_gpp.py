"""GPP delivery: by the region of whoever asks, for no shared cache, where a site says so."""

from __future__ import annotations

import dataclasses
import gzip
import json
from collections.abc import Iterator
from typing import Any

import brotli
import pytest
from flask.testing import FlaskClient

from consent_server.app import create_app
from consent_server.config import Settings
from tests.api.answers import read_problem
from tests.conftest import API_TOKEN, ReadSite

PATH = "/w/smilee/gpp.js"
UNPACK = {"br": brotli.decompress, "gzip": gzip.decompress}


@pytest.fixture
def client(settings: Settings, read_site: ReadSite) -> Iterator[FlaskClient]:
    """A browser behind a proxy that says where it is; the Smilee site says `gpp`."""
    placed = dataclasses.replace(settings, trusted_proxies=1, region_header="X-Region")
    app = create_app(placed)
    client = app.test_client(use_cookies=False)
    form = read_site("smilee") | {"regime": "by_region", "gpp": True, "sensitive": ["analytics"]}
    token = {"Authorization": f"Bearer {API_TOKEN}"}
    assert client.put("/api/v1/sites/smilee", json=form, headers=token).status_code == 200
    yield client
    app.extensions["consent"].database.close()


def _facts(client: FlaskClient, region: str) -> dict[str, Any]:
    text = client.get(PATH, headers={"X-Region": region}).text.removeprefix("const GPP_FACTS=")
    found: dict[str, Any] = json.JSONDecoder().raw_decode(text)[0]
    return found


@pytest.mark.parametrize(
    ("region", "told"),
    [("US-CA", "US-CA"), ("us-ri", "US-RI"), ("US-NV", ""), ("US", ""), ("DE", ""), ("", "")],
)
def test_it_is_told_in_which_state_the_visitor_is_and_no_other_place(
    client: FlaskClient, region: str, told: str
) -> None:
    assert _facts(client, region) == {
        "region": told,
        "sold_or_shared": ["marketing"],
        "sensitive": ["analytics"],
    }


def test_no_shared_cache_may_keep_what_is_right_for_one_visitor(client: FlaskClient) -> None:
    for region in ("US-CA", "DE", ""):
        answer = client.get(PATH, headers={"X-Region": region})
        assert answer.headers["Cache-Control"] == "private, max-age=300"
        assert {"X-Region", "Accept-Encoding"} <= set(answer.headers["Vary"].split(", "))
    etags = {client.get(PATH, headers={"X-Region": one}).headers["ETag"] for one in ("US-CA", "")}
    assert len(etags) == 2


@pytest.mark.parametrize("encoding", UNPACK)
def test_packed_bytes_unpack_to_the_plain_ones(client: FlaskClient, encoding: str) -> None:
    packed = client.get(PATH, headers={"Accept-Encoding": encoding})
    assert packed.headers["Content-Encoding"] == encoding
    assert UNPACK[encoding](packed.data) == client.get(PATH).data


def test_pages_of_other_origins_may_import_it(client: FlaskClient) -> None:
    first = client.get(PATH)
    assert first.content_type == "text/javascript; charset=utf-8"
    assert first.headers["Access-Control-Allow-Origin"] == "*"
    again = client.get(PATH, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_a_site_that_does_not_say_so_has_none(client: FlaskClient) -> None:
    read_problem(client.get("/w/getjenny/gpp.js"), 404, "not_found")
    read_problem(client.get("/w/nobody/gpp.js"), 404, "not_found")
