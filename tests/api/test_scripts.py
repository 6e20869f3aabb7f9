"""Script delivery: the same bytes however they are packed, and cached as long as they are true."""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import json

import brotli
import pytest
from flask.testing import FlaskClient

from consent_server.app import create_app
from consent_server.config import Settings
from tests.api.answers import read_problem
from tests.conftest import ReadSite
from tests.visitor import Visitor

PATH = "/w/smilee.js"
SITES = ["getjenny", "jackbot", "jiminny", "smilee", "ujet"]
UNPACK = {"br": brotli.decompress, "gzip": gzip.decompress}


@pytest.mark.parametrize("site", SITES)
@pytest.mark.parametrize("encoding", ["br", "gzip"])
def test_packed_bytes_unpack_to_the_plain_ones(
    client: FlaskClient, site: str, encoding: str
) -> None:
    plain = client.get(f"/w/{site}.js")
    packed = client.get(f"/w/{site}.js", headers={"Accept-Encoding": encoding})
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == encoding
    assert UNPACK[encoding](packed.data) == plain.data
    assert len(packed.data) < len(plain.data) / 2


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        ("gzip, deflate, br, zstd", "br"),
        ("gzip, deflate", "gzip"),
        ("br;q=0, gzip", "gzip"),
        ("br;q=0, gzip;q=0", None),
        ("identity", None),
        ("", None),
        ("*", "br"),
        ("nonsense;q=x", None),
    ],
)
def test_the_smallest_encoding_that_is_accepted_is_sent(
    client: FlaskClient, accepted: str, encoding: str | None
) -> None:
    answer = client.get(PATH, headers={"Accept-Encoding": accepted})
    assert answer.headers.get("Content-Encoding") == encoding
    assert "Accept-Encoding" in answer.headers["Vary"]


@pytest.mark.parametrize("encoding", ["br", "gzip", "identity"])
@pytest.mark.parametrize("immutable", [False, True])
def test_a_copy_that_is_current_is_304_in_each_encoding(
    client: FlaskClient, encoding: str, immutable: bool
) -> None:
    path = PATH
    if immutable:
        path = f"/w/smilee/{hashlib.sha256(client.get(PATH).data).hexdigest()}.js"
    accepted = {"Accept-Encoding": encoding}
    first = client.get(path, headers=accepted)
    again = client.get(path, headers={**accepted, "If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    for name in ("ETag", "Cache-Control", "Vary"):
        assert again.headers[name] == first.headers[name]
    changed = client.get(path, headers={**accepted, "If-None-Match": '"another"'})
    assert (changed.status_code, changed.data) == (200, first.data)


def test_each_encoding_has_a_tag_of_its_own(client: FlaskClient) -> None:
    tags = {
        client.get(PATH, headers={"Accept-Encoding": encoding}).headers["ETag"]
        for encoding in ("br", "gzip", "identity")
    }
    assert len(tags) == 3


def test_a_tag_of_another_encoding_is_not_taken_for_a_copy(client: FlaskClient) -> None:
    tag = client.get(PATH, headers={"Accept-Encoding": "gzip"}).headers["ETag"]
    answer = client.get(PATH, headers={"Accept-Encoding": "br", "If-None-Match": tag})
    assert answer.status_code == 200


def test_any_page_may_embed_it_and_no_browser_may_guess_its_type(client: FlaskClient) -> None:
    answer = client.get(PATH)
    assert answer.content_type == "text/javascript; charset=utf-8"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_head_tells_the_length_without_the_body(client: FlaskClient) -> None:
    head, got = client.head(PATH), client.get(PATH)
    assert (head.status_code, head.data) == (200, b"")
    assert head.headers["Content-Length"] == str(len(got.data))


def test_the_pointer_is_fresh_for_minutes_and_the_twin_for_ever(client: FlaskClient) -> None:
    pointer = client.get(PATH)
    twin = client.get(f"/w/smilee/{hashlib.sha256(pointer.data).hexdigest()}.js")
    assert twin.data == pointer.data
    assert "max-age=300" in pointer.headers["Cache-Control"]
    assert "stale-while-revalidate" in pointer.headers["Cache-Control"]
    assert twin.headers["Cache-Control"] == "public, max-age=31536000, immutable"


def test_the_twin_of_an_older_version_stays_what_it_was(
    client: FlaskClient, admin: FlaskClient, read_site: ReadSite
) -> None:
    old = client.get(PATH).data
    form = read_site("smilee") | {"name": "Smilee anew"}
    assert admin.put("/api/v1/sites/smilee", json=form).status_code == 200
    assert client.get(PATH).data != old
    kept = client.get(f"/w/smilee/{hashlib.sha256(old).hexdigest()}.js")
    assert kept.data == old
    assert kept.headers["Cache-Control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize("name", ["0" * 64, "F" * 64, "0" * 63, "0" * 65, "latest"])
def test_a_hash_that_was_never_served_is_404(client: FlaskClient, name: str) -> None:
    read_problem(client.get(f"/w/smilee/{name}.js"), 404, "not_found")


def test_the_twin_of_one_site_is_not_another_sites(client: FlaskClient) -> None:
    name = hashlib.sha256(client.get(PATH).data).hexdigest()
    read_problem(client.get(f"/w/jackbot/{name}.js"), 404)


def test_a_retired_site_serves_no_script(client: FlaskClient, admin: FlaskClient) -> None:
    assert client.get(PATH).status_code == 200
    admin.post("/api/v1/sites/smilee/retire")
    read_problem(client.get(PATH), 404)


def test_no_text_of_a_site_can_end_the_script(
    client: FlaskClient, admin: FlaskClient, read_site: ReadSite
) -> None:
    hostile = "</script><script>alert(1)</script>\u2028\u2029<!--"
    form = read_site("smilee")
    form["texts"] = {"en": {"heading": hostile}}
    answer = admin.put("/api/v1/sites/smilee", json=form)
    assert answer.status_code == 200, answer.text
    script = client.get(PATH).text
    configuration = script.rpartition("})(")[2].removesuffix(");")
    assert "alert(1)" in json.dumps(json.loads(configuration))


def test_the_public_path_is_the_operators_choice(settings: Settings) -> None:
    app = create_app(dataclasses.replace(settings, widget_path="/assets/s"))
    visitor = Visitor(app.test_client(use_cookies=False), widget_path="/assets/s")
    assert visitor.accept_all().status_code == 201
    read_problem(visitor.client.get(PATH), 404)
    app.extensions["consent"].database.close()


def test_no_block_list_word_stands_in_the_public_path() -> None:
    assert not {"cookie", "consent", "gdpr", "banner"} & set(PATH.split("/"))
