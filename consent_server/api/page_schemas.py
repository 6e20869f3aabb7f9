"""Forms of the server's own pages for visitors."""

from __future__ import annotations

from marshmallow import fields, validate

from consent_server.api.schemas import UUID_PATTERN
from consent_server.forms import StrictForm, matching
from consent_server.rules.decision import SUBJECT_ID


class OwnPageSchema(StrictForm):
    """A form of the visitor's own page."""

    action = fields.String(
        required=True,
        validate=validate.OneOf(
            ["show", "save", "withdraw", "download", "receipt", "erase", "erase_now"]
        ),
    )
    subject_id = fields.String(
        load_default="", metadata={"description": "The visitor's secret: 32 hex digits."}
    )
    language = fields.String(load_default="")
    decision_id = matching(
        f"^$|{UUID_PATTERN}", "a lower-case UUID version 7 or 4", load_default=""
    )
    version = fields.String(
        load_default="", metadata={"description": "The version that the form showed."}
    )
    allow = fields.List(
        fields.String(),
        load_default=list,
        metadata={
            # A form spells a list of one as it spells a word.
            "type": ["array", "string"],
            "description": "Services, and categories without services, to allow.",
        },
    )
    event_id = fields.String(load_default="", metadata={"description": "Which receipt."})


class ChooseSchema(StrictForm):
    """The form for browsers without script."""

    action = fields.String(
        required=True, validate=validate.OneOf(["accept_all", "reject_all", "save"])
    )
    subject_id = matching(
        f"^{SUBJECT_ID.pattern}$", "16 random bytes as 32 hex digits", required=True
    )
    language = fields.String(load_default="")
    decision_id = matching(UUID_PATTERN, "a lower-case UUID version 7 or 4", required=True)
    version = fields.String(
        required=True, metadata={"description": "The version that the form showed."}
    )
    proof = fields.String(
        load_default="", metadata={"description": "The render proof that the form came with."}
    )
    allow = fields.List(
        fields.String(),
        load_default=list,
        metadata={
            # A form spells a list of one as it spells a word.
            "type": ["array", "string"],
            "description": "Services, and categories without services, to allow.",
        },
    )
    back = fields.String(
        data_key="return",
        attribute="return",
        load_default="",
        metadata={"description": "The path of the site's page to go back to."},
    )
