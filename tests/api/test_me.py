"""The visitor's own page: theirs alone, complete, and of effect, all without a script."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from consent_server.rules.checkpoint import parse_checkpoint
from consent_server.rules.cookie import StoredDecision, parse_cookie, spell_cookie
from consent_server.rules.merkle import is_included
from consent_server.rules.times import parse_time
from consent_server.sealing import seal_site
from consent_server.signing import open_signer
from consent_server.sites import find_site
from consent_server.store.database import Database
from consent_server.store.models import AdminEvent, ConsentEvent, SubjectData
from tests.api.answers import read_problem
from tests.conftest import ReadSite
from tests.visitor import Visitor

HOME = "http://127.0.0.1:8000"
Fields = list[tuple[str, str]]


class Forms(HTMLParser):
    """The forms of a page, as a browser without script would send them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[Fields] = []
        self.boxes: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = dict(attributes)
        if tag == "form":
            assert found.get("method") == "post", "an id would stand in an address"
            self.found.append([])
        elif tag == "input" and found.get("type") == "checkbox":
            self.boxes.append(found["value"] or "")
            if "checked" in found:
                self.found[-1].append((found["name"] or "", found["value"] or ""))
        elif tag == "input" and found.get("type") == "hidden":
            self.found[-1].append((found["name"] or "", found["value"] or ""))


class OwnPage:
    """A visitor's page, seen and used."""

    def __init__(self, visitor: Visitor) -> None:
        self.visitor = visitor
        self.address = f"{visitor.address}/me"
        self.answer = self.post(action="show", subject_id=visitor.subject_id)

    def post(self, headers: Mapping[str, str] | None = None, **fields: Any) -> TestResponse:
        """Send a form of one's own making."""
        return self.visitor.client.post(
            self.address, data=fields, headers={"Origin": HOME, **(headers or {})}, base_url=HOME
        )

    def form(self, action: str) -> Fields:
        """Return the fields of a form of the page, as they stand."""
        [found] = [one for one in Forms(self.answer.text).found if ("action", action) in one]
        return found

    def submit(
        self, action: str, *allow: str, cookie: str = "", untick: bool = True, **changes: str
    ) -> TestResponse:
        """Send a form of the page with exactly these boxes ticked."""
        fields = dict(self.form(action)) | changes
        fields.pop("allow", None)
        headers = {"Cookie": cookie} if cookie else {}
        return self.post(headers, **fields, allow=list(allow))


@pytest.fixture
def page(visitor: Visitor) -> OwnPage:
    visitor.decide("google-analytics")
    return OwnPage(visitor)


def _receipts(visitor: Visitor) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(visitor.read_decisions().text)["decisions"]
    return found


def _cookie_of(visitor: Visitor) -> str:
    last = _receipts(visitor)[0]
    stored = StoredDecision(
        last["version"], parse_time(last["decided_at"]), visitor.subject_id, last["grants"]
    )
    return f"consent_{visitor.site_key}={spell_cookie(stored)}"


def test_it_says_what_was_decided_when_and_on_which_words(page: OwnPage) -> None:
    text = page.answer.text
    [receipt] = _receipts(page.visitor)
    assert page.answer.status_code == 200
    assert "Google Analytics" in text
    assert receipt["received_at"] in text
    assert receipt["valid_until"] in text
    assert 'href="/w/smilee/versions/1?language=sv"' in text


def test_the_cookie_alone_shows_it_and_no_address_ever_holds_the_id(page: OwnPage) -> None:
    cookie = _cookie_of(page.visitor)
    answer = page.visitor.client.get(page.address, headers={"Cookie": cookie}, base_url=HOME)
    assert page.visitor.subject_id in answer.text
    for place in re.findall(r'(?:href|src|action)="([^"]*)"', answer.text):
        assert page.visitor.subject_id not in place


def test_without_cookie_and_id_it_asks_for_the_id(page: OwnPage) -> None:
    answer = page.visitor.client.get(page.address)
    assert answer.status_code == 200
    assert [("action", "show"), ("language", "sv")] in Forms(answer.text).found
    assert "Google Analytics" not in answer.text


