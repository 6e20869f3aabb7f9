"""Contrast of colours (WCAG 2.2, relative luminance, 1.4.3 and 1.4.11)."""

from __future__ import annotations

#: WCAG 2.2, 1.4.3 for body text.
MIN_TEXT_CONTRAST = 4.5
#: WCAG 2.2, 1.4.11 for what shows where a button is.
MIN_PART_CONTRAST = 3.0
WHITE, BLACK = "#ffffff", "#000000"


def luminance(colour: str) -> float:
    """Return the relative luminance, 0 to 1, of a `#rrggbb` colour."""
    channels = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio, 1 to 21, of two `#rrggbb` colours."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def text_colour_on(background: str) -> str:
    """Return white or black, whichever can be read better on `background`."""
    return max((WHITE, BLACK), key=lambda text: contrast(text, background))


def border_colour(text: str, surface: str) -> str:
    """Return the palest mixture of `text` and `surface` that shows where a button ends.

    Where even `text` has too little contrast with `surface`, it is `text`.
    """
    for share in range(20, 100, 5):
        found = mix(text, surface, share / 100)
        if contrast(found, surface) >= MIN_PART_CONTRAST:
            return found
    return text


def mix(one: str, other: str, share: float) -> str:
    """Return `one` and `other` mixed channel by channel; `share`, 0 to 1, is that of `one`."""
    pairs = ((int(one[i : i + 2], 16), int(other[i : i + 2], 16)) for i in (1, 3, 5))
    return "#" + "".join(f"{round(a * share + b * (1 - share)):02x}" for a, b in pairs)
