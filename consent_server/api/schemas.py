"""Forms on the wire, both directions."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Any
from uuid import UUID

from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema

from consent_server.errors import Conflict
from consent_server.forms import (
    Map,
    StrictBoolean,
    StrictForm,
    WholeNumber,
    key_field,
    matching,
    text,
)
from consent_server.reasons import MAX_REASON
from consent_server.rules.decision import (
    COPYING,
    SUBJECT_ID,
    Decision,
    Kind,
    Layer,
    Method,
    Signal,
)
from consent_server.rules.times import NotATime, parse_time
from consent_server.rules.unasked import without_marks

UUID_PATTERN = r"^[0-9a-f]{8}-[0-9a-f]{4}-[47][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"
_HEX_16 = r"^[0-9a-f]{16}$"
_HEX_64 = r"^[0-9a-f]{64}$"
_SUBJECT = f"^{SUBJECT_ID.pattern}$"
#: Digits, since a query is text; no more than a signed 64-bit number has.
_SIZE = r"^(0|[1-9][0-9]{0,17})$"
MAX_VERSION = 1_000_000
#: A decision answers at most this many categories and services.
MAX_GRANTS = 400


class Moment(fields.String):
    """An RFC 3339 date-time, read into an aware UTC datetime."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("metadata", {}).update(format="date-time")
        super().__init__(**options)

    def _deserialize(self, value: Any, attr: Any, data: Any, **options: Any) -> Any:
        written = super()._deserialize(value, attr, data, **options)
        try:
            return parse_time(written)
        except NotATime as error:
            raise ValidationError(error.detail) from error


def one_of(*words: StrEnum) -> fields.String:
    """Return a field for some words of an enum, as the leaf spells them."""
    return fields.String(required=True, validate=validate.OneOf([str(word) for word in words]))


class ReceiptSchema(Schema):
    """The visitor's copy of one recorded decision."""

    schema = fields.Integer(required=True, metadata={"description": "Version of the leaf's form."})
    site = fields.String(required=True)
    event_id = fields.UUID(required=True)
    kind = one_of(*Kind)
    method = one_of(*Method)
    layer = one_of(*Layer)
    version = fields.Integer(required=True)
    version_hash = fields.String(required=True, metadata={"description": "SHA-256, hex"})
    script_hash = fields.String(required=True, metadata={"description": "SHA-256, hex"})
    language = fields.String(required=True)
    regime = fields.String(required=True)
    region = fields.String(required=True)
    signals = fields.Dict(required=True)
    grants = fields.Dict(keys=fields.String(), values=fields.Boolean(), required=True)
    decided_at = fields.String(required=True, metadata={"format": "date-time"})
    received_at = fields.String(required=True, metadata={"format": "date-time"})
    valid_until = fields.String(required=True, metadata={"format": "date-time"})
    subject_commitment = fields.String(
        required=True, metadata={"description": "SHA-256(salt || SHA-256(subject id)), hex"}
    )
    leaf_hash = fields.String(
        required=True, metadata={"description": "SHA-256(0x00 || canonical JSON), hex (RFC 6962)"}
    )
    salt = fields.String(required=True, allow_none=True, metadata={"description": "hex"})


class ReceiptListSchema(Schema):
    """A visitor's own decisions, newest first."""

    decisions = fields.List(fields.Nested(ReceiptSchema), required=True)


class GrantsSchema(Schema):
    """What one visitor allows now."""

    site = fields.String(required=True)
    grants = fields.Dict(keys=fields.String(), values=fields.Boolean(), required=True)
    asked = fields.Boolean(
        required=True,
        metadata={"description": "Whether nothing of it is granted only since it ran unasked."},
    )
    decided = fields.Boolean(
        required=True, metadata={"description": "Whether everything that is asked now is answered."}
    )
    version = fields.Integer(required=True, metadata={"description": "On which they decided."})
    decided_at = fields.String(required=True, metadata={"format": "date-time"})
    valid_until = fields.String(required=True, metadata={"format": "date-time"})


class DecisionSchema(StrictForm):
    """A decision as the widget sends it."""

    decision_id = matching(UUID_PATTERN, "a lower-case UUID version 7 or 4", required=True)
    subject_id = matching(_SUBJECT, "16 random bytes as 32 hex digits", required=True)
    method = one_of(*(method for method in Method if method not in COPYING))
    layer = one_of(*(layer for layer in Layer if layer not in {Layer.PAGE, Layer.FORM}))
    signal = fields.String(load_default="", validate=validate.OneOf(["", *map(str, Signal)]))
    version = WholeNumber(required=True, validate=validate.Range(1, MAX_VERSION))
    script = matching(_HEX_16, "16 hex digits from the script's configuration", required=True)
    language = fields.String(required=True, validate=validate.Length(2, 16))
    grants = Map(
        keys=key_field(),
        values=StrictBoolean(required=True),
        required=True,
        validate=validate.Length(1, MAX_GRANTS),
        metadata={"minProperties": 1, "maxProperties": MAX_GRANTS},
    )
    decided_at = Moment(required=True)

    @post_load
    def build(self, data: dict[str, Any], **_options: Any) -> Decision:
        """Return the decision as the rules know it."""
        return Decision(
            **{
                **data,
                "decision_id": UUID(data["decision_id"]),
                "method": Method(data["method"]),
                "layer": Layer(data["layer"]),
                "grants": without_marks(data["grants"]),
            },
        )