def test_a_wrong_id_and_one_without_records_look_the_same(page: OwnPage) -> None:
    answers = [
        page.post(action="show", subject_id=one).text
        for one in ("0" * 32, "f" * 32, "nothing", "", page.visitor.subject_id[:31])
    ]
    assert len(set(answers)) == 1
    assert 'role="status"' in answers[0]


@pytest.mark.parametrize("language", ["en", "fi", "sv"])
def test_it_speaks_one_language_of_the_site(page: OwnPage, language: str) -> None:
    answer = page.post(action="show", subject_id=page.visitor.subject_id, language=language)
    words = page.visitor.read_version()["texts"][language]
    assert f'<html lang="{language}"' in answer.text
    for service in page.visitor.services():
        assert words["services"][service]["purpose"] in answer.text
    assert words["ui"]["save"] in answer.text


def test_nothing_is_ticked_beyond_what_holds(page: OwnPage) -> None:
    assert [one for one in page.form("save") if one[0] == "allow"] == [
        ("allow", "google-analytics")
    ]
    assert sorted(Forms(page.answer.text).boxes) == sorted(page.visitor.services())


def test_a_change_is_recorded_once_however_often_it_is_loaded_again(page: OwnPage) -> None:
    for _ in range(3):
        answer = page.submit("save", "smilee-chat")
        assert "Ditt val har sparats." in answer.text
    last, first = _receipts(page.visitor)
    assert last["grants"] == page.visitor.grants("smilee-chat")
    assert (last["layer"], last["method"], last["kind"]) == ("page", "save", "changed")
    assert (last["version"], last["language"]) == (1, "sv")
    assert len(last["script_hash"]) == 64
    assert first["method"] == "save"
    assert UUID(last["event_id"]).version == 4


def test_a_withdrawal_takes_everything_back(page: OwnPage) -> None:
    answer = page.submit("withdraw")
    assert 'role="status"' in answer.text
    last = _receipts(page.visitor)[0]
    assert (last["kind"], last["method"]) == ("withdrawn", "withdraw")
    assert not any(last["grants"].values())
    again = OwnPage(page.visitor)
    assert 'value="withdraw"' not in again.answer.text, "there is nothing left to withdraw"


def test_a_form_from_before_another_decision_changes_nothing(page: OwnPage) -> None:
    page.submit("save", "smilee-chat")
    page.submit("save")
    assert len(_receipts(page.visitor)) == 2, "the same form said something else"
    page.visitor.reject_all()
    assert "saved" not in page.submit("save", "smilee-chat", language="en").text
    assert _receipts(page.visitor)[0]["method"] == "reject_all"


def test_a_form_of_an_older_version_is_shown_again_and_not_recorded(
    page: OwnPage, admin: FlaskClient, read_site: ReadSite
) -> None:
    form = read_site("smilee") | {"ask_again": "once more"}
    assert admin.put("/api/v1/sites/smilee", json=form).status_code == 200
    answer = page.submit("save", "smilee-chat")
    assert 'role="status"' in answer.text
    assert len(_receipts(page.visitor)) == 1


def test_the_cookie_is_set_again_only_where_the_browser_holds_this_visitors(page: OwnPage) -> None:
    cookie = _cookie_of(page.visitor)
    answer = page.submit("save", "smilee-chat", cookie=cookie)
    [morsel] = SimpleCookie(answer.headers["Set-Cookie"]).values()
    stored = parse_cookie(morsel.value)
    assert stored is not None
    assert stored.grants == page.visitor.grants("smilee-chat")
    assert stored.subject_id == page.visitor.subject_id
    assert 180 * 86_400 - 60 <= int(morsel["max-age"]) <= 180 * 86_400
    again = OwnPage(page.visitor)
    assert "Set-Cookie" not in again.submit("withdraw").headers
    other = cookie.replace(page.visitor.subject_id, "0" * 32)
    third = OwnPage(page.visitor)
    assert "Set-Cookie" not in third.submit("save", cookie=other).headers


