"""Identifying: the newest decision follows who signs in, and nobody can pull another's."""

from __future__ import annotations

import dataclasses
import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, text
from werkzeug.test import TestResponse

from consent_server.cli.deliveries import forget_old
from consent_server.config import Settings, key_folder
from consent_server.rules.times import parse_time, spell_time
from consent_server.site_secrets import SiteSecrets, open_site_secrets
from consent_server.store.database import Database
from consent_server.store.models import Base, SubjectData
from consent_server.store.outside_models import Identity
from tests.api.answers import read_problem
from tests.conftest import ReadSite
from tests.readers import load_reader
from tests.visitor import Visitor

REF = "customer-4711"
sign_ref = load_reader().sign_ref


@pytest.fixture
def secrets(settings: Settings) -> SiteSecrets:
    return open_site_secrets(key_folder(settings), now=datetime.now(UTC))


class Account:
    """A person who signs in, on several devices."""

    def __init__(self, client: FlaskClient, secrets: SiteSecrets, ref: str = REF) -> None:
        self.client = client
        self.secrets = secrets
        self.ref = ref

    def claim(self, **changes: Any) -> dict[str, Any]:
        """Return what the site's server writes into the page."""
        expires = int(datetime.now(UTC).timestamp()) + 600
        given = {"ref": self.ref, "expires": expires, **changes}
        secret = self.secrets.identify_secret("smilee")
        signature = sign_ref(secret, "smilee", given["ref"], given["expires"])
        return {**given, "signature": signature, **changes}

    def sign_in(self, device: Visitor | None, **changes: Any) -> TestResponse:
        """Sign in in a browser; None is one in which nothing was decided."""
        own = {"subject_id": device.subject_id} if device else {}
        return self.client.post("/w/smilee/identify", json=self.claim() | own | changes)


@pytest.fixture
def account(
    client: FlaskClient, secrets: SiteSecrets, admin: FlaskClient, read_site: ReadSite
) -> Account:
    site = read_site("smilee") | {"identify": True}
    assert admin.put("/api/v1/sites/smilee", json=site).status_code == 200
    return Account(client, secrets)


@pytest.fixture
def laptop(client: FlaskClient) -> Visitor:
    return Visitor(client)


@pytest.fixture
def phone(client: FlaskClient) -> Visitor:
    return Visitor(client)


def _last(device: Visitor) -> dict[str, Any]:
    found: dict[str, Any] = device.read_decisions().json["decisions"][0]
    return found


def _count(database: Database, table: Any) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_a_decision_follows_to_another_device(
    account: Account, laptop: Visitor, phone: Visitor
) -> None:
    first = laptop.decide("google-analytics").json
    assert account.sign_in(laptop).json["receipt"] is None
    answer = account.sign_in(None).json
    copy = answer["receipt"]
    assert copy["grants"] == first["grants"]
    assert copy["valid_until"] == first["valid_until"]
    assert (copy["method"], copy["layer"], copy["version"]) == ("identify", "api", 2)
    assert copy["signals"]["copy_of"] == first["event_id"]
    phone.subject_id = answer["subject_id"]
    assert phone.subject_id != laptop.subject_id
    assert _last(phone)["event_id"] == copy["event_id"]


def test_the_newest_decision_wins_in_both_directions(
    account: Account, laptop: Visitor, phone: Visitor
) -> None:
    laptop.accept_all()
    account.sign_in(laptop)
    phone.reject_all()
    assert account.sign_in(phone).json["receipt"] is None
    copy = account.sign_in(laptop).json["receipt"]
    assert (copy["kind"], any(copy["grants"].values())) == ("withdrawn", False)
    laptop.accept_all()
    assert account.sign_in(laptop).json["receipt"] is None
    assert all(account.sign_in(phone).json["receipt"]["grants"].values())


def test_signing_in_again_copies_nothing_again(
    account: Account, laptop: Visitor, phone: Visitor
) -> None:
    laptop.accept_all()
    phone.reject_all()
    account.sign_in(laptop)
    account.sign_in(phone)
    account.sign_in(laptop)
    for _ in range(2):
        for device in (laptop, phone):
            assert account.sign_in(device).json["receipt"] is None
    assert len(laptop.read_decisions().json["decisions"]) == 2


def test_a_copy_is_as_old_as_the_first(
    account: Account, laptop: Visitor, phone: Visitor, client: FlaskClient
) -> None:
    """It must not win over what was decided between the first and the copy."""
    laptop.accept_all()
    account.sign_in(laptop)
    tablet = Visitor(client)
    tablet.subject_id = account.sign_in(None).json["subject_id"]
    phone.reject_all()
    account.sign_in(phone)
    late = Visitor(client)
    late.subject_id = account.sign_in(None).json["subject_id"]
    assert not any(_last(late)["grants"].values())
    assert not any(account.sign_in(tablet).json["receipt"]["grants"].values())


def test_the_copy_is_later_than_what_the_browser_knows(
    account: Account, laptop: Visitor, phone: Visitor
) -> None:
    """A phone's clock may be behind: the script takes only what is later."""
    laptop.accept_all()
    account.sign_in(laptop)
    phone.decide(decided_at=spell_time(datetime.now(UTC) - timedelta(days=3)))
    account.sign_in(phone)
    known = parse_time(_last(laptop)["decided_at"])
    copy = account.sign_in(laptop, known_at=spell_time(known)).json["receipt"]
    assert parse_time(copy["decided_at"]) > known
    assert not any(copy["grants"].values())


