"""The form without script: it asks as the notice does, records once, and sets the cookie."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from consent_server.rules.cookie import parse_cookie, spell_cookie
from consent_server.store.database import Database
from consent_server.store.models import ConsentEvent
from tests.api.answers import read_problem
from tests.api.test_me import Fields, Forms
from tests.conftest import ReadSite
from tests.visitor import Visitor

HOME = "http://127.0.0.1:8000"


class Chooser:
    """A browser without script on the form of the Smilee site."""

    def __init__(self, client: FlaskClient, query: str = "") -> None:
        self.client = client
        self.address = "/w/smilee/choose"
        self.cookie = ""
        self.answer = self.get(query)

    def get(self, query: str = "", base_url: str = HOME) -> TestResponse:
        """Look at the page."""
        headers = {"Cookie": self.cookie} if self.cookie else {}
        return self.client.get(f"{self.address}{query}", headers=headers, base_url=base_url)

    def post(self, base_url: str = HOME, origin: str = HOME, **fields: Any) -> TestResponse:
        """Send a form; a cookie that is set is kept."""
        headers = {"Origin": origin} | ({"Cookie": self.cookie} if self.cookie else {})
        answer = self.client.post(self.address, data=fields, headers=headers, base_url=base_url)
        for morsel in SimpleCookie(answer.headers.get("Set-Cookie", "")).values():
            self.cookie = f"{morsel.key}={morsel.value}"
        return answer

    def forms(self) -> list[Fields]:
        """The forms of the page as they stand."""
        return Forms(self.answer.text).found

    def press(self, action: str, *allow: str, **changes: Any) -> TestResponse:
        """Press a button; each form has the same hidden fields."""
        fields = dict(self.forms()[-1]) | changes
        return self.post(**fields, action=action, allow=list(allow))

    @property
    def grants(self) -> dict[str, bool] | None:
        """What the browser's own cookie says."""
        stored = parse_cookie(self.cookie.partition("=")[2])
        return dict(stored.grants) if stored else None


@pytest.fixture
def chooser(client: FlaskClient) -> Chooser:
    return Chooser(client)


def _events(database: Database) -> list[ConsentEvent]:
    with database.read() as session:
        return list(session.scalars(select(ConsentEvent).order_by(ConsentEvent.received_at)))


def test_nothing_is_ticked_and_every_service_can_be_chosen(
    chooser: Chooser, visitor: Visitor
) -> None:
    assert chooser.answer.status_code == 200
    assert sorted(Forms(chooser.answer.text).boxes) == sorted(visitor.services())
    assert not [one for form in chooser.forms() for one in form if one[0] == "allow"]
    assert "Set-Cookie" not in chooser.answer.headers


@pytest.mark.parametrize("language", ["en", "fi", "sv"])
def test_it_shows_the_words_of_the_notice_in_each_language(
    chooser: Chooser, visitor: Visitor, language: str
) -> None:
    page = chooser.get(f"?language={language}").text
    words = visitor.read_version()["texts"][language]
    assert f'<html lang="{language}"' in page
    for key in ("heading", "accept_all", "reject_all", "save", "preferences_body"):
        assert words["ui"][key] in page, key
    for key in visitor.services():
        assert words["services"][key]["purpose"] in page


def test_acceptance_and_refusal_are_buttons_of_one_form_side_by_side(chooser: Chooser) -> None:
    rows = re.findall(
        r'<form method="post" class="answers">(.*?)</form>', chooser.answer.text, re.S
    )
    assert len(rows) == 2
    for row in rows:
        assert re.findall(r"<button ([^>]*)>", row) == [
            'name="action" value="accept_all"',
            'name="action" value="reject_all"',
        ]


def test_enter_in_a_box_cannot_accept(chooser: Chooser) -> None:
    """Browsers press the first button of the form that the box is in."""
    [boxes] = [
        one
        for one in re.findall(r"<form.*?</form>", chooser.answer.text, re.S)
        if "checkbox" in one
    ]
    assert re.findall(r"<button ([^>]*)>", boxes) == ['name="action" value="save"']


