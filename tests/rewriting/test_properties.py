"""Properties: whatever the page holds and however it is cut, nothing else is touched."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from consent_server.rewriting import Rewriter, rewrite

from .conftest import PLAN, STRICT, rewritten

_TOKENS = (
    *("<", ">", "/", "=", '"', "'", " ", "\n", "-", "!", "--", "<!--", "-->", "--!>", "<!", "]]>"),
    *("<script>", "</script>", "<script src=", "<SCRIPT", "</script ", "<style>", "</style>"),
    *("<title>", "</title>", "<svg>", "</svg>", "<math>", "<desc>", "</desc>", "<![CDATA["),
    *("<noscript>", "</noscript>", "<iframe srcdoc=", "</iframe>", "<template>", "</template>"),
    *("<template data-consent>", "<head>", "<html>", "<body>", "<!doctype html>", "<base href="),
    *("<img src=", "<img srcset=", "<link rel=stylesheet href=", "<input type=image src=", "<p>"),
    *("//www.facebook.com/tr", "https://connect.facebook.net/x", "&#47;", "@import ", "url("),
    *("<svg><script href=", "<svg><script>", "<link rel=preload imagesrcset=", "import '"),
    *(
        "onerror=import('//connect.facebook.net/x') ",
        "type=importmap ",
        "&lt;",
        "<template shadowrootmode=open>",
    ),
    *("gtag('js')", ";", ")", "é", "\x00", "data-consent=", "type=module ", "<plaintext>", "<?"),
)
_PAGES = st.lists(st.sampled_from(_TOKENS), max_size=40).map(lambda parts: "".join(parts).encode())
_ANYTHING = st.binary(max_size=200)
_CUTS = st.lists(st.integers(0, 400), max_size=12)


def _cut(page: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, len(page), *(cut for cut in cuts if cut < len(page))})
    return [page[start:end] for start, end in pairwise(places)]


@given(_PAGES | _ANYTHING, _CUTS)
def test_the_same_page_is_written_alike_however_it_is_cut(page: bytes, cuts: list[int]) -> None:
    for plan in (PLAN, STRICT):
        assert b"".join(rewrite(_cut(page, cuts), plan)) == rewritten(page, plan, whole=None)


@given(_PAGES | _ANYTHING)
def test_rewriting_twice_changes_nothing_more(page: bytes) -> None:
    once = rewritten(page, STRICT, whole=True)
    assert rewritten(once, STRICT, whole=True) == once


@given(_ANYTHING | st.text("<>!-/ab='\" \n", max_size=120).map(str.encode))
def test_a_page_that_names_nobody_keeps_every_byte(page: bytes) -> None:
    assert rewritten(page) == page


@given(_PAGES)
def test_every_byte_outside_what_is_held_stays_in_its_order(page: bytes) -> None:
    rewriter = Rewriter(PLAN, whole=False)
    out = rewriter.feed(page) + rewriter.finish()
    if not rewriter.changes:
        assert out == page
    elif not any(name == "style" for name, _ in rewriter.changes):
        # Only insertions: the page is a subsequence of what goes out, but that a link of a
        # drawing's script becomes the source of one of HTML.
        rest = iter(out)
        kept = page.replace(b"xlink:", b"").replace(b"<script href=", b"<script =")
        assert all(byte in rest for byte in kept)
