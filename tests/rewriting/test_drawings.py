"""Drawings: SVG and MathML in a page, where a script is held by other rules."""

from __future__ import annotations

import pytest

from .conftest import rewritten

_FB = b'data-consent="service:meta-pixel"'
_PIXEL = b"https://www.facebook.com/tr?id=1"
_LIBRARY = b"https://www.googletagmanager.com/gtag/js?id=G-1"


@pytest.mark.parametrize(
    "before",
    [
        b"<div><svg><path d=''></div>",
        b"<a href=/><svg><path/></a>",
        b"<button><svg><g><a>.</a></button>",
        b"<my-logo><svg></my-logo>",
    ],
)
def test_a_drawing_that_is_not_closed_ends_with_what_it_stands_in(before: bytes) -> None:
    for page in (
        b"<script src=%s></script>" % _LIBRARY,
        b"<iframe src=%s></iframe>" % _PIXEL,
        b"<link rel=stylesheet href=%s>" % _PIXEL,
    ):
        out = rewritten(before + page)
        assert out == before + rewritten(page)
        assert b"data-consent=" in out


def test_a_script_is_held_by_its_link_where_a_stray_tag_hides_the_drawing() -> None:
    script = b"<script href=%s>" % _PIXEL
    assert b"data-consent-src=%s></script>" % _PIXEL in rewritten(b"<svg></font>" + script)


def test_a_drawing_goes_on_behind_elements_of_its_own() -> None:
    inside = b"<a><section></section></a><v-a></v-a><font-face></font-face><template></template>"
    script = b"<script href=%s />" % _PIXEL
    for closed in (b"", b"<math></math>", b"<metadata><rdf:RDF></rdf:RDF></metadata>"):
        assert b"<desc>" in rewritten(b"<svg>" + inside + closed + script)


@pytest.mark.parametrize("link", [b"href=%s", b"xlink:href='%s'"])
def test_a_script_of_a_drawing_waits_where_it_can_be_released(link: bytes) -> None:
    link = link % _PIXEL
    src = link.replace(b"xlink:href", b"href").replace(b"href", b"data-consent-src")
    waiting = b'<svg><desc><script type="text/plain" %s async %s></script></desc>' % (_FB, src)
    for tag, rest in ((b"<script async %s />", b""), (b"<script async %s>", b"x</script>")):
        inert = b'<script type="text/plain">' if rest else b""
        out = rewritten(b"<svg>" + tag % link + rest + b"<path/></svg>")
        assert (
            out.replace(b" /></script>", b"></script>") == waiting + inert + rest + b"<path/></svg>"
        )


def test_a_script_in_a_drawing_is_judged_by_what_its_mark_up_says() -> None:
    page = b"<svg><script>%s</script><path/></svg>"
    code = b"fbq('init', 1 &lt; 2)"
    waiting = b"<desc><script type=\"text/plain\" %s>fbq('init', 1 < 2)</script></desc>" % _FB
    inert = b'<script type="text/plain">' + code + b"</script>"
    assert rewritten(page % code) == b"<svg>" + waiting + inert + b"<path/></svg>"
    data = page % b"<![CDATA[fbq('init', 1 < 2)]]>"
    assert rewritten(data).startswith(b"<svg>" + waiting)
    assert rewritten(rewritten(data)) == rewritten(data)
    for left in (b"<b>fbq('init')</b>", b"own()", b"<![CDATA[fbq('init', '</script>')]]>"):
        assert b"<desc>" not in rewritten(page % left)
