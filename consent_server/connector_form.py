"""Connectors in site files: the form of what vendors' own code is told of consent."""

from __future__ import annotations

from marshmallow import fields, validate

from consent_server.forms import (
    Map,
    StrictBoolean,
    StrictForm,
    WholeNumber,
    key_field,
    matching,
)
from consent_server.rules.connector import CONSENT_TYPES, FIELDS


class ConsentModeForm(StrictForm):
    """What Google's tags are told, and whether they are held meanwhile."""

    mode = fields.String(load_default="basic", validate=validate.OneOf(["basic", "advanced"]))
    ads_data_redaction = StrictBoolean(load_default=True)
    url_passthrough = StrictBoolean(load_default=False)
    wait_for_update = WholeNumber(load_default=500, validate=validate.Range(0, 5_000))
    types = Map(
        keys=matching(f"^({'|'.join(CONSENT_TYPES)})$", f"one of {', '.join(CONSENT_TYPES)}"),
        values=key_field(required=True),
        load_default=dict,
    )


def connector_field() -> Map:
    """Return a field for how a vendor's own code is told of consent.

    `use` takes that of a catalogued service. What the calls may be is checked with the rest of
    what a site description means (`consent_server/connector_check.py`).
    """
    names = ("use", *FIELDS)
    return Map(
        keys=matching(f"^({'|'.join(names)})$", f"one of {', '.join(names)}"),
        values=fields.Raw(allow_none=True),
        load_default=dict,
    )
