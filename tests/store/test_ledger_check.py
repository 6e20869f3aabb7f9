"""Checking the ledger on both databases: whatever is changed behind the triggers is found."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from consent_server import ledger_check
from consent_server.ledger_check import BrokenLedger
from consent_server.signing import Signer
from consent_server.store.database import Database
from tests.visitor import Visitor

from .sealed import Seal, check, remove_triggers

CHANGES = {
    "a field of a record": "UPDATE consent_event SET region = 'FI'",
    "what many records say": "UPDATE answer SET language = 'xx'",
    "what is not said any more": "DELETE FROM answer",
    "what a record says": (
        "UPDATE consent_event SET answer_number = (SELECT max(number) FROM answer)"
    ),
    "a hash that was sealed": (
        "UPDATE ledger_leaf SET leaf_hash = "
        "(SELECT subject_commitment FROM consent_event LIMIT 1) WHERE leaf_index = 2"
    ),
    "a record taken out": "DELETE FROM consent_event",
    "a leaf taken out": "DELETE FROM ledger_leaf WHERE leaf_index = 2",
    "the last leaf taken out": "DELETE FROM ledger_leaf WHERE leaf_index = 3",
    "an administrator's act": "UPDATE admin_event SET actor = 'nobody'",
    "the words of a version": "UPDATE site_version SET config_hash = 'a'",
    "a checkpoint's note": "UPDATE checkpoint SET note = replace(note, 'sealed 2', 'sealed 1')",
    "two leaves swapped": (
        "UPDATE ledger_leaf SET leaf_index = CASE leaf_index WHEN 1 THEN -1 ELSE -2 END "
        "WHERE leaf_index IN (1, 2)"
    ),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_every_change_behind_the_triggers_is_found(
    visitor: Visitor, store: Database, seal: Seal, signer: Signer, change: str
) -> None:
    visitor.accept_all()
    visitor.withdraw()
    seal()
    assert check(store, signer) == 4
    with store.write() as session:
        remove_triggers(store)
        session.execute(text(change))
        if "-1" in change:
            session.execute(
                text(
                    "UPDATE ledger_leaf SET leaf_index = CASE leaf_index "
                    "WHEN -1 THEN 2 ELSE 1 END WHERE leaf_index < 0"
                )
            )
    with pytest.raises(BrokenLedger):
        check(store, signer)


def test_a_ledger_of_several_readings_is_checked_to_its_end(
    visitor: Visitor,
    store: Database,
    seal: Seal,
    signer: Signer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ledger_check, "_AT_ONCE", 2)
    for _ in range(3):
        for _ in range(3):
            visitor.accept_all()
        seal()
    assert check(store, signer) == 11


def test_a_change_names_the_record(
    visitor: Visitor, store: Database, seal: Seal, signer: Signer
) -> None:
    receipts = [visitor.accept_all().json, visitor.withdraw().json]
    seal()
    remove_triggers(store)
    assert receipts[1] is not None
    with store.write() as session:
        session.execute(text("UPDATE answer SET kind = 'given' WHERE kind = 'withdrawn'"))
    with pytest.raises(BrokenLedger) as found:
        check(store, signer)
    assert f"Record 2 (event {receipts[1]['event_id']}) was changed" in found.value.detail


def test_a_root_signed_with_the_true_key_over_changed_leaves_is_found(
    visitor: Visitor, store: Database, seal: Seal, signer: Signer
) -> None:
    visitor.accept_all()
    seal()
    visitor.withdraw()
    seal()
    remove_triggers(store)
    with store.write() as session:
        session.execute(text("DELETE FROM checkpoint WHERE size = 3"))
        session.execute(
            text("UPDATE ledger_leaf SET leaf_hash = (SELECT leaf_hash FROM admin_event LIMIT 1)")
        )
    with pytest.raises(BrokenLedger):
        check(store, signer)
