"""Forged posts: what nobody could have been shown is refused on both ways in, and leaves no row."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert, select
from werkzeug.test import TestResponse

from consent_server.api.context import Context
from consent_server.app import create_app
from consent_server.config import Settings
from consent_server.errors import ConfigError
from consent_server.render_proofs import RenderProofs
from consent_server.store.database import Database
from consent_server.store.models import (
    ConsentEvent,
    NoticeCount,
    SiteScript,
    SubjectData,
)
from tests.api.answers import read_problem
from tests.api.test_decisions import count
from tests.visitor import Visitor, read_proof

Forge = Callable[[Visitor, dict[str, Any]], None]
_TABLES = (ConsentEvent, SubjectData, NoticeCount)


@pytest.fixture(params=["short", "long"])
def way(request: pytest.FixtureRequest) -> str:
    """By which way a post comes in: a name spelled with an escape takes the long one."""
    name: str = request.param
    return name


def post(visitor: Visitor, decision: dict[str, Any], way: str, **headers: str) -> TestResponse:
    body = visitor.client.application.json.dumps(decision, separators=(",", ":"))
    if way == "long":
        body = body.replace('"method"', '"m\\u0065thod"')
    return visitor.client.post(
        f"{visitor.address}/decisions",
        data=body,
        content_type="application/json",
        query_string={"proof": visitor.proof} if visitor.proof else None,
        headers=headers,
    )


def rows(database: Database) -> int:
    return sum(count(database, table) for table in _TABLES)


def proof_of(visitor: Visitor, *, site: str = "smilee", version: int = 1, **ago: float) -> str:
    """Return the proof that the server gave then."""
    parts: Context = visitor.client.application.extensions["consent"]
    then = datetime.now(UTC) - timedelta(**ago)
    return RenderProofs(parts.render_proofs._folder, lambda: then).make(site, version)


def no_proof(visitor: Visitor, _: dict[str, Any]) -> None:
    visitor.proof = ""


def made_up(visitor: Visitor, _: dict[str, Any]) -> None:
    visitor.proof = base64.urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=")


def nearly_right(visitor: Visitor, _: dict[str, Any]) -> None:
    visitor.proof = ("B" if visitor.proof[0] == "A" else "A") + visitor.proof[1:]


def of_the_day_before_yesterday(visitor: Visitor, _: dict[str, Any]) -> None:
    visitor.proof = proof_of(visitor, days=2)


def of_another_site(visitor: Visitor, _: dict[str, Any]) -> None:
    visitor.proof = proof_of(visitor, site="jackbot")


def of_another_version(visitor: Visitor, _: dict[str, Any]) -> None:
    visitor.proof = proof_of(visitor, version=2)


FORGED: dict[Forge, int] = {
    no_proof: 403,
    made_up: 403,
    nearly_right: 403,
    of_the_day_before_yesterday: 403,
    of_another_site: 403,
    of_another_version: 403,
}


@pytest.mark.parametrize("forge", FORGED, ids=lambda forge: forge.__name__)
def test_a_decision_without_a_good_proof_is_refused_and_gets_one(
    visitor: Visitor, database: Database, way: str, forge: Forge
) -> None:
    decision = visitor.decision()
    post(visitor, {**decision, "grants": {"nothing": True}}, "short")  # the version is known now
    forge(visitor, decision)
    problem = read_problem(post(visitor, decision, way), 403, "proof_needed")
    assert rows(database) == 0
    visitor.proof = problem["proof"]
    assert post(visitor, decision, way).status_code == 201


def test_a_first_post_without_a_proof_is_refused_too(
    visitor: Visitor, database: Database, way: str
) -> None:
    decision, visitor.proof = visitor.decision(), ""
    read_problem(post(visitor, decision, way), 403, "proof_needed")
    assert rows(database) == 0


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"version": 99}, 404),
        ({"script": "0" * 16}, 409),
        ({"grants": {"nothing-of-the-site": True}}, 409),
        ({"grants": {"analytics": True}}, 409),
        ({"language": "de"}, 409),
        ({"method": "accept_all"}, 409),
        ({"layer": "page"}, 422),
        ({"method": "handover"}, 422),
    ],
    ids=str,
)
@pytest.mark.parametrize("has_proof", [True, False])
def test_what_was_not_shown_is_refused_with_a_proof_and_without(
    visitor: Visitor,
    database: Database,
    way: str,
    changes: dict[str, Any],
    status: int,
    has_proof: bool,
) -> None:
    forged = visitor.decision() | changes
    visitor.proof = proof_of(visitor, version=forged["version"]) if has_proof else ""
    answer = post(visitor, forged, way)
    assert answer.status_code in {status, 403 if not has_proof else status}, answer.text
    assert rows(database) == 0


def test_a_page_of_another_origin_is_refused_with_a_proof(
    visitor: Visitor, database: Database, way: str
) -> None:
    decision = visitor.decision()
    answer = post(visitor, decision, way, Origin="https://elsewhere.example")
    read_problem(answer, 403, "wrong_origin")
    assert rows(database) == 0


def test_a_proof_is_the_same_for_everybody_and_may_be_used_by_everybody(
    visitor: Visitor, client: FlaskClient, database: Database, way: str
) -> None:
    other = Visitor(client)
    first, second = visitor.decision(), other.decision()
    assert visitor.proof == other.proof
    assert {post(visitor, first, way).status_code, post(visitor, second, way).status_code} == {201}
    assert count(database, ConsentEvent) == 2


@pytest.mark.parametrize(("hours", "holds"), [(0, True), (24, True), (48, False), (-24, False)])
def test_a_proof_holds_for_a_day_at_least_and_two_at_most(
    visitor: Visitor, hours: int, holds: bool
) -> None:
    parts: Context = visitor.client.application.extensions["consent"]
    proof = proof_of(visitor, hours=hours)
    assert parts.render_proofs.holds("smilee", 1, proof) is holds


def test_a_proof_holds_across_midnight_and_on_a_server_whose_clock_is_behind(
    visitor: Visitor,
) -> None:
    folder = visitor.client.application.extensions["consent"].render_proofs._folder
    late = datetime(2026, 11, 29, 23, 59, 59, tzinfo=UTC)

    def at(when: datetime) -> RenderProofs:
        return RenderProofs(folder, lambda: when)

    proof = at(late).make("smilee", 1)
    assert at(late + timedelta(hours=24)).holds("smilee", 1, proof)
    assert not at(late + timedelta(hours=24, seconds=1)).holds("smilee", 1, proof)
    next_day = at(late + timedelta(minutes=5)).make("smilee", 1)
    assert next_day != proof
    assert at(late).holds("smilee", 1, next_day), "five minutes behind"
    assert not at(late - timedelta(hours=1)).holds("smilee", 1, next_day)


def test_every_answer_with_a_script_brings_its_proof(visitor: Visitor) -> None:
    address, client = visitor.address, visitor.client
    brotli = {"Accept-Encoding": "br"}
    first = client.get(f"{address}.js", headers=brotli)
    script_hash = visitor.decide().json["script_hash"]
    asked = [
        first,
        client.get(f"{address}.js?x"),
        client.get(f"{address}.js", headers={**brotli, "If-None-Match": first.headers["ETag"]}),
        client.get(f"{address}/{script_hash}.js"),
    ]
    assert [answer.status_code for answer in asked] == [200, 200, 304, 200]
    for answer in asked:
        assert read_proof(answer.headers) == proof_of(visitor)
        assert answer.headers["Timing-Allow-Origin"] == "*"


def _age_scripts(database: Database) -> None:
    """Put scripts of an early release beside those of now: they name no proof."""
    with database.write() as session:
        for row in session.scalars(select(SiteScript)).all():
            session.execute(
                insert(SiteScript).values(
                    site_id=row.site_id,
                    script_hash=secrets.token_hex(32),
                    script_id=row.script_id[::-1],
                    version=row.version,
                    regime=row.regime,
                    signal=row.signal,
                    body=row.body.replace(b"?proof=", b"?"),
                    first_served_at=row.first_served_at,
                )
            )


@pytest.fixture
def strict(settings: Settings) -> Iterator[Flask]:
    """A server that takes no script from before there were proofs any more."""
    app = create_app(replace(settings, scripts_without_proof=False))
    yield app
    app.extensions["consent"].database.close()


def test_a_script_of_an_early_release_records_without_a_proof(
    visitor: Visitor, database: Database, way: str
) -> None:
    _age_scripts(database)
    for _ in range(2):  # looked up, and then remembered
        decision = visitor.decision()
        visitor.proof = ""
        answer = post(visitor, decision | {"script": decision["script"][::-1]}, way)
        assert answer.status_code == 201, answer.text


def test_where_they_are_not_taken_any_more_browsers_keep_the_decision(
    strict: Flask, way: str
) -> None:
    visitor = Visitor(strict.test_client(use_cookies=False))
    database: Database = strict.extensions["consent"].database
    _age_scripts(database)
    decision = visitor.decision()
    visitor.proof = ""
    answer = post(visitor, decision | {"script": decision["script"][::-1]}, way)
    read_problem(answer, 503, "unavailable")  # the old outbox drops what is refused with 4xx
    assert "Retry-After" in answer.headers
    assert rows(database) == 0


def test_what_brings_no_proof_may_spend_a_tenth_of_the_budget(settings: Settings, way: str) -> None:
    app = create_app(replace(settings, site_decisions_per_minute=20))
    visitor = Visitor(app.test_client(use_cookies=False))
    decision = visitor.decision()
    proof, visitor.proof = visitor.proof, ""
    statuses = [
        post(visitor, decision | {"script": secrets.token_hex(8)}, way).status_code
        for _ in range(5)
    ]
    assert statuses == [409, 409, 429, 429, 429]
    visitor.proof = proof
    assert post(visitor, decision, way).status_code == 201
    app.extensions["consent"].database.close()


def test_without_its_key_the_server_serves_scripts_and_refuses_decisions(
    settings: Settings, way: str
) -> None:
    app = create_app(replace(settings, key_folder="/dev/null/keys"))
    visitor = Visitor(app.test_client(use_cookies=False))
    decision = visitor.decision()
    assert visitor.proof == ""
    read_problem(post(visitor, decision, way), 500, "key_folder")
    with pytest.raises(ConfigError, match="CONSENT_KEY_FOLDER"):
        app.extensions["consent"].render_proofs.make("smilee", 1)
    assert rows(app.extensions["consent"].database) == 0
    app.extensions["consent"].database.close()


def test_servers_that_share_the_key_folder_agree(settings: Settings) -> None:
    apps = [create_app(settings), create_app(settings)]
    visitor = Visitor(apps[0].test_client(use_cookies=False))
    decision = visitor.decision()
    visitor.client = apps[1].test_client(use_cookies=False)
    assert visitor.post(decision).status_code == 201
    for app in apps:
        app.extensions["consent"].database.close()