@pytest.mark.parametrize(
    ("action", "allow", "kind"),
    [
        ("accept_all", [], "given"),
        ("reject_all", [], "refused"),
        ("reject_all", ["google-analytics"], "refused"),
        ("save", ["google-analytics"], "given"),
        ("save", [], "refused"),
    ],
)
def test_each_answer_is_recorded_and_kept_by_the_browser(
    chooser: Chooser,
    visitor: Visitor,
    database: Database,
    action: str,
    allow: list[str],
    kind: str,
) -> None:
    answer = chooser.press(action, *allow)
    assert answer.status_code == 303
    chosen = {"accept_all": visitor.services(), "reject_all": []}.get(action, allow)
    [event] = _events(database)
    said = event.said
    assert said.grants == visitor.grants(*chosen) == chooser.grants
    assert (said.method, said.layer, said.kind) == (action, "form", kind)
    assert (said.version, said.language) == (1, "sv")
    assert len(said.script_hash) == 64
    chooser.answer = chooser.get(f"?{urlsplit(answer.headers['Location']).query}")
    assert "Ditt val har sparats." in chooser.answer.text
    assert [value for name, value in chooser.forms()[1] if name == "allow"] == sorted(
        chosen, key=visitor.services().index
    )


def test_the_cookie_lives_as_long_as_the_widgets(chooser: Chooser) -> None:
    answer = chooser.press("reject_all")
    [morsel] = SimpleCookie(answer.headers["Set-Cookie"]).values()
    assert morsel.key == "consent_smilee"
    assert 180 * 86_400 - 60 <= int(morsel["max-age"]) <= 180 * 86_400
    assert (morsel["path"], morsel["samesite"], morsel["httponly"]) == ("/", "Lax", "")


def test_the_same_form_sent_again_is_recorded_once(chooser: Chooser, database: Database) -> None:
    fields = dict(chooser.forms()[0])
    first = chooser.post(**fields, action="accept_all")
    chooser.cookie = ""
    again = chooser.post(**fields, action="accept_all")
    assert first.headers["Location"] == again.headers["Location"]
    assert first.headers["Set-Cookie"].split(";")[0] == again.headers["Set-Cookie"].split(";")[0]
    assert len(_events(database)) == 1


def test_a_second_decision_belongs_to_the_same_visitor(chooser: Chooser, visitor: Visitor) -> None:
    chooser.press("accept_all")
    chooser.answer = chooser.get()
    chooser.press("reject_all")
    stored = parse_cookie(chooser.cookie.partition("=")[2])
    assert stored is not None
    visitor.subject_id = stored.subject_id
    kinds = [one["kind"] for one in visitor.read_decisions().json["decisions"]]
    assert kinds == ["withdrawn", "given"]


def test_a_refusal_holds_where_the_browsers_clock_is_ahead(chooser: Chooser) -> None:
    chooser.press("accept_all")
    name, _, value = chooser.cookie.partition("=")
    held = parse_cookie(value)
    assert held is not None
    ahead = replace(held, decided_at=held.decided_at + timedelta(minutes=5))
    chooser.cookie = f"{name}={spell_cookie(ahead)}"
    chooser.answer = chooser.get()
    chooser.press("reject_all")
    assert chooser.grants is not None
    assert not any(chooser.grants.values())


def test_a_browser_without_cookies_is_told_so(chooser: Chooser) -> None:
    answer = chooser.press("accept_all", language="en")
    chooser.cookie = ""
    page = chooser.get(f"?{urlsplit(answer.headers['Location']).query}").text
    assert "kept no cookie" in page
    assert "Your choice is saved." not in page


def test_a_form_of_an_older_version_asks_again(
    chooser: Chooser, admin: FlaskClient, read_site: ReadSite, database: Database
) -> None:
    form = read_site("smilee") | {"ask_again": "once more"}
    assert admin.put("/api/v1/sites/smilee", json=form).status_code == 200
    answer = chooser.press("accept_all", language="en")
    assert (answer.status_code, _events(database)) == (200, [])
    assert "has changed meanwhile" in answer.text
    assert chooser.grants is None


