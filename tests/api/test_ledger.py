"""Ledger routes: checkpoints and proofs for everybody, verifiable without this server."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from flask.testing import FlaskClient

from consent_server.rules.checkpoint import parse_checkpoint
from consent_server.rules.merkle import is_consistent, is_included
from consent_server.rules.note import parse_note, parse_verifier_key, verify_note
from consent_server.sealing import seal_waiting
from consent_server.signing import Signer, verify_signature
from consent_server.store.database import Database
from tests.visitor import Visitor


def seal(database: Database, signer: Signer) -> None:
    seal_waiting(database, signer, now=datetime.now(UTC))


def test_a_receipt_is_proved_with_what_the_server_hands_out(
    visitor: Visitor, database: Database, signer: Signer, client: FlaskClient
) -> None:
    receipt = visitor.accept_all().json
    assert receipt is not None
    seal(database, signer)
    old = client.get("/w/smilee/ledger/checkpoint")
    assert old.mimetype == "text/plain"
    visitor.withdraw()
    seal(database, signer)

    keys = client.get("/w/smilee/ledger/keys").json
    assert keys is not None
    trusted = [parse_verifier_key(key) for key in keys["keys"]]
    proof = client.get(f"/w/smilee/ledger/proof?event_id={receipt['event_id']}").json
    assert proof is not None
    note = parse_note(proof["checkpoint"].encode())
    assert verify_note(note, trusted, verify_signature)
    checkpoint = parse_checkpoint(note.text)
    assert checkpoint.origin == keys["origin"]
    path = [bytes.fromhex(one) for one in proof["path"]]
    leaf = bytes.fromhex(receipt["leaf_hash"])
    assert is_included(leaf, proof["leaf_index"], checkpoint.size, path, checkpoint.root)

    first = parse_checkpoint(parse_note(old.data).text)
    grown = client.get(f"/w/smilee/ledger/consistency?old={first.size}").json
    assert grown is not None
    path = [bytes.fromhex(one) for one in grown["path"]]
    assert grown["new"] == checkpoint.size == first.size + 1
    assert is_consistent(first.size, first.root, checkpoint.size, checkpoint.root, path)
    again = client.get(f"/w/smilee/ledger/checkpoints/{first.size}")
    assert again.data == old.data


def test_a_page_of_any_origin_may_read_them(
    visitor: Visitor, database: Database, signer: Signer, client: FlaskClient
) -> None:
    seal(database, signer)
    answer = client.get("/w/smilee/ledger/checkpoint", headers={"Origin": "https://else.example"})
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("what", ["checkpoint", "keys", "proof?event_id={0}"])
def test_before_anything_is_sealed_the_answer_says_to_come_back(
    client: FlaskClient, what: str
) -> None:
    answer = client.get(f"/w/smilee/ledger/{what.format(uuid4())}")
    assert answer.status_code == 404
    assert answer.json is not None
    assert "seconds" in answer.json["detail"]


@pytest.mark.parametrize(
    ("what", "status"),
    [
        ("proof", 422),
        ("proof?event_id=1", 422),
        ("proof?event_id={0}&x=1", 422),
        ("consistency", 422),
        ("consistency?old=-1", 422),
        ("consistency?old=1.0", 422),
        ("consistency?old=9", 404),
        ("consistency?old=1&new=9", 404),
        ("consistency?old=2&new=1", 404),
        ("consistency?old=999999999999999999", 404),
        ("checkpoints/99", 404),
        ("checkpoints/0", 404),
        ("checkpoints/99999999999999999999999", 404),
    ],
)
def test_a_question_that_makes_no_sense_gets_a_clear_answer(
    client: FlaskClient, database: Database, signer: Signer, what: str, status: int
) -> None:
    seal(database, signer)
    answer = client.get(f"/w/smilee/ledger/{what.format(uuid4())}")
    assert answer.status_code == status
    assert answer.mimetype == "application/problem+json"


def test_the_ledger_of_a_retired_site_can_still_be_proved(
    visitor: Visitor, database: Database, signer: Signer, client: FlaskClient, admin: FlaskClient
) -> None:
    visitor.accept_all()
    assert admin.post("/api/v1/sites/smilee/retire").status_code == 200
    seal(database, signer)
    assert client.get("/w/smilee/ledger/checkpoint").status_code == 200
