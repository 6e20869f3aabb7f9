"""Receipts in the form of the Kantara Consent Receipt Specification v1.1.0 (2018).

That form knows consent that was given and nothing else, so a refusal has none. Nothing
here was certified by anybody.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from consent_server.rules.decision import NECESSARY
from consent_server.rules.regimes import Regime, running_first
from consent_server.rules.times import parse_time

Json = dict[str, Any]

VERSION: Final = "KI-CR-v1.1.0"

#: Appendix B of the specification, for the categories that every site knows.
_PURPOSE_CATEGORIES: Final = {
    "functional": "5 - Personalized Experience",
    "analytics": "16 - Improve Performance",
    "marketing": "6 - Marketing",
}
#: Of what runs before the visitor says so: silence is no consent.
_NOT_ASKED: Final = "not asked: runs until the visitor refuses it"
#: Appendix A: what a browser tells a service.
_PII_CATEGORY: Final = "Network/Service"


def build_kantara_receipt(
    receipt: Mapping[str, Any],
    config: Mapping[str, Any],
    *,
    subject_id: str,
    base: str,
    proof: Mapping[str, Any] | None = None,
) -> Json | None:
    """Return the receipt with every field that v1.1.0 requires; None where nothing is granted.

    `config` is the snapshot of the version that the receipt names, `base` the address of
    the site's public endpoints.
    """
    services = list(_services(receipt, config))
    if not services:
        return None
    controller, policy = config["controller"], config["links"]["policy"][receipt["language"]]
    is_page = policy.startswith("/")
    found: Json = {
        "version": VERSION,
        "jurisdiction": receipt["region"] or controller["country"],
        "consentTimestamp": int(parse_time(receipt["received_at"]).timestamp()),
        "collectionMethod": f"web page, {receipt['layer']}: {receipt['method']}",
        "consentReceiptID": str(receipt["event_id"]),
        "language": receipt["language"],
        "piiPrincipalId": subject_id,
        "piiControllers": [
            {
                "piiController": controller["name"],
                "onBehalf": False,
                "contact": (config["data_protection"] or {}).get("name") or controller["name"],
                "address": {
                    "streetAddress": controller["address"],
                    "addressCountry": controller["country"],
                },
                "email": (config["data_protection"] or controller)["email"],
                "phone": controller["phone"],
            }
        ],
        "policyUrl": f"{config['origins'][0]}{policy}" if is_page else policy,
        "services": services,
        "sensitive": False,
        "spiCat": [],
        # Beside the form, which does not forbid it: what was shown, and the ledger's hash.
        "noticeUrl": f"{base}/versions/{receipt['version']}?language={receipt['language']}",
        "noticeHash": receipt["version_hash"],
        "leafHash": receipt["leaf_hash"],
    }
    return found if proof is None else {**found, "proof": dict(proof)}


def _services(receipt: Mapping[str, Any], config: Mapping[str, Any]) -> Iterator[Json]:
    words = config["texts"][receipt["language"]]
    services = {service["key"]: service for service in config["services"]}
    unasked = running_first(config, Regime(receipt["regime"]))
    for category in config["categories"]:
        key, told = category["key"], words["categories"][category["key"]]
        if key == NECESSARY:
            continue
        purpose_category, is_asked = _PURPOSE_CATEGORIES.get(key, told["name"]), key not in unasked
        for name in category["services"]:
            if receipt["grants"][name]:
                purpose = _purpose(
                    words["services"][name]["purpose"], purpose_category, receipt, is_asked
                )
                yield _service(services[name], words["services"][name], purpose)
        if not category["services"] and receipt["grants"][key]:
            purpose = _purpose(told["description"], purpose_category, receipt, is_asked)
            yield {"service": told["name"], "purposes": [purpose]}


def _service(service: Mapping[str, Any], words: Mapping[str, Any], purpose: Json) -> Json:
    recipients = [service["provider"], *(one["name"] for one in service["processors"])]
    purpose = {
        **purpose,
        "thirdPartyDisclosure": True,
        "thirdPartyName": ", ".join(recipients),
    }
    return {"service": words["name"], "purposes": [purpose]}


def _purpose(text: str, purpose_category: str, receipt: Mapping[str, Any], is_asked: bool) -> Json:
    return {
        "purpose": text,
        "purposeCategory": [purpose_category],
        # The specification wants what is not explicit described.
        "consentType": "EXPLICIT" if is_asked else _NOT_ASKED,
        "piiCategory": [_PII_CATEGORY],
        "primaryPurpose": False,
        "termination": receipt["valid_until"],
        "thirdPartyDisclosure": False,
    }