@pytest.mark.parametrize("ahead", [timedelta(minutes=5), timedelta(days=3650), timedelta.max])
def test_a_browser_whose_clock_is_ahead_keeps_what_was_decided_here(
    page: OwnPage, ahead: timedelta
) -> None:
    """Else tags that were just withdrawn would go on running there until its clock is passed."""
    last = _receipts(page.visitor)[0]
    decided = parse_time(last["decided_at"])
    decided += min(ahead, datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC) - decided)
    held = StoredDecision(last["version"], decided, page.visitor.subject_id, last["grants"])
    name = f"consent_{page.visitor.site_key}"
    answer = page.submit("withdraw", cookie=f"{name}={spell_cookie(held)}")
    assert answer.status_code == 200
    stored = parse_cookie(SimpleCookie(answer.headers["Set-Cookie"])[name].value)
    assert stored is not None
    assert not any(stored.grants.values())
    # The script in other tabs takes what is later than its own; nothing is later than the last.
    assert stored.decided_at > decided or ahead == timedelta.max
    [record, _] = _receipts(page.visitor)
    assert parse_time(record["decided_at"]).replace(microsecond=0) == stored.decided_at
    assert abs(parse_time(record["received_at"]) - datetime.now(UTC)) < timedelta(minutes=1)


def test_on_another_host_it_says_that_the_browsers_copy_stays(page: OwnPage) -> None:
    fields = dict(page.form("save"))
    answer = page.visitor.client.post(
        page.address,
        data=fields | {"language": "en"},
        headers={"Origin": "https://consent.example", "Cookie": _cookie_of(page.visitor)},
        base_url="https://consent.example",
    )
    assert "Set-Cookie" not in answer.headers
    assert "this page cannot change that copy" in answer.text


def test_the_download_holds_every_record_in_every_form(page: OwnPage) -> None:
    page.submit("withdraw")
    answer = page.submit("download")
    assert answer.mimetype == "application/json"
    assert "attachment" in answer.headers["Content-Disposition"]
    body = json.loads(answer.text)
    assert [one["receipt"] for one in body["records"]] == _receipts(page.visitor)
    withdrawn, given = body["records"]
    assert withdrawn["kantara_1_1"] is None
    assert given["kantara_1_1"]["piiPrincipalId"] == page.visitor.subject_id
    for one in body["records"]:
        linked = one["iso_27560_dpv"]
        assert linked["dct:identifier"] == one["receipt"]["event_id"]
        assert linked["record:leaf_hash"] == one["receipt"]["leaf_hash"]


def test_the_receipt_to_read_stands_by_itself(page: OwnPage) -> None:
    answer = page.submit("receipt")
    assert answer.mimetype == "text/html"
    assert "attachment" in answer.headers["Content-Disposition"]
    [receipt] = _receipts(page.visitor)
    for name in ("event_id", "leaf_hash", "salt", "version_hash", "received_at"):
        assert receipt[name] in answer.text, name
    assert "stylesheet" not in answer.text
    assert '<html lang="sv"' in answer.text


def test_nobody_elses_receipt_is_given_out(page: OwnPage) -> None:
    stranger = Visitor(page.visitor.client)
    stranger.accept_all()
    [theirs] = _receipts(stranger)
    read_problem(page.submit("receipt", event_id=theirs["event_id"]), 404, "not_found")


def test_another_visitors_id_under_a_decision_records_nothing(page: OwnPage) -> None:
    stranger = Visitor(page.visitor.client)
    stranger.accept_all()
    [theirs] = _receipts(stranger)
    page.submit("save", "smilee-chat", decision_id=theirs["event_id"])
    assert len(_receipts(page.visitor)) == 1
    assert len(_receipts(stranger)) == 1


def test_a_page_of_another_origin_may_post_nothing(page: OwnPage) -> None:
    for origin in ("https://evil.example", "null"):
        answer = page.post({"Origin": origin}, **dict(page.form("withdraw")))
        read_problem(answer, 403, "wrong_origin")
    assert len(_receipts(page.visitor)) == 1


def test_it_is_kept_and_told_nowhere(page: OwnPage) -> None:
    answers = [
        page.answer,
        page.submit("download"),
        page.submit("receipt"),
        page.visitor.client.get(page.address),
        page.visitor.client.get("/w/nowhere/me"),
    ]
    for answer in answers:
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert answer.headers["X-Robots-Tag"] == "noindex"
        assert "Access-Control-Allow-Origin" not in answer.headers
    assert "frame-ancestors 'none'" in page.answer.headers["Content-Security-Policy"]


