"""Management: sites published, compared, listed and retired by the holder of the token."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.api.answers import field_errors, read_problem
from tests.conftest import ReadSite
from tests.visitor import Visitor

ADDRESS = "/api/v1/sites/smilee"


@pytest.fixture
def form(read_site: ReadSite) -> dict[str, Any]:
    """The Smilee site's description, to be changed."""
    found: dict[str, Any] = json.loads(json.dumps(read_site("smilee")))
    return found


def put(admin: FlaskClient, form: dict[str, Any], query: str = "") -> dict[str, Any]:
    answer = admin.put(f"/api/v1/sites/{form['key']}{query}", json=form)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = json.loads(answer.text)
    return found


def test_the_same_description_publishes_nothing(admin: FlaskClient, form: dict[str, Any]) -> None:
    answer = put(admin, form)
    told = {name: answer[name] for name in ("site", "number", "published", "asks_again", "changes")}
    assert told == {
        "site": "smilee",
        "number": 1,
        "published": False,
        "asks_again": False,
        "changes": [],
    }


def test_publishing_tells_every_contrast_and_what_may_be_held_against_the_owner(
    admin: FlaskClient, form: dict[str, Any]
) -> None:
    form["texts"] = {"en": {"heading": "We value your privacy"}}
    answer = put(admin, form)
    assert answer["published"]
    assert {note["path"] for note in answer["notes"]} == {"texts.en.heading", "services.1"}
    contrasts = {(one["scheme"], one["field"]): one for one in answer["contrasts"]}
    assert len(contrasts) == 8
    assert contrasts["light", "accent"] == {
        "scheme": "light",
        "field": "accent",
        "behind": "surface",
        "ratio": pytest.approx(7.92, abs=0.005),
        "needed": 4.5,
        "criterion": "1.4.3",
    }
    assert all(one["ratio"] >= one["needed"] for one in contrasts.values())


def test_a_change_of_wording_is_a_version_that_asks_nobody_again(
    admin: FlaskClient, form: dict[str, Any], visitor: Visitor
) -> None:
    form["texts"] = {"sv": {"heading": "En annan rubrik?"}}
    published = put(admin, form)
    assert (published["number"], published["published"]) == (2, True)
    assert not published["asks_again"]
    assert [change["path"] for change in published["changes"]] == ["texts.sv.ui.heading"]
    script = visitor.read_script()
    assert (script["version"], script["material"]) == (2, 1)


def test_a_new_service_is_a_version_that_asks_again(
    admin: FlaskClient, form: dict[str, Any], visitor: Visitor
) -> None:
    form["services"].append({"use": "hotjar", "category": "analytics", "retention": "1y"})
    published = put(admin, form)
    assert published["asks_again"]
    script = visitor.read_script()
    assert (script["version"], script["material"]) == (2, 2)


def test_a_dry_run_says_the_same_and_writes_nothing(
    admin: FlaskClient, form: dict[str, Any]
) -> None:
    form["name"] = "Smilee anew"
    tried = put(admin, form, "?dry_run=true")
    assert tried["published"]
    assert admin.get(ADDRESS).json is not None
    assert json.loads(admin.get(ADDRESS).text)["current_version"] == 1
    assert put(admin, form) == tried


def test_a_new_site_is_made_by_its_first_version(
    admin: FlaskClient, form: dict[str, Any], visitor: Visitor
) -> None:
    form["key"] = "new-site"
    assert put(admin, form)["number"] == 1
    visitor.site_key = "new-site"
    assert visitor.accept_all().status_code == 201


def test_a_body_for_another_address_is_409(admin: FlaskClient, form: dict[str, Any]) -> None:
    read_problem(admin.put("/api/v1/sites/jackbot", json=form), 409, "conflict")


def test_a_description_of_the_wrong_form_is_422_by_field(
    admin: FlaskClient, form: dict[str, Any]
) -> None:
    form["services"][1]["retention"] = "for ever"
    form["controller"]["fax"] = "1"
    problem = read_problem(admin.put(ADDRESS, json=form), 422, "invalid_form")
    assert sorted(field_errors(problem)) == ["controller.fax", "services.1.retention"]


def test_a_description_that_means_the_impossible_is_409_by_field(
    admin: FlaskClient, form: dict[str, Any]
) -> None:
    form["services"][0]["category"] = "games"
    problem = read_problem(admin.put(ADDRESS, json=form), 409, "invalid_site")
    assert list(field_errors(problem)) == ["services.0.category"]


