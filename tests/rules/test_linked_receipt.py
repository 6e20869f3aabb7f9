"""Linked receipts: every field of the DPV guide, every word of ours, and no loose reference."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from consent_server.rules.decision import Kind
from consent_server.rules.linked_receipt import CONTEXT, link_receipt
from consent_server.site_form import load_site_form
from consent_server.snapshot import build_snapshot
from tests.conftest import ReadSite
from tests.rules.receipts import BASE, EVENT_ID, SUBJECT, receipt_of

SITES = ["getjenny", "jackbot", "jiminny", "smilee", "ujet"]

#: What the guide's tables call mandatory: of the receipt, the record, a process, a party.
OF_A_RECEIPT = {
    "dct:conformsTo",
    "dpv:hasIdentifier",
    "dct:created",
    "dpv:hasRecordOfActivity",
}
OF_A_RECORD = {
    "dct:conformsTo",
    "dct:identifier",
    "dpv:hasDataSubject",
    "dpv:hasDataController",
    "dpv:hasAuthority",
    "dpv:hasJurisdiction",
    "dpv:hasLegalBasis",
    "dpv:hasNotice",
    "dpv:hasConsentControl",
    "dpv:hasRight",
    "dpv:hasConsentStatus",
    "dpv:hasProcess",
}
OF_A_PROCESS = {
    "dpv:hasPurpose",
    "dpv:hasLegalBasis",
    "dpv:hasPersonalData",
    "dpv:hasStorageCondition",
    "dpv:hasRecipient",
    "dpv:hasService",
    "dpv:hasConsentStatus",
}
OF_AN_EVENT = {
    "@type",
    "dpv:isIndicatedBy",
    "dpv:hasIndicationMethod",
    "dpv:isIndicatedAtTime",
    "dpv:hasDuration",
}


def linked(config: dict[str, Any], *services: str, **changes: Any) -> dict[str, Any]:
    receipt = receipt_of(config, *services, **changes)
    return link_receipt(receipt, config, subject_id=SUBJECT, base=BASE)


@pytest.fixture
def config(read_site: ReadSite) -> dict[str, Any]:
    return build_snapshot(load_site_form(read_site("smilee")))


def _nodes(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if "@value" in value:
            return
        yield value
        for inner in value.values():
            yield from _nodes(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _nodes(inner)


@pytest.mark.parametrize("key", SITES)
def test_every_field_that_the_guide_requires_is_there(read_site: ReadSite, key: str) -> None:
    config = build_snapshot(load_site_form(read_site(key)))
    receipt = linked(config)
    assert set(receipt) >= OF_A_RECEIPT
    record = receipt["dpv:hasRecordOfActivity"]
    assert set(record) >= OF_A_RECORD
    assert set(record["dpv:hasConsentStatus"]) == OF_AN_EVENT
    optional = [s for s in config["services"] if s["category"] != "necessary"]
    assert [one["dct:identifier"] for one in record["dpv:hasProcess"]] == [
        s["key"] for s in optional
    ]
    for process in record["dpv:hasProcess"]:
        assert set(process) >= OF_A_PROCESS


def test_every_name_is_of_a_vocabulary_that_the_context_spells_out(config: dict[str, Any]) -> None:
    receipt = linked(config, "google-analytics")
    assert set(receipt["@context"].values()) == set(CONTEXT.values())
    del receipt["@context"]
    for node in _nodes(receipt):
        types = node.get("@type", [])
        names = [name for name in node if not name.startswith("@")]
        for name in names + (types if isinstance(types, list) else [types]):
            assert name.partition(":")[0] in CONTEXT, name
        identifier = node.get("@id", "urn:uuid:")
        assert identifier.partition(":")[0] in {*CONTEXT, "https", "urn"}, identifier


def test_each_service_has_its_own_state(config: dict[str, Any]) -> None:
    [*processes] = linked(config, "google-analytics")["dpv:hasRecordOfActivity"]["dpv:hasProcess"]
    states = {one["dct:identifier"]: one["dpv:hasConsentStatus"]["@id"] for one in processes}
    assert states.pop("google-analytics") == "dpv:ConsentGiven"
    assert set(states.values()) == {"dpv:ConsentRefused"}


@pytest.mark.parametrize(
    ("kind", "state"),
    [(Kind.REFUSED, "dpv:ConsentRefused"), (Kind.WITHDRAWN, "dpv:ConsentWithdrawn")],
)
def test_a_withdrawal_is_told_from_a_refusal(
    config: dict[str, Any], kind: Kind, state: str
) -> None:
    record = linked(config, kind=kind)["dpv:hasRecordOfActivity"]
    assert state in record["dpv:hasConsentStatus"]["@type"]
    for process in record["dpv:hasProcess"]:
        assert process["dpv:hasConsentStatus"] == {"@id": state}


def test_what_was_shown_and_where_to_withdraw_are_addresses(config: dict[str, Any]) -> None:
    record = linked(config)["dpv:hasRecordOfActivity"]
    assert record["dpv:hasNotice"]["@id"] == f"{BASE}/versions/3?language=sv"
    assert record["dpv:hasConsentControl"]["dpv:isExercisedAt"] == {"@id": f"{BASE}/me"}


def test_nothing_of_the_receipt_is_lost(config: dict[str, Any]) -> None:
    receipt = receipt_of(config, "smilee-chat")
    text = json.dumps(linked(config, "smilee-chat"))
    for value in receipt.values():
        assert json.dumps(value) in text


def test_a_category_without_services_is_a_process_of_its_own(read_site: ReadSite) -> None:
    site = read_site("smilee")
    site["categories"].append(
        {
            "key": "research",
            "name": dict.fromkeys(site["languages"], "Research"),
            "description": dict.fromkeys(site["languages"], "Interviews."),
        }
    )
    config = build_snapshot(load_site_form(site))
    [*_, last] = linked(config, "research")["dpv:hasRecordOfActivity"]["dpv:hasProcess"]
    assert last["dct:identifier"] == "research"
    assert last["dpv:hasConsentStatus"] == {"@id": "dpv:ConsentGiven"}


def test_a_proof_is_told_as_it_is(config: dict[str, Any]) -> None:
    proof = {"leaf_index": 4, "hashes": ["00"], "checkpoint": "example.com/ledger/1\n5\n"}
    receipt = receipt_of(config)
    found = link_receipt(receipt, config, subject_id=SUBJECT, base=BASE, proof=proof)
    assert found["record:proof"]["@value"] == proof
    assert "record:proof" not in linked(config)
    assert found["dct:identifier"] == EVENT_ID
