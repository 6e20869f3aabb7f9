"""Sheets: what a style loads waits, its rules stay, and the rest comes back later."""

from __future__ import annotations

import pytest

from .conftest import rewritten

_FB = b'data-consent="service:meta-pixel"'
_PIXEL = b"https://www.facebook.com/tr?id=1"


def test_a_style_sheet_keeps_its_rules_and_brings_the_rest_back_later() -> None:
    page = b'<style media=all>@import "%s"; b{color:red;background:url(%s)}</style>.' % (
        b"https://www.google-analytics.com/a.css",
        _PIXEL,
    )
    out = rewritten(page)
    assert out.startswith(b"<style media=all> b{color:red;background:url(data:,)}</style><script")
    held = b'data-consent="service:google-analytics service:meta-pixel"'
    assert b'<script type="text/plain" ' + held in out
    assert b'textContent="@import \\"https://www.google-analytics.com/a.css\\"' in out
    assert out.endswith(b"</script>.")


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        (b"a{b:url(https://www.facebook\\2e com/tr)}", b"a{b:url(data:,)}"),
        (b"a{b:url( '//www.facebook.com/tr' )}", b"a{b:url(data:,)}"),
        (b'a{b:image-set("//www.facebook.com/tr" 1x, url(/a) 2x)}', None),
        (b"@import'//www.facebook.com/tr'print;a{}", b"a{}"),
        (b"@import/* a */'//www.facebook.com/tr' /* b */;a{}", b"a{}"),
        (b"a{}@import '//www.facebook.com/tr", b"a{}"),
        (b"a{b:url(//www.facebook.com/tr", b"a{b:url(data:,)"),
        (b"a{b:url(/own.gif);c:'//www.facebook.com/tr'}", b""),
    ],
)
def test_an_address_in_a_sheet_is_found_however_it_is_spelt(
    written: bytes, kept: bytes | None
) -> None:
    out = rewritten(b"<style>%s</style>" % written)
    expected = b'a{b:image-set("data:," 1x, url(/a) 2x)}' if kept is None else kept or written
    assert out.startswith(b"<style>%s</style>" % expected)
    assert out.endswith(b"</style>") is (kept == b"")


def test_a_sheet_that_comes_back_spells_its_addresses_plainly() -> None:
    page = b"<style>a{b:url(https://www.facebook\\2e com/tr);c:'\\2e '}</style>"
    assert b"textContent=\"a{b:url(https://www.facebook.com/tr);c:'\\\\2e '}\"" in rewritten(page)
    unclear = page.replace(b"/tr", b"/tr\\29")
    assert b"facebook\\\\2e com/tr\\\\29" in rewritten(unclear)


def test_a_sheet_of_a_drawing_is_brought_back_by_a_script_that_can_be_released() -> None:
    page = b"<svg><style>@import '%s';a{}</style><path/></svg>" % _PIXEL
    out = rewritten(page)
    assert out.startswith(b'<svg><style>a{}</style><desc><script type="text/plain" ' + _FB)
    assert b"currentScript.parentNode.previousElementSibling.textContent=" in out
    assert out.endswith(b"</script></desc><path/></svg>")
    assert rewritten(out) == out
    drawn = b"<svg><style><!-- </style> --></style><image href=%s /></svg>"
    assert rewritten(drawn % _PIXEL) == drawn.replace(
        b"href=%s", _FB + b" data-consent-href=%s"
    ) % (_PIXEL)


def test_without_script_a_sheet_just_loads_nothing() -> None:
    page = b"<noscript><style>@import '%s';</style></noscript>" % _PIXEL
    assert rewritten(page) == b"<noscript><style></style></noscript>"
