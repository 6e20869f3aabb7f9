"""Contrast: the ratios of WCAG."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent_server.rules.contrast import (
    MIN_PART_CONTRAST,
    MIN_TEXT_CONTRAST,
    border_colour,
    contrast,
    mix,
    text_colour_on,
)

colours = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [
        ("#000000", "#ffffff", 21.0),
        ("#777777", "#ffffff", 4.48),
        ("#767676", "#ffffff", 4.54),
        ("#ff0000", "#ffffff", 4.00),
        ("#14509b", "#14509b", 1.0),
    ],
)
def test_known_pairs_have_their_published_ratio(one: str, other: str, ratio: float) -> None:
    assert contrast(one, other) == pytest.approx(ratio, abs=0.005)


@given(colours, colours)
def test_the_order_of_two_colours_does_not_matter(one: str, other: str) -> None:
    assert contrast(one, other) == contrast(other, one)
    assert 1 <= contrast(one, other) <= 21


@given(colours)
def test_text_can_be_read_on_every_accent(accent: str) -> None:
    assert contrast(text_colour_on(accent), accent) >= MIN_TEXT_CONTRAST


@given(colours, colours)
def test_a_border_is_seen_wherever_the_text_is(text: str, surface: str) -> None:
    border = border_colour(text, surface)
    enough = min(MIN_PART_CONTRAST, contrast(text, surface))
    assert contrast(border, surface) >= enough


@given(colours, colours)
def test_a_mixture_has_both_ends(one: str, other: str) -> None:
    assert (mix(one, other, 1), mix(one, other, 0)) == (one, other)
