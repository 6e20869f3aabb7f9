"""Themes: an owner's looks as they are published, their contrasts, and their styles.

Whatever a theme says, it says of both answers: none of its fields speaks of one of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from consent_server.rules.contrast import (
    MIN_PART_CONTRAST,
    MIN_TEXT_CONTRAST,
    border_colour,
    contrast,
    text_colour_on,
)

#: Colour scheme -> what its fields end with in a site file.
SCHEMES: Final[Mapping[str, str]] = {"light": "", "dark": "_dark"}
#: Fields that a snapshot names only where an owner did: those of earlier releases stay as they are.
_OPTIONAL: Final[Mapping[str, Any]] = {
    "font": "system",
    "text_size": 16,
    "button_radius": None,
    "border_width": 1,
    "shadow": "soft",
    "spacing": "normal",
}
_SHADOWS: Final[Mapping[str, str]] = {"none": "none", "strong": "0 8px 40px #0008"}
#: Of a button's border, in widget/src/widget.css: it shows on what is nearly white or nearly black.
USUAL_BORDER: Final = "#808080"
#: Spacing -> pixels above and below, and beside.
_SPACINGS: Final[Mapping[str, str]] = {"compact": "12px 16px", "roomy": "24px 28px"}


@dataclass(frozen=True, slots=True)
class Ratio:
    """The contrast of two colours that are shown together, 1 to 21, and what is needed."""

    scheme: str
    #: Field of the theme that is too close to `behind`.
    field: str
    behind: str
    ratio: float
    needed: float
    #: Success criterion of WCAG 2.2.
    criterion: str

    @property
    def is_enough(self) -> bool:
        """Whether it can be read."""
        return self.ratio >= self.needed


def ratios(theme: Mapping[str, Any]) -> list[Ratio]:
    """Return every pair of colours of a theme's form that are shown together."""
    return [ratio for scheme in SCHEMES for ratio in _ratios(theme, scheme)]


def _ratios(theme: Mapping[str, Any], scheme: str) -> Iterator[Ratio]:
    suffix = SCHEMES[scheme]
    accent, surface = theme["accent" + suffix], theme["surface" + suffix]
    border = theme["border" + suffix] or _border(theme["text" + suffix], surface)
    text, part = (MIN_TEXT_CONTRAST, "1.4.3"), (MIN_PART_CONTRAST, "1.4.11")
    for name, colour, behind, (needed, criterion) in (
        ("text", theme["text" + suffix], "surface", text),
        ("accent", accent, "surface", text),
        ("border", border, "surface", part),
    ):
        ratio = contrast(colour, surface)
        yield Ratio(scheme, name + suffix, behind + suffix, ratio, needed, criterion)
    label = contrast(text_colour_on(accent), accent)
    yield Ratio(scheme, "label of a button", "accent" + suffix, label, *text)


def snapshot_theme(theme: Mapping[str, Any]) -> dict[str, Any]:
    """Return a theme's form as a version keeps it."""

    def colours(suffix: str) -> dict[str, str]:
        accent, border = theme["accent" + suffix], theme["border" + suffix]
        return {
            "accent": accent,
            "on_accent": text_colour_on(accent),
            "text": theme["text" + suffix],
            "surface": theme["surface" + suffix],
            **({"border": border} if border else {}),
        }

    return {
        **{name: theme[name] for name in ("form", "position", "entry", "order", "radius")},
        **{name: theme[name] for name, usual in _OPTIONAL.items() if theme[name] != usual},
        **{scheme: colours(suffix) for scheme, suffix in SCHEMES.items()},
    }


def theme_css(theme: Mapping[str, Any]) -> str:
    """Return the styles of a published theme, to stand behind those of its form.

    Its colours are set on every element inside, where the page's own styles do not reach: what
    was checked and recorded cannot be undone there. Paper is light, whatever the screen is.
    """
    schemes = [theme[scheme] for scheme in SCHEMES]
    borders = [one.get("border") or _border(one["text"], one["surface"]) for one in schemes]
    if set(borders) != {USUAL_BORDER}:
        schemes = [{**one, "border": colour} for one, colour in zip(schemes, borders, strict=True)]
    light, dark = map(_properties, schemes)
    rules = "".join(_rules(theme, has_borders="border" in schemes[0]))
    return (
        f"*{{{light};--radius:{theme['radius']}px}}"
        f"@media screen and (prefers-color-scheme:dark){{*{{{dark}}}}}{rules}"
    )


def _border(text: str, surface: str) -> str:
    """Return the colour of a border that nobody chose."""
    return USUAL_BORDER if _shows(surface) else border_colour(text, surface)


def _shows(surface: str) -> bool:
    return contrast(USUAL_BORDER, surface) >= MIN_PART_CONTRAST


def _properties(colours: Mapping[str, str]) -> str:
    return ";".join(
        f"--{name.replace('_', '-')}:{_shorten(colour)}" for name, colour in colours.items()
    )


def _rules(theme: Mapping[str, Any], *, has_borders: bool) -> Iterator[str]:
    """Give a rule for each look that is not the usual one: only those travel."""
    if has_borders:
        yield "button:not(.main,.link){border-color:var(--border)}"
    if theme.get("font", "system") == "page":
        yield ":host{font-family:inherit!important}"
        yield ".notice,dialog,.held,.entry,.announcement{font-family:inherit}"
    if "text_size" in theme:
        # Of the visitor's own size: who reads with 32 pixels keeps them.
        yield f".notice,dialog{{font-size:{theme['text_size'] / 16:g}em}}"
    if "button_radius" in theme:
        yield f"button:not(.entry){{border-radius:{theme['button_radius']}px}}"
    if "border_width" in theme:
        yield f".notice,dialog{{border-width:{theme['border_width']}px}}"
    if "shadow" in theme:
        yield f".notice,.entry{{box-shadow:{_SHADOWS[theme['shadow']]}}}"
    if "spacing" in theme:
        yield f".notice>div,dialog>div{{padding:{_SPACINGS[theme['spacing']]}}}"


def _shorten(colour: str) -> str:
    """Write #rrggbb as #rgb where both are the same colour."""
    return "#" + colour[1::2] if colour[1::2] == colour[2::2] else colour
