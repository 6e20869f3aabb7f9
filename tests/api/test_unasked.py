"""Unasked over HTTP: what only ran somewhere is told by the cookie, and is no consent elsewhere."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import UTC, datetime
from http.cookies import SimpleCookie
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from consent_server.app import create_app
from consent_server.config import Settings, key_folder
from consent_server.rules.cookie import parse_cookie
from consent_server.rules.unasked import Unasked
from consent_server.site_form import load_site_form
from consent_server.site_secrets import open_site_secrets
from consent_server.sites import publish_version
from consent_server.store.database import Database
from tests.api.test_choose import Chooser
from tests.api.test_identifying import Account
from tests.api.test_me import Forms
from tests.api.test_regimes import ALL_BUT_SOLD, HEADER, visit
from tests.conftest import ReadSite

ALL_MARKS = "~!asked~!asked-any"


@pytest.fixture
def app(settings: Settings, read_site: ReadSite) -> Iterator[Flask]:
    """A server where the region of a visitor of Smilee decides, and choices follow who signs in."""
    database = Database(settings.database_url)
    with database.write() as session:
        form = load_site_form({**read_site("smilee"), "regime": "by_region", "identify": True})
        publish_version(session, form, source="", author="tests", now=datetime.now(UTC))
    database.close()
    made = create_app(dataclasses.replace(settings, region_header=HEADER, trusted_proxies=1))
    yield made
    made.extensions["consent"].database.close()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client(use_cookies=False)


def cookie_of(answer: TestResponse) -> str:
    return SimpleCookie(answer.headers["Set-Cookie"])["consent_smilee"].value


def keys_of(answer: TestResponse) -> str:
    return cookie_of(answer).split(".")[4]


def test_what_an_opt_out_leaves_running_is_marked_and_is_no_grant(client: FlaskClient) -> None:
    american = visit(client, "US-CA")
    answer = american.record(*ALL_BUT_SOLD, method="opt_out")
    assert keys_of(answer).endswith(ALL_MARKS)
    assert not answer.json["grants"].keys() & {"asked", "asked-any"}
    stored = parse_cookie(cookie_of(answer))
    assert stored is not None
    assert (stored.grants, stored.unasked) == (answer.json["grants"], Unasked.ALL)


def test_what_a_signal_leaves_running_is_marked_before_the_signal(client: FlaskClient) -> None:
    visitor = visit(client, "US-CA", **{"Sec-GPC": "1"})
    answer = visitor.record(*ALL_BUT_SOLD, method="gpc", layer="signal", signal="gpc")
    assert cookie_of(answer).endswith(f"{ALL_MARKS}.gpc")


@pytest.mark.parametrize(
    ("region", "services", "method", "marks"),
    [
        ("GB", ("google-analytics",), "save", "~!asked"),
        ("DE", ("google-analytics",), "save", ""),
        ("US-CA", (), "reject_all", ""),
        ("GB", (), "object", ""),
    ],
)
def test_only_what_ran_unasked_is_marked(
    client: FlaskClient, region: str, services: tuple[str, ...], method: str, marks: str
) -> None:
    keys = keys_of(visit(client, region).record(*services, method=method))
    assert keys.partition("~!asked")[1:] == (("~!asked", "") if marks else ("", ""))


def test_who_accepts_all_has_said_so_everywhere(client: FlaskClient) -> None:
    visitor = visit(client, "US-CA")
    answer = visitor.record(*visitor.services(), method="accept_all")
    assert "asked" not in keys_of(answer)


def _ticked(page: TestResponse) -> set[str]:
    assert page.status_code == 200, page.text
    return {value for form in Forms(page.text).found for name, value in form if name == "allow"}


def _own_page(client: FlaskClient, cookie: str, region: str) -> TestResponse:
    headers = {"Cookie": f"consent_smilee={cookie}", HEADER: region}
    return client.get("/w/smilee/me", headers=headers)


def test_the_visitors_own_page_ticks_it_only_where_it_runs_unasked(client: FlaskClient) -> None:
    cookie = cookie_of(visit(client, "US-CA").record(*ALL_BUT_SOLD, method="opt_out"))
    assert _ticked(_own_page(client, cookie, "US-CA")) >= {"google-analytics"}
    assert not _ticked(_own_page(client, cookie, "DE"))


def test_in_the_kingdom_only_measurement_is_ticked_after_an_opt_out_elsewhere(
    client: FlaskClient,
) -> None:
    american = cookie_of(visit(client, "US-CA").record(*ALL_BUT_SOLD, method="opt_out"))
    assert _ticked(_own_page(client, american, "GB")) == {"google-analytics"}
    # What was chosen there itself holds there.
    british = cookie_of(visit(client, "GB").record(*ALL_BUT_SOLD, method="save"))
    assert _ticked(_own_page(client, british, "GB")) == set(ALL_BUT_SOLD)
    assert _ticked(_own_page(client, british, "US-CA")) >= set(ALL_BUT_SOLD)
    assert not _ticked(_own_page(client, british, "DE"))


def test_the_form_without_script_ticks_only_what_was_asked_for(client: FlaskClient) -> None:
    cookie = cookie_of(visit(client, "US-CA").record(*ALL_BUT_SOLD, method="opt_out"))
    chooser = Chooser(client)
    chooser.cookie = f"consent_smilee={cookie}"
    chooser.answer = chooser.get()
    assert not _ticked(chooser.answer)
    chooser.press("save", "google-analytics")
    assert "asked" not in chooser.cookie
    assert _ticked(chooser.get()) == {"google-analytics"}


def test_the_sites_own_server_is_told_whether_it_was_asked_for(client: FlaskClient) -> None:
    def ask(visitor: Any) -> Any:
        headers = {"Authorization": f"Bearer {visitor.subject_id}"}
        return client.get("/w/smilee/grants", headers=headers).json

    american, german = visit(client, "US-CA"), visit(client, "DE")
    american.record(*ALL_BUT_SOLD, method="opt_out")
    german.record(*ALL_BUT_SOLD, method="save")
    assert [ask(one)["asked"] for one in (american, german)] == [False, True]
    assert ask(american)["grants"] == ask(german)["grants"]


def test_a_copy_that_follows_who_signs_in_is_marked(
    client: FlaskClient, settings: Settings
) -> None:
    secrets = open_site_secrets(key_folder(settings), now=datetime.now(UTC))
    account, american = Account(client, secrets), visit(client, "US-CA")
    american.record(*ALL_BUT_SOLD, method="opt_out")
    account.sign_in(american)
    answer = account.sign_in(None)
    assert (answer.json["receipt"]["method"], answer.json["receipt"]["regime"]) == (
        "identify",
        "opt_out",
    )
    assert keys_of(answer).endswith(ALL_MARKS)


@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8"])
def test_marks_that_a_browser_sends_along_are_not_recorded(client: FlaskClient, kind: str) -> None:
    """What was decided in California may be sent from a page in Germany, whose script is short."""
    american = visit(client, "US-CA")
    sent = american.decision(*ALL_BUT_SOLD, method="opt_out")
    marked = {**sent, "grants": {**sent["grants"], "asked": False, "asked-any": False}}
    answer = american.send(marked, headers={"Content-Type": kind})  # the short way and the long one
    assert (answer.status_code, answer.json["grants"]) == (201, sent["grants"])
    assert keys_of(answer).endswith(ALL_MARKS)