class ProblemSchema(Schema):
    """Any error (RFC 9457)."""

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    errors = fields.Dict(metadata={"description": "Field path -> what is wrong there."})
    proof = fields.String(
        metadata={"description": "With `proof_needed`: the proof to send the decision again with."}
    )


class VersionSummarySchema(Schema):
    """One published version in a list."""

    version = fields.Integer(required=True)
    config_hash = fields.String(required=True)
    material_since = fields.Integer(required=True)
    published_at = fields.String(required=True, metadata={"format": "date-time"})


class FactSchema(Schema):
    """One thing that changed between two versions, in a word of a fixed list."""

    what = fields.String(required=True)
    key = fields.String(
        required=True,
        metadata={"description": "Service, category or language, where one is meant."},
    )
    names = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        required=True,
        metadata={"description": "Language -> name of that service or category."},
    )


class ArchivedVersionSchema(VersionSummarySchema):
    """One published version in its place in time."""

    shown_until = fields.String(required=True, allow_none=True, metadata={"format": "date-time"})
    asked_again = fields.Boolean(required=True)
    asked_again_because = fields.List(fields.Nested(FactSchema), required=True)
    changes = fields.List(fields.Nested(FactSchema), required=True)


class VersionListSchema(Schema):
    """Every published version of a site, newest first."""

    site = fields.String(required=True)
    versions = fields.List(fields.Nested(ArchivedVersionSchema), required=True)


class VersionSchema(ArchivedVersionSchema):
    """One published version with every word of it."""

    config = fields.Dict(required=True, metadata={"description": "The complete snapshot."})


class SiteSummarySchema(Schema):
    """One site in a list."""

    key = fields.String(required=True)
    name = fields.String(required=True)
    current_version = fields.Integer(required=True)
    created_at = fields.String(required=True, metadata={"format": "date-time"})
    retired_at = fields.String(required=True, allow_none=True, metadata={"format": "date-time"})


class SiteListSchema(Schema):
    """Every site of this server."""

    sites = fields.List(fields.Nested(SiteSummarySchema), required=True)


class PeriodQuerySchema(StrictForm):
    """Which records, by the time that the server received them."""

    since = Moment(data_key="from", metadata={"description": "received at or after"})
    until = Moment(data_key="to", metadata={"description": "received before"})

    @validates_schema
    def check_order(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse a period in which no time lies: its export would look like an empty ledger."""
        if "since" in data and "until" in data and data["since"] >= data["until"]:
            raise Conflict("No time lies in this period: `from` must lie before `to`.")


class LedgerKeysSchema(Schema):
    """Who signs the ledger of a site."""

    site = fields.String(required=True)
    origin = fields.String(required=True, metadata={"description": "The ledger's name in notes."})
    keys = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "Verifier keys (C2SP signed-note), oldest first."},
    )


class InclusionQuerySchema(StrictForm):
    """Which record."""

    event_id = matching(UUID_PATTERN, "the event_id of a receipt", required=True)


class InclusionSchema(Schema):
    """That a leaf stands under a signed checkpoint (RFC 6962, 2.1.1)."""

    event_id = fields.UUID(required=True)
    leaf_index = fields.Integer(required=True)
    leaf_hash = fields.String(required=True, metadata={"description": "SHA-256, hex"})
    size = fields.Integer(required=True, metadata={"description": "leaves of the tree"})
    path = fields.List(fields.String(), required=True, metadata={"description": "hex, leaf first"})
    checkpoint = fields.String(required=True, metadata={"description": "C2SP signed note"})


class ConsistencyQuerySchema(StrictForm):
    """Between which sizes of the ledger."""

    old = matching(_SIZE, "a number of leaves", required=True)
    new = matching(_SIZE, "a number of leaves")


class ConsistencySchema(Schema):
    """That the tree of `old` leaves begins the tree of `new` (RFC 6962, 2.1.2)."""

    old = fields.Integer(required=True)
    new = fields.Integer(required=True)
    path = fields.List(fields.String(), required=True, metadata={"description": "hex"})


class ExportQuerySchema(PeriodQuerySchema):
    """Which records to export, and how."""

    format = fields.String(
        load_default="jsonl", validate=validate.OneOf(["jsonl", "csv", "bundle"])
    )


class ErasureSchema(StrictForm):
    """Whose link to their records is erased, and why."""

    subject_id = matching(
        f"^{SUBJECT_ID.pattern}$", "16 random bytes as 32 hex digits", required=True
    )
    reason = text(required=True, maximum=MAX_REASON)


class ErasedSchema(Schema):
    """What erasing did."""

    site = fields.String(required=True)
    records = fields.Integer(required=True, metadata={"description": "No longer linked."})


class HealthSchema(Schema):
    """Whether the server can do its work."""

    status = fields.String(required=True, validate=validate.OneOf(["ok"]))


HASH_PATTERN = re.compile(_HEX_64, re.ASCII)