def test_what_is_refused_leaves_the_site_as_it_was(
    admin: FlaskClient, form: dict[str, Any]
) -> None:
    before = admin.get(f"{ADDRESS}/versions").json
    admin.put(ADDRESS, json=form | {"name": ""})
    admin.put(ADDRESS, json=form | {"languages": ["de"]})
    assert admin.get(f"{ADDRESS}/versions").json == before


def test_every_site_is_listed_by_key(admin: FlaskClient) -> None:
    listed = json.loads(admin.get("/api/v1/sites").text)["sites"]
    assert [site["key"] for site in listed] == [
        "getjenny",
        "jackbot",
        "jiminny",
        "smilee",
        "ujet",
    ]
    assert listed[3] == admin.get(ADDRESS).json


def test_versions_are_listed_newest_first_and_kept(
    admin: FlaskClient, form: dict[str, Any], client: FlaskClient
) -> None:
    first = admin.get(f"{ADDRESS}/versions/1").json
    put(admin, form | {"name": "Smilee anew"})
    listed = json.loads(admin.get(f"{ADDRESS}/versions").text)
    assert [version["version"] for version in listed["versions"]] == [2, 1]
    again = json.loads(admin.get(f"{ADDRESS}/versions/1").text)
    # Only its place in time changed: it is no longer the one that is shown.
    assert again.pop("shown_until") == listed["versions"][0]["published_at"]
    assert first is not None
    assert first.pop("shown_until") is None
    assert again == first
    public = client.get("/w/smilee/versions/1", headers={"Accept": "application/json"})
    assert public.json == admin.get(f"{ADDRESS}/versions/1").json


def test_a_retired_site_is_kept_in_full_and_comes_back(
    admin: FlaskClient, form: dict[str, Any], visitor: Visitor
) -> None:
    decision = visitor.decision()
    receipt = visitor.send(decision).json
    retired = json.loads(admin.post(f"{ADDRESS}/retire").text)
    assert retired["retired_at"]
    assert json.loads(admin.post(f"{ADDRESS}/retire").text) == retired
    read_problem(visitor.send(decision), 404)
    assert str(decision["decision_id"]) in admin.get(f"{ADDRESS}/export").text
    assert not put(admin, form)["published"]
    assert json.loads(admin.get(ADDRESS).text)["retired_at"] is None
    assert visitor.send(decision).json == receipt


def test_nothing_behind_the_token_may_be_cached(admin: FlaskClient, client: FlaskClient) -> None:
    for answer in (admin.get("/api/v1/sites"), client.get("/api/v1/sites"), admin.get(ADDRESS)):
        assert answer.headers["Cache-Control"] == "no-store"


def test_the_subject_id_of_a_visitor_opens_nothing_here(
    visitor: Visitor, client: FlaskClient
) -> None:
    visitor.accept_all()
    own = {"Authorization": f"Bearer {visitor.subject_id}"}
    read_problem(client.get(f"{ADDRESS}/export", headers=own), 401)


def test_a_visitor_is_erased_for_a_reason(admin: FlaskClient, visitor: Visitor) -> None:
    visitor.accept_all()
    body = {"subject_id": visitor.subject_id, "reason": "asked by letter"}
    assert admin.post(f"{ADDRESS}/erase", json=body).json == {"site": "smilee", "records": 1}
    assert visitor.read_decisions().status_code == 404
    assert admin.post(f"{ADDRESS}/erase", json=body).json == {"site": "smilee", "records": 0}
    assert '"salt":null' in admin.get(f"{ADDRESS}/export").text


def test_erasing_needs_a_subject_and_a_reason_that_names_nobody(
    admin: FlaskClient, visitor: Visitor
) -> None:
    visitor.accept_all()
    problem = read_problem(admin.post(f"{ADDRESS}/erase", json={}), 422, "invalid_form")
    assert sorted(field_errors(problem)) == ["reason", "subject_id"]
    for reason, status in (("", 422), ("   ", 409), (f"id {visitor.subject_id}", 409)):
        body = {"subject_id": visitor.subject_id, "reason": reason}
        read_problem(admin.post(f"{ADDRESS}/erase", json=body), status)
    read_problem(admin.post(f"{ADDRESS}/erase", data="x", content_type="text/plain"), 415)
    assert visitor.read_decisions().status_code == 200
