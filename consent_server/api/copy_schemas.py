"""Forms of decisions that follow a visitor to where they are copied."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from consent_server.api.schemas import Moment, ReceiptSchema
from consent_server.forms import StrictForm, WholeNumber, matching, text
from consent_server.rules.decision import SUBJECT_ID

MAX_ORIGIN = 300


class HandOverSchema(StrictForm):
    """Where a decision shall be handed over to."""

    target = fields.String(
        required=True,
        validate=validate.Length(1, MAX_ORIGIN),
        metadata={"description": "An origin that is named in `hand_over` of the site file."},
    )


class TokenSchema(Schema):
    """What goes behind the `#` of a link."""

    token = fields.String(required=True)
    expires_at = fields.String(required=True, metadata={"format": "date-time"})


class TakeSchema(StrictForm):
    """A token that came in an address."""

    token = matching(r"^[A-Za-z0-9_-]{43}$", "a token of 43 characters", required=True)
    subject_id = matching(
        f"^{SUBJECT_ID.pattern}$", "16 random bytes as 32 hex digits", required=True
    )
    came_from = fields.String(
        required=True,
        validate=validate.Length(0, MAX_ORIGIN),
        metadata={"description": "The origin of the page that the visitor came from."},
    )
    known_at = Moment(metadata={"description": "When this browser's own decision was made."})


class IdentifySchema(StrictForm):
    """Who is signed in, as the site's server says."""

    ref = text(required=True, maximum=200)
    expires = WholeNumber(
        required=True,
        validate=validate.Range(1, 10**12),
        metadata={"description": "Unix seconds; at most an hour ahead."},
    )
    signature = matching(
        "^[0-9a-f]{64}$", "HMAC-SHA256 of site, expires and ref, in hex", required=True
    )
    subject_id = matching(f"^{SUBJECT_ID.pattern}$", "16 random bytes as 32 hex digits")
    known_at = Moment(metadata={"description": "When this browser's own decision was made."})


class IdentifiedSchema(Schema):
    """Which decision this browser follows."""

    subject_id = fields.String(
        required=True, metadata={"description": "By which it goes from now on; or empty."}
    )
    ask_again = fields.Boolean(
        required=True,
        metadata={"description": "Its decision is another person's: it must be forgotten."},
    )
    receipt = fields.Nested(
        ReceiptSchema,
        required=True,
        allow_none=True,
        metadata={"description": "The decision to follow; null where its own stays."},
    )
