"""Receipts: the leaf is bound to every field, and to the subject only through a salt."""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from consent_server.rules.decision import Kind
from consent_server.rules.receipt import (
    Event,
    LeafForm,
    Template,
    build_receipt,
    commit_subject,
    hash_event,
    leaf_entry,
    subject_key,
    varying_of,
)

NOW = datetime(2026, 11, 22, 16, 47, tzinfo=UTC)
SALT, SUBJECT = bytes(32), "0123456789abcdef0123456789abcdef"
EVENT = Event(
    site="smilee",
    event_id=UUID("7f3f2d7e-64d6-4d0a-9d0d-54e2b1a7c001"),
    kind=Kind.GIVEN,
    method="accept_all",
    layer="notice",
    version=1,
    version_hash="a" * 64,
    script_hash="b" * 64,
    language="sv",
    regime="opt_in",
    region="",
    signals={},
    grants={"analytics": True},
    decided_at=NOW,
    received_at=NOW,
    valid_until=NOW + timedelta(days=180),
    subject_commitment=commit_subject(SALT, subject_key(SUBJECT)),
)
EXPECTED_LEAF = "432a3395ecce25c16f130f808f86cda19b666ce283d13da84058dcf04aff33d9"
OTHER: dict[type, Any] = {
    str: "other",
    int: 2,
    dict: {"other": True},
    datetime: NOW + timedelta(milliseconds=1),
    bytes: bytes(32),
    UUID: UUID("7f3f2d7e-64d6-4d0a-9d0d-54e2b1a7c002"),
    Kind: Kind.CHANGED,
}


@pytest.mark.parametrize("name", [field.name for field in fields(Event)])
def test_every_field_is_bound_by_the_hash(name: str) -> None:
    changed = replace(EVENT, **{name: OTHER[type(getattr(EVENT, name))]})
    assert hash_event(changed) != hash_event(EVENT)


def test_anyone_can_compute_the_leaf_from_a_receipt() -> None:
    receipt = build_receipt(EVENT, hash_event(EVENT), SALT)
    leaf = {name: value for name, value in receipt.items() if name not in {"leaf_hash", "salt"}}
    assert hashlib.sha256(b"\x00" + rfc8785.dumps(leaf)).hexdigest() == receipt["leaf_hash"]


def test_the_visitor_alone_can_show_that_a_record_is_theirs() -> None:
    receipt = build_receipt(EVENT, hash_event(EVENT), SALT)
    key = hashlib.sha256(SUBJECT.encode()).digest()
    opened = hashlib.sha256(bytes.fromhex(receipt["salt"]) + key).hexdigest()
    assert opened == receipt["subject_commitment"]


def test_an_erased_record_gives_no_salt_away() -> None:
    assert build_receipt(EVENT, hash_event(EVENT), None)["salt"] is None


def test_the_leaf_names_no_person() -> None:
    entry = leaf_entry(EVENT)
    assert SUBJECT not in str(entry)
    assert subject_key(SUBJECT).hex() not in str(entry)


def test_the_form_of_the_leaf_is_fixed() -> None:
    # Records already hashed must verify for ever: a change here needs a new LEAF_SCHEMA.
    assert hash_event(EVENT).hex() == EXPECTED_LEAF


@given(
    st.uuids(),
    st.lists(st.datetimes(datetime(2000, 1, 1), datetime(2099, 1, 1)), min_size=3, max_size=3),
    st.dictionaries(st.text(max_size=9), st.booleans(), max_size=4),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=9),
    st.binary(min_size=32, max_size=32),
)
def test_a_form_hashes_what_the_event_hashes(
    event_id: UUID,
    times: list[datetime],
    grants: dict[str, bool],
    region: str,
    commitment: bytes,
) -> None:
    like = replace(EVENT, region=region, grants=grants)
    decided, received, valid = (one.replace(tzinfo=UTC) for one in times)
    event = replace(
        like,
        event_id=event_id,
        decided_at=decided,
        received_at=received,
        valid_until=valid,
        subject_commitment=commitment,
    )
    form = LeafForm(leaf_entry(like))
    assert form.hash(varying_of(event)) == hash_event(event)
    assert form.entry(varying_of(event)) == leaf_entry(event)
    assert list(form.entry(varying_of(event))) == list(leaf_entry(event))


def test_what_is_alike_may_hold_signs_of_every_kind() -> None:
    template = Template(json.dumps, {"a": "%s %% <b> \u00e4", "c": "1"}, ["c"])
    assert json.loads(template.fill({"c": "2"})) == {"a": "%s %% <b> \u00e4", "c": "2"}


def test_a_mark_that_stands_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="more than once"):
        Template(json.dumps, {"a": "<b>", "b": "1"}, ["b"])
