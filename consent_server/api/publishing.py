"""Publishing: the options of it, and what it did, as JSON."""

from __future__ import annotations

from marshmallow import Schema, fields

from consent_server.forms import StrictForm


class ChangeSchema(Schema):
    """One difference between two versions."""

    path = fields.String(required=True)
    old = fields.Raw(required=True, allow_none=True)
    new = fields.Raw(required=True, allow_none=True)


class NoteSchema(Schema):
    """What is allowed and may still be held against the owner."""

    path = fields.String(required=True)
    message = fields.String(required=True)


class ContrastSchema(Schema):
    """Two colours that are shown together."""

    scheme = fields.String(required=True, metadata={"description": "light or dark"})
    field = fields.String(required=True)
    behind = fields.String(required=True)
    ratio = fields.Float(required=True, metadata={"description": "1 to 21 (WCAG 2.2)"})
    needed = fields.Float(required=True)
    criterion = fields.String(required=True)


class PublicationSchema(Schema):
    """What publishing did, or would do."""

    site = fields.String(required=True)
    number = fields.Integer(required=True)
    published = fields.Boolean(required=True)
    asks_again = fields.Boolean(required=True)
    changes = fields.List(fields.Nested(ChangeSchema), required=True)
    notes = fields.List(fields.Nested(NoteSchema), required=True)
    contrasts = fields.List(fields.Nested(ContrastSchema), required=True)


class ApplyQuerySchema(StrictForm):
    """Options of publishing."""

    dry_run = fields.Boolean(load_default=False, truthy={"true"}, falsy={"false"})
