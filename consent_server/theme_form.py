"""The form of a theme: one look for both answers, within limits that keep it readable."""

from __future__ import annotations

from typing import Final

from marshmallow import fields, validate

from consent_server.forms import HonestForm, WholeNumber, matching, one_of
from consent_server.rules.deceptive import PLACE, UNREADABLE, WITHDRAWAL

_COLOUR: Final = r"^#[0-9a-f]{6}$"


def colour(default: str) -> fields.String:
    """Return a field for a colour."""
    pattern = _COLOUR if default else f"^$|{_COLOUR}"
    return matching(pattern, "a colour such as #14509b (lower case)", load_default=default)


class ThemeForm(HonestForm):
    """Looks. Nothing here can make refusing look different from accepting."""

    form = one_of("box", "bar", "banner", "centred")
    position = one_of("bottom_left", "bottom_right", "top", "bottom", error=PLACE)
    entry = one_of("bottom_left", "bottom_right", "own_link", error=WITHDRAWAL)
    order = one_of("accept_first", "reject_first")
    font = one_of("system", "page")
    text_size = WholeNumber(
        load_default=16,
        validate=[
            validate.Range(min=16, error=f"At least {{min}} pixels. {UNREADABLE}"),
            validate.Range(max=24, error="At most {max} pixels: visitors can enlarge it further."),
        ],
    )
    radius = WholeNumber(load_default=12, validate=validate.Range(0, 24))
    button_radius = WholeNumber(load_default=None, allow_none=True, validate=validate.Range(0, 24))
    border_width = WholeNumber(load_default=1, validate=validate.Range(0, 3))
    shadow = one_of("soft", "none", "strong")
    spacing = one_of("normal", "compact", "roomy")
    accent = colour("#14509b")
    text = colour("#1b1b1f")
    surface = colour("#ffffff")
    border = colour("")
    accent_dark = colour("#9cc2ff")
    text_dark = colour("#ececf1")
    surface_dark = colour("#1b1c20")
    border_dark = colour("")