def test_a_retired_sites_records_can_be_seen_taken_and_withdrawn(
    page: OwnPage, admin: FlaskClient
) -> None:
    admin.post("/api/v1/sites/smilee/retire")
    retired = OwnPage(page.visitor)
    assert "Google Analytics" in retired.answer.text
    assert json.loads(retired.submit("download").text)["records"]
    retired.submit("withdraw")
    assert _receipts(page.visitor)[0]["kind"] == "withdrawn"


def test_what_came_after_the_decision_is_said_and_stays_off(
    page: OwnPage, admin: FlaskClient, read_site: ReadSite
) -> None:
    site = read_site("smilee")
    site["services"].append(
        {"use": "hotjar", "category": "analytics", "legal_basis": "consent", "retention": "1y"}
    )
    assert admin.put("/api/v1/sites/smilee", json=site).status_code == 200
    later = OwnPage(page.visitor)
    later.answer = later.post(action="show", subject_id=page.visitor.subject_id, language="en")
    assert "it asks you again" in later.answer.text
    assert [one for one in later.form("save") if one[0] == "allow"] == [
        ("allow", "google-analytics")
    ]
    assert "hotjar" in Forms(later.answer.text).boxes


def test_erasing_is_told_first_and_then_done(page: OwnPage, database: Database) -> None:
    cookie = _cookie_of(page.visitor)
    page.answer = page.submit("erase", language="en")
    assert "What stays" in page.answer.text
    assert len(_receipts(page.visitor)) == 1, "nothing yet"
    answer = page.submit("erase_now", cookie=cookie)
    assert "Erased." in answer.text
    assert "has forgotten the choice" in answer.text
    [morsel] = SimpleCookie(answer.headers["Set-Cookie"]).values()
    assert (morsel.key, morsel.value, morsel["max-age"]) == ("consent_smilee", "", "0")
    read_problem(page.visitor.read_decisions(), 404, "not_found")
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(SubjectData)) == 0
        assert session.scalar(select(func.count()).select_from(ConsentEvent)) == 1
        [erased] = session.scalars(select(AdminEvent).where(AdminEvent.action == "erase"))
        assert erased.actor == "visitor"
        assert json.loads(erased.details)["records"] == 1
    again = page.submit("erase_now")
    assert "Nothing is recorded under this id" in again.text


def test_erasing_from_elsewhere_says_that_the_browser_remembers(page: OwnPage) -> None:
    page.answer = page.submit("erase", language="en")
    assert "cannot reach the copy" in page.answer.text
    answer = page.submit("erase_now")
    assert "Set-Cookie" not in answer.headers
    assert "still remembers" in answer.text


def test_who_does_not_know_the_id_erases_nothing(page: OwnPage) -> None:
    page.post(action="erase_now", subject_id="0" * 32)
    page.post(action="erase_now", subject_id="")
    assert len(_receipts(page.visitor)) == 1


def test_a_sealed_record_is_taken_away_with_its_proof(
    page: OwnPage, database: Database, tmp_path: Path
) -> None:
    signer = open_signer(tmp_path / "keys", now=datetime.now(UTC))
    with database.write() as session:
        seal_site(session, find_site(session, "smilee"), signer, now=datetime.now(UTC))
    [record] = json.loads(page.submit("download").text)["records"]
    proof = record["proof"]
    leaf = bytes.fromhex(record["receipt"]["leaf_hash"])
    path = [bytes.fromhex(one) for one in proof["path"]]
    checkpoint = parse_checkpoint(proof["checkpoint"].partition("\n\n")[0] + "\n")
    assert checkpoint.size == proof["size"]
    assert proof["leaf_hash"] == record["receipt"]["leaf_hash"]
    assert is_included(leaf, proof["leaf_index"], proof["size"], path, checkpoint.root)
    assert record["iso_27560_dpv"]["record:proof"]["@value"] == proof
    assert proof["checkpoint"].split("\n")[2] in page.submit("receipt").text


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"action": "dance"},
        {"action": "show", "more": "1"},
        {"action": "save", "decision_id": "1"},
    ],
)
def test_a_form_that_is_none_of_ours_is_422(page: OwnPage, fields: dict[str, str]) -> None:
    read_problem(page.post(None, **fields), 422, "invalid_form")
