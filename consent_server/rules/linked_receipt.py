"""Receipts as linked data: JSON-LD aligned with ISO/IEC TS 27560:2023, in terms of DPV 2.

The fields follow the guide "Consent Records and Receipts as per ISO/IEC TS 27560:2023
using DPV" of the W3C's Data Privacy Vocabularies and Controls Community Group. Nothing
here was certified by anybody.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from consent_server.rules.decision import NECESSARY, Kind
from consent_server.rules.lifetime import parse_lifetime
from consent_server.rules.regimes import Regime, running_first

Json = dict[str, Any]

RECEIPT_PROFILE: Final = "https://w3id.org/dpv/schema/dpv-27560#receipt-eu-gdpr"
RECORD_PROFILE: Final = "https://w3id.org/dpv/schema/dpv-27560#record-eu-gdpr"

#: Written out, so that no reader fetches anything.
CONTEXT: Final = {
    "dpv": "https://w3id.org/dpv#",
    "eu-gdpr": "https://w3id.org/dpv/legal/eu/gdpr#",
    "loc": "https://w3id.org/dpv/loc#",
    "dct": "http://purl.org/dc/terms/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "schema": "https://schema.org/",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    # What no vocabulary has a word for: our own fields, as docs/audit.md explains them.
    "record": "urn:consent-server:record:",
}

_PURPOSES: Final = {
    "functional": "dpv:ServiceProvision",
    "analytics": "dpv:ServiceUsageAnalytics",
    "marketing": "dpv:Marketing",
}
_STATES: Final = {
    Kind.GIVEN: "dpv:ConsentGiven",
    Kind.CHANGED: "dpv:ConsentGiven",
    Kind.REFUSED: "dpv:ConsentRefused",
    Kind.WITHDRAWN: "dpv:ConsentWithdrawn",
    Kind.EXPIRED: "dpv:ConsentExpired",
}
#: ISO 8601 durations of the lifetimes that have a number.
_DURATIONS: Final = {
    "minute": "PT{}M",
    "hour": "PT{}H",
    "day": "P{}D",
    "week": "P{}W",
    "month": "P{}M",
    "year": "P{}Y",
}
_RIGHTS: Final = (
    ("eu-gdpr:A7-3", "Right to withdraw consent"),
    ("eu-gdpr:A15", "Right of access"),
    ("eu-gdpr:A17", "Right to erasure"),
    ("eu-gdpr:A20", "Right to data portability"),
    ("eu-gdpr:A77", "Right to lodge a complaint with a supervisory authority"),
)
#: Of the receipt, as it stands: what the ledger holds and DPV does not name.
_OWN_FIELDS: Final = (
    "schema",
    "site",
    "kind",
    "method",
    "layer",
    "version",
    "version_hash",
    "script_hash",
    "regime",
    "region",
    "signals",
    "grants",
    "decided_at",
    "subject_commitment",
    "leaf_hash",
    "salt",
)


def link_receipt(
    receipt: Mapping[str, Any],
    config: Mapping[str, Any],
    *,
    subject_id: str,
    base: str,
    proof: Mapping[str, Any] | None = None,
) -> Json:
    """Return the receipt as a JSON-LD document.

    `config` is the snapshot of the version that the receipt names, `base` the address of
    the site's public endpoints (https://consent.example.com/w/shop). `proof`, once the
    record is sealed, is told as it is.
    """
    event_id = str(receipt["event_id"])
    own = {f"record:{name}": receipt[name] for name in _OWN_FIELDS if receipt[name] is not None}
    if proof is not None:
        own["record:proof"] = {"@type": "@json", "@value": dict(proof)}
    for name in ("grants", "signals"):
        own[f"record:{name}"] = {"@type": "@json", "@value": receipt[name]}
    return {
        "@context": dict(CONTEXT),
        "@id": f"urn:uuid:{event_id}",
        "@type": "dpv:ConsentReceipt",
        "dct:conformsTo": _iri(RECEIPT_PROFILE),
        "dct:identifier": event_id,
        "dpv:hasIdentifier": event_id,
        "dct:created": receipt["received_at"],
        "dpv:hasRecordOfActivity": _record(receipt, config, subject_id, base),
        **own,
    }


def _record(
    receipt: Mapping[str, Any], config: Mapping[str, Any], subject_id: str, base: str
) -> Json:
    event_id, controller = str(receipt["event_id"]), config["controller"]
    subject = {"@type": "dpv:DataSubject", "dct:identifier": subject_id}
    return {
        "@type": "dpv:ConsentRecord",
        "dct:conformsTo": _iri(RECORD_PROFILE),
        "dct:identifier": event_id,
        "dpv:hasDataSubject": subject,
        "dpv:hasDataController": _controller(config),
        "dpv:hasAuthority": _authority(config),
        "dpv:hasJurisdiction": _iri(f"loc:{receipt['region'] or controller['country']}"),
        "dpv:hasApplicableLaw": _iri("eu-gdpr:GDPR"),
        "dpv:hasLegalBasis": _iri("eu-gdpr:A6-1-a"),
        "dpv:hasNotice": {
            "@id": f"{base}/versions/{receipt['version']}?language={receipt['language']}",
            "@type": "dpv:ConsentNotice",
            "dct:language": receipt["language"],
            "dct:identifier": receipt["version_hash"],
        },
        "dpv:hasConsentControl": {
            "@type": ["dpv:ProvideConsent", "dpv:WithdrawConsent"],
            "dpv:isExercisedAt": _iri(f"{base}/me"),
        },
        "dpv:hasRight": [_right(law, title, config, base) for law, title in _RIGHTS],
        "dpv:hasConsentStatus": {
            "@type": [_STATES[Kind(receipt["kind"])], "dpv:ExpressedConsent"],
            "dpv:isIndicatedBy": subject,
            "dpv:hasIndicationMethod": f"{receipt['layer']}: {receipt['method']}",
            "dpv:isIndicatedAtTime": receipt["received_at"],
            "dpv:hasDuration": {
                "@type": "dpv:UntilTimeDuration",
                "rdf:value": receipt["valid_until"],
            },
        },
        "dpv:hasProcess": list(_processes(receipt, config)),
    }


def _processes(receipt: Mapping[str, Any], config: Mapping[str, Any]) -> Iterator[Json]:
    """Yield one process for each service that the visitor decided on, granted or not."""
    words = config["texts"][receipt["language"]]
    services = {service["key"]: service for service in config["services"]}
    unasked = running_first(config, Regime(receipt["regime"]))
    for category in config["categories"]:
        if category["key"] == NECESSARY:
            continue
        is_asked = category["key"] not in unasked
        purpose = {
            "@type": "dpv:Purpose",
            "skos:broader": _iri(_PURPOSES.get(category["key"], "dpv:Purpose")),
            "dct:title": words["categories"][category["key"]]["name"],
        }
        for key in category["services"]:
            yield _process(receipt, services[key], words["services"][key], purpose, is_asked)
        if not category["services"]:
            told = words["categories"][category["key"]]
            yield {
                "@type": "dpv:Process",
                "dct:identifier": category["key"],
                "dpv:hasPurpose": {**purpose, "dct:description": told["description"]},
                "dpv:hasConsentStatus": _iri(_state(receipt, category["key"], is_asked)),
            }


def _process(
    receipt: Mapping[str, Any],
    service: Mapping[str, Any],
    words: Mapping[str, Any],
    purpose: Mapping[str, Any],
    is_asked: bool,
) -> Json:
    names = ", ".join(item["name"] for item in service["items"])
    countries = [service["country"], *service["transfers"]]
    recipients = [service["provider"], *(one["name"] for one in service["processors"])]
    return {
        "@type": "dpv:Process",
        "dct:identifier": service["key"],
        "dpv:hasService": {"@type": "dpv:Service", "dct:title": words["name"]},
        "dpv:hasPurpose": {**purpose, "dct:description": words["purpose"]},
        "dpv:hasLegalBasis": _iri("eu-gdpr:A6-1-a" if is_asked else "dpv:LegalBasis"),
        "dpv:hasPersonalData": {
            "@type": "dpv:PersonalData",
            "dct:title": names or words["name"],
            "dct:description": words["purpose"],
        },
        "dpv:hasRecipient": [
            {"@type": "dpv:ThirdParty", "dpv:hasName": name} for name in recipients
        ],
        "dpv:hasStorageCondition": [
            {
                "@type": "dpv:StorageLocation",
                "dpv:hasLocation": [_iri(f"loc:{code}") for code in countries if code],
            },
            {"@type": "dpv:StorageDuration", "dpv:hasDuration": _duration(service["retention"])},
        ],
        "dpv:hasConsentStatus": _iri(_state(receipt, service["key"], is_asked)),
    }


def _state(receipt: Mapping[str, Any], key: str, is_asked: bool) -> str:
    if receipt["grants"][key]:
        # What runs before the visitor says so was not consented to.
        return _STATES[Kind.GIVEN] if is_asked else "dpv:ConsentUnknown"
    is_withdrawal = receipt["kind"] == Kind.WITHDRAWN
    return _STATES[Kind.WITHDRAWN if is_withdrawal else Kind.REFUSED]


def _duration(lifetime: str) -> Any:
    parsed = parse_lifetime(lifetime)
    if parsed is None or parsed.unit not in _DURATIONS:
        return {"@type": "dpv:UntilEventDuration", "rdf:value": lifetime}
    return _DURATIONS[parsed.unit].format(parsed.number)


def _controller(config: Mapping[str, Any]) -> Json:
    controller = config["controller"]
    contact = config["data_protection"] or controller
    found = {
        "@type": "dpv:DataController",
        "dpv:hasName": controller["name"],
        "dpv:hasIdentifier": controller["registration"] or controller["name"],
        "schema:address": {
            "@type": "schema:PostalAddress",
            "schema:streetAddress": controller["address"],
            "schema:addressCountry": controller["country"],
        },
        "schema:email": controller["email"],
        "schema:contactPoint": {"@type": "schema:ContactPoint", "schema:email": contact["email"]},
    }
    return {**found, "schema:telephone": controller["phone"]} if controller["phone"] else found


def _authority(config: Mapping[str, Any]) -> Json:
    authority = config["supervisory_authority"]
    return {
        "@type": "dpv:Authority",
        "dpv:hasName": authority["name"],
        "schema:url": _iri(authority["url"]),
    }


def _right(law: str, title: str, config: Mapping[str, Any], base: str) -> Json:
    is_complaint = law == "eu-gdpr:A77"
    place = config["supervisory_authority"]["url"] if is_complaint else f"{base}/me"
    return {
        "@type": ["dpv:DataSubjectRight", law],
        "dct:title": title,
        "dpv:isExercisedAt": _iri(place),
    }


def _iri(value: str) -> Json:
    """Return a reference: a bare string would be words to a JSON-LD reader."""
    return {"@id": value}