def test_what_nothing_can_be_later_than_is_refused(
    account: Account, laptop: Visitor, phone: Visitor
) -> None:
    laptop.accept_all()
    account.sign_in(laptop)
    answer = account.sign_in(phone, known_at="9999-12-31T23:59:59.999Z")
    read_problem(answer, 409, "conflict")


@pytest.mark.parametrize(
    "changes",
    [
        {"signature": "0" * 64},
        {"ref": "customer-1"},
        {"expires": 1},
        {"expires": int(datetime(2100, 1, 1, tzinfo=UTC).timestamp())},
    ],
)
def test_who_is_not_vouched_for_gets_and_links_nothing(
    account: Account, laptop: Visitor, database: Database, changes: dict[str, Any]
) -> None:
    laptop.accept_all()
    read_problem(account.sign_in(laptop, **changes), 401, "not_authorised")
    assert _count(database, Identity) == 0


def test_a_signature_that_lives_too_long_or_has_run_out_is_refused(
    account: Account, laptop: Visitor
) -> None:
    now = int(datetime.now(UTC).timestamp())
    for expires in (now - 1, now + 3_700):
        claim = account.claim(expires=expires)
        read_problem(account.client.post("/w/smilee/identify", json=claim), 401, "not_authorised")


def test_another_person_at_the_same_browser_is_asked_anew(
    account: Account, laptop: Visitor, database: Database
) -> None:
    laptop.accept_all()
    account.sign_in(laptop)
    other = Account(account.client, account.secrets, "customer-0815")
    answer = other.sign_in(laptop).json
    assert answer == {"subject_id": "", "ask_again": True, "receipt": None}
    assert _count(database, Identity) == 1, "nothing of the first person is linked to the second"
    assert other.sign_in(None).json["receipt"] is None


def test_another_person_at_the_same_browser_gets_their_own(
    account: Account, laptop: Visitor, phone: Visitor
) -> None:
    other = Account(account.client, account.secrets, "customer-0815")
    phone.reject_all()
    other.sign_in(phone)
    laptop.accept_all()
    account.sign_in(laptop)
    answer = other.sign_in(laptop).json
    assert answer["ask_again"] is False
    assert not any(answer["receipt"]["grants"].values())
    assert answer["subject_id"] not in {laptop.subject_id, phone.subject_id}
    assert all(_last(laptop)["grants"].values())


def test_before_a_decision_nothing_is_kept(account: Account, database: Database) -> None:
    answer = account.sign_in(None).json
    assert answer == {"subject_id": "", "ask_again": False, "receipt": None}
    assert account.sign_in(Visitor(account.client)).json["receipt"] is None
    assert _count(database, Identity) == 0


def test_a_site_that_does_not_ask_for_it_links_nobody(
    client: FlaskClient, secrets: SiteSecrets, laptop: Visitor, database: Database
) -> None:
    laptop.accept_all()
    read_problem(Account(client, secrets).sign_in(laptop), 409, "conflict")
    assert _count(database, Identity) == 0


def test_the_reference_is_neither_stored_nor_logged(
    account: Account, laptop: Visitor, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    laptop.accept_all()
    account.sign_in(laptop)
    refused = account.sign_in(laptop, signature="0" * 64)
    assert REF not in refused.text
    with database.read() as session:
        for table in Base.metadata.tables:
            for row in session.execute(text(f"SELECT * FROM {table}")):
                assert REF not in repr(tuple(row)), table
        [link] = session.scalars(select(Identity))
    assert link.ref_key == account.secrets.hash_ref("smilee", REF)
    assert link.ref_key != account.secrets.hash_ref("ujet", REF)
    assert REF not in caplog.text


def test_erasing_takes_the_link_away(
    account: Account, laptop: Visitor, admin: FlaskClient, database: Database
) -> None:
    laptop.accept_all()
    account.sign_in(laptop)
    body = {"subject_id": laptop.subject_id, "reason": "asked for"}
    assert admin.post("/api/v1/sites/smilee/erase", json=body).status_code == 200
    assert _count(database, Identity) == 0
    assert account.sign_in(None).json["receipt"] is None


def test_the_visitors_own_file_says_that_they_are_linked(account: Account, laptop: Visitor) -> None:
    def download() -> Any:
        form = {"action": "download", "subject_id": laptop.subject_id}
        return account.client.post("/w/smilee/me", data=form).json["signed_in"]

    laptop.accept_all()
    assert download() is False
    account.sign_in(laptop)
    assert download() is True


def test_links_of_subjects_without_records_go(
    account: Account, laptop: Visitor, phone: Visitor, database: Database
) -> None:
    laptop.accept_all()
    account.sign_in(laptop)
    phone.accept_all()
    account.sign_in(phone)
    with database.write() as session:
        [one, *_] = session.scalars(select(SubjectData).order_by(SubjectData.subject_key))
        session.delete(one)
    forget_old(database)
    with database.read() as session:
        [left] = session.scalars(select(Identity.subject_key))
    assert left != one.subject_key


def test_a_decision_that_has_run_out_follows_nobody(
    account: Account, laptop: Visitor, app: Flask
) -> None:
    ends = parse_time(laptop.accept_all().json["valid_until"])
    account.sign_in(laptop)
    parts = app.extensions["consent"]
    app.extensions["consent"] = dataclasses.replace(parts, now=lambda: ends)
    claim = account.claim(expires=int(ends.timestamp()) + 60)
    assert account.client.post("/w/smilee/identify", json=claim).json["receipt"] is None
