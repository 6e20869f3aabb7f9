"""Regimes over HTTP: whose script is served, to whom it may be kept, and what is recorded of it."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from consent_server.app import create_app
from consent_server.config import Settings
from consent_server.site_form import load_site_form
from consent_server.sites import publish_version
from consent_server.store.database import Database
from tests.conftest import ReadSite
from tests.test_regions import write_database
from tests.visitor import Visitor

HEADER = "X-Region"
Connect = Callable[..., FlaskClient]


@pytest.fixture
def connect(settings: Settings, read_site: ReadSite) -> Iterator[Connect]:
    """Connects to a server where the region of a visitor of Smilee decides."""
    database, opened = Database(settings.database_url), []
    with database.write() as session:
        form = load_site_form(
            {**read_site("smilee"), "regime": "by_region", "sensitive": ["functional"]}
        )
        publish_version(session, form, source="", author="tests", now=datetime.now(UTC))
    database.close()

    def start(**fields: Any) -> FlaskClient:
        defaults = {"region_header": HEADER, "trusted_proxies": 1}
        app = create_app(dataclasses.replace(settings, **{**defaults, **fields}))
        opened.append(app)
        return app.test_client(use_cookies=False)

    yield start
    for app in opened:
        app.extensions["consent"].database.close()


def config_of(answer: TestResponse) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = json.loads(answer.text.rpartition("})(")[2].removesuffix(");"))
    return found


def fetch(client: FlaskClient, region: str = "", **headers: str) -> TestResponse:
    told = {HEADER: region} if region else {}
    return client.get("/w/smilee.js", headers={**told, **headers})


def regime_of(answer: TestResponse) -> str:
    return str(config_of(answer).get("regime", {}).get("name", "opt_in"))


@pytest.mark.parametrize(
    ("region", "regime"),
    [
        ("DE", "opt_in"),
        ("GB", "exempt_analytics"),
        ("US-CA", "opt_out"),
        ("US", "opt_in"),
        ("", "opt_in"),
        ("XX", "opt_in"),
    ],
)
def test_the_script_follows_the_region_and_asks_first_where_nobody_knows_it(
    connect: Connect, region: str, regime: str
) -> None:
    assert regime_of(fetch(connect(), region)) == regime


def test_a_header_of_the_visitors_own_decides_nothing(connect: Connect) -> None:
    answer = fetch(connect(trusted_proxies=0), "US-CA")
    assert regime_of(answer) == "opt_in"
    assert HEADER not in answer.headers["Vary"]


def test_caches_are_told_what_the_script_depends_on(connect: Connect) -> None:
    client = connect()
    for region in ("", "DE", "US-CA"):
        vary = {name.strip() for name in fetch(client, region).headers["Vary"].split(",")}
        assert {"Accept-Encoding", "Sec-GPC", "DNT", HEADER} <= vary


def test_a_cache_that_ignores_vary_may_keep_the_strictest_script_only(connect: Connect) -> None:
    client = connect()
    strictest = fetch(client, "DE")
    assert strictest.headers["Cache-Control"].startswith("public, max-age=300")
    for other in (
        fetch(client, "US-CA"),
        fetch(client, "GB"),
        fetch(client, "DE", **{"Sec-GPC": "1"}),
    ):
        assert other.headers["Cache-Control"].startswith("private, max-age=300")
        assert other.data != strictest.data


def test_nobody_may_keep_what_an_address_decided(connect: Connect, tmp_path: Path) -> None:
    file = write_database(tmp_path / "regions.mmdb")
    client = connect(region_database=file)
    at = {"environ_base": {"REMOTE_ADDR": "192.0.2.7"}}
    answer = client.get("/w/smilee.js", **at)
    assert regime_of(answer) == "opt_out"
    assert answer.headers["Cache-Control"].startswith("private")
    german = client.get("/w/smilee.js", environ_base={"REMOTE_ADDR": "192.0.2.200"})
    assert regime_of(german) == "opt_in"
    assert german.headers["Cache-Control"].startswith("private")


def test_a_site_with_one_regime_locates_nobody(connect: Connect) -> None:
    answer = connect().get("/w/jackbot.js", headers={HEADER: "US-CA"})
    assert regime_of(answer) == "opt_in"
    assert HEADER not in answer.headers["Vary"]
    assert answer.headers["Cache-Control"].startswith("public")


def test_each_script_has_its_immutable_twin(connect: Connect) -> None:
    client = connect()
    found = set()
    for region in ("DE", "GB", "US-CA"):
        for headers in ({}, {"Sec-GPC": "1"}, {"DNT": "1"}):
            served = fetch(client, region, **headers)
            config_of(served)
            digest = hashlib.sha256(served.data).hexdigest()
            twin = client.get(f"/w/smilee/{digest}.js")
            assert twin.data == served.data
            assert "immutable" in twin.headers["Cache-Control"]
            found.add(digest)
    assert len(found) == 9


@pytest.mark.parametrize("header", ["Sec-GPC", "DNT"])
def test_only_whoever_sends_a_signal_reads_of_it_where_all_are_asked_first(
    connect: Connect, header: str
) -> None:
    client, honoured = connect(), "Opt-out request honoured: Marketing."
    for region, signal, is_told in (
        ("DE", "", False),
        ("DE", "1", True),
        ("US-CA", "", True),
        ("US-CA", "1", True),
    ):
        answer = fetch(client, region, **{header: signal})
        assert (honoured in answer.text) == is_told, (region, signal)


@pytest.mark.parametrize(("value", "told"), [("1", "gpc"), ("0", None), ("true", None), ("", None)])
def test_section_4_3_only_the_exact_header_is_a_signal(
    connect: Connect, value: str, told: str | None
) -> None:
    answer = fetch(connect(), "DE", **{"Sec-GPC": value})
    assert config_of(answer).get("signal") == told


class Located(Visitor):
    """A visitor in a region, whose browser may send signals."""

    headers: dict[str, str]

    def read_script(self) -> dict[str, Any]:
        return config_of(self.client.get("/w/smilee.js", headers=self.headers))

    def record(self, *services: str, **changes: Any) -> TestResponse:
        return self.send(self.decision(*services, **changes), headers=self.headers)


def visit(client: FlaskClient, region: str, **headers: str) -> Located:
    found = Located(client)
    found.headers = {HEADER: region, **headers}
    return found


ALL_BUT_SOLD = ("smilee-chat", "google-analytics")


def test_section_1_3_a_gpc_row_tells_of_the_signal_its_header_region_and_regime(
    connect: Connect,
) -> None:
    visitor = visit(connect(), "US-CA", **{"Sec-GPC": "1"})
    answer = visitor.record(*ALL_BUT_SOLD, method="gpc", layer="signal", signal="gpc")
    assert answer.status_code == 201, answer.text
    receipt = answer.json
    assert (receipt["kind"], receipt["method"], receipt["layer"]) == ("refused", "gpc", "signal")
    assert (receipt["regime"], receipt["region"]) == ("opt_out", "US-CA")
    assert receipt["signals"] == {"gpc": "header", "region": "header"}
    assert receipt["grants"]["marketing"] is False
    assert receipt["grants"]["analytics"] is True


def test_a_signal_that_only_the_page_saw_is_told_as_such(connect: Connect) -> None:
    visitor = visit(connect(), "US-CA")
    answer = visitor.record(*ALL_BUT_SOLD, method="dnt", layer="signal", signal="dnt")
    assert answer.json["signals"] == {"dnt": "property", "region": "header"}


def test_a_header_is_recorded_also_where_the_page_says_nothing(connect: Connect) -> None:
    visitor = visit(connect(), "DE", DNT="1")
    answer = visitor.record()
    assert answer.json["signals"] == {"dnt": "header", "region": "header"}
    assert answer.json["regime"] == "opt_in"


def test_section_1_3_gpc_never_grants(connect: Connect) -> None:
    visitor = visit(connect(), "US-CA", **{"Sec-GPC": "1"})
    for sold in ("mailchimp", "linkedin-insight", "meta-pixel"):
        answer = visitor.record(*ALL_BUT_SOLD, sold, method="gpc", layer="signal", signal="gpc")
        assert answer.status_code == 409


def test_an_opt_out_is_valid_for_more_than_twelve_months(connect: Connect) -> None:
    client = connect()
    american = visit(client, "US-CA").record(*ALL_BUT_SOLD, method="opt_out").json
    german = visit(client, "DE").record().json
    days = [
        (
            datetime.fromisoformat(one["valid_until"]) - datetime.fromisoformat(one["received_at"])
        ).days
        for one in (american, german)
    ]
    assert days == [390, 180]


def test_the_regime_is_that_of_the_script_whatever_the_header_says_later(connect: Connect) -> None:
    client = connect()
    american = visit(client, "US-CA")
    decision = american.decision(*ALL_BUT_SOLD, method="opt_out")
    answer = american.send(decision, headers={HEADER: "DE"})
    assert (answer.json["regime"], answer.json["region"]) == ("opt_out", "DE")


@pytest.mark.parametrize("method", ["opt_out", "limit_use", "object"])
def test_a_decision_that_its_script_could_not_make_is_refused(
    connect: Connect, method: str
) -> None:
    answer = visit(connect(), "DE").record(method=method)
    assert answer.status_code == 409


def test_a_script_of_another_version_does_not_fit(connect: Connect) -> None:
    visitor = visit(connect(), "US-CA")
    answer = visitor.send(visitor.decision(*ALL_BUT_SOLD, method="opt_out", version=1))
    assert answer.status_code == 409


def test_no_address_is_kept(connect: Connect, tmp_path: Path, settings: Settings) -> None:
    client = connect(region_database=write_database(tmp_path / "regions.mmdb"))
    visitor = Visitor(client)
    client.environ_base["REMOTE_ADDR"] = "192.0.2.7"
    answer = visitor.decide()
    assert answer.json["signals"] == {"region": "database"}
    assert answer.json["region"] == "US-CA"
    kept = Path(settings.database_url.removeprefix("sqlite:///"))
    for file in kept.parent.glob(f"{kept.name}*"):
        assert b"192.0.2.7" not in file.read_bytes()


def test_the_cookie_repeats_the_signal_and_lives_as_long_as_the_opt_out(connect: Connect) -> None:
    visitor = visit(connect(), "US-CA", **{"Sec-GPC": "1"})
    answer = visitor.record(*ALL_BUT_SOLD, method="gpc", layer="signal", signal="gpc")
    cookie = answer.headers["Set-Cookie"]
    assert cookie.partition(";")[0].endswith(".gpc")
    age = int(cookie.partition("Max-Age=")[2].partition(";")[0])
    assert 389 * 86_400 < age <= 390 * 86_400