def test_somebody_elses_decision_id_records_nothing(
    chooser: Chooser, visitor: Visitor, database: Database
) -> None:
    taken = visitor.reject_all().json["event_id"]
    answer = chooser.press("accept_all", decision_id=taken, language="en")
    assert answer.status_code == 200
    assert "nothing was recorded" in answer.text
    assert len(_events(database)) == 1


def test_where_the_cookie_reaches_no_page_nothing_is_asked_or_recorded(
    chooser: Chooser, database: Database
) -> None:
    elsewhere = "https://consent.example"
    assert "<button" not in chooser.get("?language=en", base_url=elsewhere).text
    answer = chooser.post(
        elsewhere, elsewhere, **dict(chooser.forms()[0]) | {"language": "en"}, action="accept_all"
    )
    assert "your choice cannot be saved" in answer.text
    assert (_events(database), chooser.grants) == ([], None)


@pytest.mark.parametrize("origin", ["https://evil.example", "null"])
def test_a_page_of_another_origin_may_post_nothing(
    chooser: Chooser, database: Database, origin: str
) -> None:
    answer = chooser.post(origin=origin, **dict(chooser.forms()[0]), action="accept_all")
    read_problem(answer, 403, "wrong_origin")
    assert _events(database) == []


def test_it_leads_back_to_the_page_of_the_site(chooser: Chooser) -> None:
    chooser.answer = chooser.get("?language=en&return=/demo/smilee/contact%3Fa%3D1")
    assert 'href="/demo/smilee/contact?a=1">Back</a>' in chooser.answer.text
    answer = chooser.press("reject_all")
    place = urlsplit(answer.headers["Location"])
    assert parse_qs(place.query)["return"] == ["/demo/smilee/contact?a=1"]
    assert place.path == "/w/smilee/choose"
    saved = chooser.get(f"?{place.query}").text
    assert 'href="/demo/smilee/contact?a=1">Back</a>' in saved


@pytest.mark.parametrize(
    "path",
    [
        "//evil.example/",
        "/\\evil.example/",
        "https://evil.example/",
        "javascript:alert(1)",
        "/a\\b",
        "/a b",
        "/a\nb",
        "/ä",
        "evil.example",
        "/" + "a" * 2000,
    ],
)
def test_it_leads_nowhere_else(chooser: Chooser, path: str) -> None:
    query = {"language": "en", "return": path}
    page = chooser.client.get(chooser.address, query_string=query, base_url=HOME).text
    assert ">Back</a>" not in page


def test_an_unknown_and_a_retired_site_ask_nobody(client: FlaskClient, admin: FlaskClient) -> None:
    read_problem(client.get("/w/nowhere/choose"), 404, "not_found")
    admin.post("/api/v1/sites/smilee/retire")
    read_problem(client.get("/w/smilee/choose"), 404, "not_found")


def test_it_is_kept_and_framed_nowhere(chooser: Chooser) -> None:
    for answer in (chooser.answer, chooser.press("accept_all")):
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Robots-Tag"] == "noindex"
    policy = chooser.answer.headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in policy
    assert "form-action 'self'" in policy


@pytest.mark.parametrize(
    "changes",
    [
        {"action": "withdraw"},
        {"subject_id": "1"},
        {"decision_id": "1"},
        {"more": "1"},
    ],
)
def test_a_form_that_is_none_of_ours_is_422(
    chooser: Chooser, database: Database, changes: dict[str, str]
) -> None:
    fields = dict(chooser.forms()[0]) | {"action": "accept_all"} | changes
    read_problem(chooser.post(**fields), 422, "invalid_form")
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(ConsentEvent)) == 0


@pytest.mark.parametrize("proof", ["", "A" * 22])
def test_a_form_without_a_good_proof_asks_again_and_records_nothing(
    chooser: Chooser, database: Database, proof: str
) -> None:
    answer = chooser.press("accept_all", proof=proof)
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers
    assert _events(database) == []
    assert chooser.press("accept_all").status_code == 303
    assert len(_events(database)) == 1
