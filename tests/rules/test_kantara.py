"""Kantara receipts: every field that v1.1.0 requires, and only what was granted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from consent_server.rules.kantara import build_kantara_receipt
from consent_server.site_form import load_site_form
from consent_server.snapshot import build_snapshot
from tests.conftest import ReadSite
from tests.rules.receipts import BASE, EVENT_ID, NOW, SUBJECT, receipt_of

SITES = ["getjenny", "jackbot", "jiminny", "smilee", "ujet"]

#: Required by sections 4.2 to 4.4 of the specification, with their JSON types.
TRANSACTION = {
    "version": str,
    "jurisdiction": str,
    "consentTimestamp": int,
    "collectionMethod": str,
    "consentReceiptID": str,
    "language": str,
    "piiPrincipalId": str,
    "piiControllers": list,
    "policyUrl": str,
    "services": list,
    "sensitive": bool,
    "spiCat": list,
}
CONTROLLER = {"piiController": str, "contact": str, "address": dict, "email": str, "phone": str}
PURPOSE = {
    "purpose": str,
    "purposeCategory": list,
    "consentType": str,
    "piiCategory": list,
    "termination": str,
    "thirdPartyDisclosure": bool,
}


def kantara(config: dict[str, Any], *services: str, **options: Any) -> dict[str, Any] | None:
    receipt = receipt_of(config, *services)
    return build_kantara_receipt(receipt, config, subject_id=SUBJECT, base=BASE, **options)


def _has(value: dict[str, Any], required: Mapping[str, type]) -> None:
    for name, kind in required.items():
        assert type(value[name]) is kind, name


@pytest.mark.parametrize("key", SITES)
def test_every_required_field_is_there_with_its_type(read_site: ReadSite, key: str) -> None:
    config = build_snapshot(load_site_form(read_site(key)))
    optional = [s["key"] for s in config["services"] if s["category"] != "necessary"]
    found = kantara(config, *optional)
    assert found is not None
    _has(found, TRANSACTION)
    assert found["version"] == "KI-CR-v1.1.0"
    assert found["consentReceiptID"] == EVENT_ID
    assert found["consentTimestamp"] == int(NOW.timestamp())
    assert found["piiPrincipalId"] == SUBJECT
    for controller in found["piiControllers"]:
        _has(controller, CONTROLLER)
    assert len(found["services"]) == len(optional)
    for service in found["services"]:
        assert service["service"]
        for purpose in service["purposes"]:
            _has(purpose, PURPOSE)
            assert purpose["consentType"] == "EXPLICIT"
            assert bool(purpose.get("thirdPartyName")) == purpose["thirdPartyDisclosure"]


def test_only_what_was_granted_is_in_it(read_site: ReadSite) -> None:
    config = build_snapshot(load_site_form(read_site("smilee")))
    found = kantara(config, "google-analytics")
    assert found is not None
    assert [service["service"] for service in found["services"]] == ["Google Analytics"]


def test_a_refusal_has_no_receipt_of_consent(read_site: ReadSite) -> None:
    assert kantara(build_snapshot(load_site_form(read_site("smilee")))) is None


def test_a_policy_of_the_site_itself_is_told_with_its_origin(read_site: ReadSite) -> None:
    found = kantara(build_snapshot(load_site_form(read_site("smilee"))), "smilee-chat")
    assert found is not None
    assert found["policyUrl"] == "http://127.0.0.1:8000/demo/smilee/privacy"


def test_a_proof_is_told_as_it_is(read_site: ReadSite) -> None:
    config = build_snapshot(load_site_form(read_site("smilee")))
    found = kantara(config, "smilee-chat", proof={"leaf_index": 4})
    assert found is not None
    assert found["proof"] == {"leaf_index": 4}
