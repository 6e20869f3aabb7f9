"""Rewriter: what is held, what is left, and where our own tag stands."""

from __future__ import annotations

import pytest

from consent_server.rewriting import Rewriter

from .conftest import PLAN, SCRIPT_URL, STRICT, TAG, rewritten

_GA = b'data-consent="service:google-analytics"'
_FB = b'data-consent="service:meta-pixel"'
_PIXEL = b"https://www.facebook.com/tr?id=1"
_LIBRARY = b"https://www.googletagmanager.com/gtag/js?id=G-1"


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        (b"<!doctype html><html><head><title>", b"<!doctype html><html><head>%s<title>"),
        (b"<!DOCTYPE html>\n<HTML lang=en>\n<HEAD class=a>x", None),
        (b"<!doctype html><title>", b"<!doctype html>%s<title>"),
        (b"<!-- <head> --><html><body>", b"<!-- <head> --><html>%s<body>"),
        (b"\xef\xbb\xbf<!doctype html><p>", b"\xef\xbb\xbf<!doctype html>%s<p>"),
        (b"<!doctype html>text", b"<!doctype html>%stext"),
        (b"<script>first()</script>", b"%s<script>first()</script>"),
    ],
)
def test_our_tag_stands_before_anything_that_can_load(page: bytes, expected: bytes | None) -> None:
    expected = expected or page.replace(b"<HEAD class=a>", b"<HEAD class=a>%s")
    assert rewritten(page, whole=None) == expected % TAG


@pytest.mark.parametrize("piece", [b"<li>One</li>", b"", b"  words", b"</p><!doctype html>"])
def test_a_piece_of_a_page_gets_no_tag(piece: bytes) -> None:
    assert rewritten(piece, whole=None) == piece


def test_a_page_that_has_the_tag_first_gets_no_second_one() -> None:
    page = b'<!doctype html><head>\n <script nonce=a src="%s"></script>' % SCRIPT_URL.encode()
    assert rewritten(page, whole=None) == page


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (
            b'<script async src="%s"></script>' % _LIBRARY,
            b'<script type="text/plain" %s async data-consent-src="%s"></script>' % (_GA, _LIBRARY),
        ),
        (
            b"<script type=module src=%s></script>" % _LIBRARY,
            b'<script type="text/plain" %s data-consent-type=module data-consent-src=%s></script>'
            % (_GA, _LIBRARY),
        ),
        (
            b"<script>gtag('js', new Date())</script>",
            b"<script type=\"text/plain\" %s>gtag('js', new Date())</script>" % _GA,
        ),
        (
            b'<script>load("https:\\/\\/www.facebook.com\\/tr")</script>',
            b'<script type="text/plain" %s>load("https:\\/\\/www.facebook.com\\/tr")</script>'
            % _FB,
        ),
        (b"<img src=%s>" % _PIXEL, b"<img %s data-consent-src=%s>" % (_FB, _PIXEL)),
        (
            b"<IMG SRC='/own.gif' srcset='/a.gif 1x,%s 2x'/>" % _PIXEL,
            b"<IMG %s SRC='/own.gif' data-consent-srcset='/a.gif 1x,%s 2x'/>" % (_FB, _PIXEL),
        ),
        (
            b"<img src=//www&#46;facebook.com/tr src=//www.facebook.com/tr>",
            b"<img %s data-consent-src=//www&#46;facebook.com/tr "
            b"data-consent-src=//www.facebook.com/tr>" % _FB,
        ),
        (b"<iframe src=%s></iframe>" % _PIXEL, b"<iframe %s data-consent-src=%s></iframe>"),
        (b"<object data=%s></object>" % _PIXEL, b"<object %s data-consent-data=%s></object>"),
        (b"<embed src=%s>" % _PIXEL, b"<embed %s data-consent-src=%s>"),
        (b"<video poster=%s src=/a>" % _PIXEL, b"<video %s data-consent-poster=%s src=/a>"),
        (b"<audio src=%s>" % _PIXEL, b"<audio %s data-consent-src=%s>"),
        (b"<source src=%s>" % _PIXEL, b"<source %s data-consent-src=%s>"),
        (b"<input type=image src=%s>" % _PIXEL, b"<input %s type=image data-consent-src=%s>"),
        (b"<body background=%s>" % _PIXEL, b"<body %s data-consent-background=%s>"),
        (b"<td background=%s>" % _PIXEL, b"<td %s data-consent-background=%s>"),
        (b"<TR\nbackground=%s>" % _PIXEL, b"<TR %s\ndata-consent-background=%s>"),
        (b"<svg><image href=%s /></svg>" % _PIXEL, b"<svg><image %s data-consent-href=%s /></svg>"),
        (
            b"<svg><image xlink:href=%s /></svg>" % _PIXEL,
            b"<svg><image %s data-consent-href=%s /></svg>",
        ),
        (b"<link rel=preload href=%s>" % _PIXEL, b"<link %s rel=preload data-consent-href=%s>"),
        (
            b"<link rel='Shortcut icon' href=%s>" % _PIXEL,
            b"<link %s rel='Shortcut icon' data-consent-href=%s>",
        ),
        (
            b"<noscript><img src=%s></noscript>" % _PIXEL,
            b"<noscript><img %s data-consent-src=%s></noscript>",
        ),
        (
            b'<script type="speculationrules">{"u":"https://www.facebook.com/tr"}</script>',
            b'<script type="text/plain" %s data-consent-type="speculationrules">'
            b'{"u":"https://www.facebook.com/tr"}</script>' % _FB,
        ),
        (
            b'<iframe srcdoc="<img src=%s>"></iframe >' % _PIXEL,
            b'<template %s><iframe srcdoc="<img src=%s>"></iframe ></template>',
        ),
        (
            b"<link rel=preload as=image imagesrcset='%s 1x'>" % _PIXEL,
            b"<template %s><link rel=preload as=image data-consent-imagesrcset='%s 1x'></template>",
        ),
        (
            b"<img src=/a onerror=\"import('%s')\">" % _PIXEL,
            b"<template %s><img src=/a onerror=\"import('%s')\"></template>",
        ),
        (
            b'<script type=module>import "%s"</script>' % _PIXEL,
            b'<script type="text/plain" %s data-consent-type=module>import "%s"</script>',
        ),
    ],
)
def test_what_belongs_to_a_service_is_held(written: bytes, expected: bytes) -> None:
    filled = expected % (_FB, _PIXEL) if b"%s" in expected else expected
    assert rewritten(written) == filled


@pytest.mark.parametrize(
    "page",
    [
        b'<a href="%s">' % _PIXEL,
        b"<link rel=canonical href=%s>" % _PIXEL,
        b"<input type=text src=%s>" % _PIXEL,
        b'<!-- <script src="%s"></script> -->' % _LIBRARY,
        b'<textarea><script src="%s"></script></textarea>' % _LIBRARY,
        b'<p title="<script src=%s>">' % _LIBRARY,
        b'<script type="application/ld+json">{"url":"%s"}</script>' % _PIXEL,
        b'<script type="text/plain" data-category="x" src="%s"></script>' % _PIXEL,
        b'<script data-consent="necessary" src="%s"></script>' % _PIXEL,
        b"<template data-consent=marketing><script src=%s></script></template>" % _PIXEL,
        b"<script>'<img src=%s>'.length; other()</script>" % b"https://www.facebook.com/me",
        b"<img src=https://pay.example.net/logo.png>",
        b"<img src=https://notwww.facebook.com/tr>",
        b"<script src=/gtag/js?u=www.google-analytics.com></script>",
        b"<plaintext><script src=%s></script>" % _LIBRARY,
        b"<svg><![CDATA[<script href=%s></script>]]></svg>" % _LIBRARY,
    ],
)
def test_what_is_no_services_stays_as_it_is(page: bytes) -> None:
    assert rewritten(page) == page


@pytest.mark.parametrize(
    "trap",
    [
        b"<script><!-- <script> </script> --></script>%s",
        b'<script>"<!-->"</script>%s',
        b"<a href=foo\"bar>%s<p id='\"'>",
        b'<a ="x">%s<b c=\'">\'>',
        b"<svg><title><!--></title></svg>%s",
        b"<svg><style><!-- --></style><p>%s",
        b"<svg><desc><style>a{b:'</desc>'}</style></desc></svg>%s",
        b"<!--a--!>%s<!---->",
        b"<!-->%s<!-- -->",
        b"<![CDATA[<]]>%s",
        b"<?php echo '>%s'?>",
        b"</ %s>%s",
        b"<1>%s",
        b"<title><!--</title>%s<!-- -->",
        b"<?-- a -->%s",
        b"<math><mi><style><!--</style>%s<!-- --></style>",
        b"<math><annotation-xml encoding=Text/HTML><style><!--</style>%s<!-- --></style>",
        b"<math><desc><style></desc><!-- </style> -->%s",
        b"<svg><font color=red><style><!--</style>%s<!-- -->",
        b"<svg width=1/><style></svg><!-- </style> -->%s",
        b"<template data-consent=a><svg></template>%s",
    ],
)
def test_a_tracker_is_found_behind_what_confuses_readers(trap: bytes) -> None:
    tracker = b"<img src=%s>" % _PIXEL
    held = b"<img %s data-consent-src=%s>" % (_FB, _PIXEL)
    *before, after = trap.split(b"%s")
    beginning = before[0] + (b"%s" if len(before) > 1 else b"") + (b">" if len(before) > 1 else b"")
    assert rewritten(beginning + tracker + after) == beginning + held + after


@pytest.mark.parametrize(
    "kind",
    [
        b"language=JavaScript1.2",
        b"type='text/javascript1.5'",
        b"type=text/jscript",
        b"type=text/LiveScript",
    ],
)
def test_a_script_of_an_old_type_runs_and_is_held(kind: bytes) -> None:
    for page in (
        b"<script %s src=%s></script>" % (kind, _LIBRARY),
        b"<script %s>fbq('init')</script>" % kind,
    ):
        assert b'<script type="text/plain" data-consent="service:' in rewritten(page)


def test_pictures_of_a_held_template_are_not_read_ahead() -> None:
    pages = (
        b"<template data-consent=a><p><img src=%s><video poster=%s></video></template>",
        b"<template data-consent=a><img data-consent=b src=%s><script src=%s></script></template>",
    )
    held = pages[0].replace(b"src", b"data-consent-src").replace(b"poster", b"data-consent-poster")
    assert rewritten(pages[0] % (_PIXEL, _PIXEL)) == held % (_PIXEL, _PIXEL)
    assert rewritten(pages[1] % (_PIXEL, _PIXEL)) == pages[1] % (_PIXEL, _PIXEL)
    page = b"<img src=%s onerror=\"import('%s')\">" % (_PIXEL, _PIXEL)
    held = page.replace(b"src", b"data-consent-src")
    assert rewritten(page) == b"<template %s>%s</template>" % (_FB, held)
    assert rewritten(rewritten(page)) == rewritten(page)


def test_strict_holds_every_host_but_the_sites_own_and_the_allowed() -> None:
    page = b"<img src=https://%s/a.gif>"
    unlisted = b'<img data-consent="unlisted" data-consent-src=https://%s/a.gif>'
    for host in (b"elsewhere.example", b"cdn.example", b"www.example.com.evil.example"):
        assert rewritten(page % host, STRICT) == unlisted % host
    for host in (b"www.example.com", b"WWW.EXAMPLE.COM:443", b"a.cdn.example", b"pay.example.net"):
        assert rewritten(page % host, STRICT) == page % host
    assert rewritten(page % b"elsewhere.example") == page % b"elsewhere.example"
    known = rewritten(b"<img src=%s>" % _PIXEL, STRICT)
    assert known == b"<img %s data-consent-src=%s>" % (_FB, _PIXEL)


def test_the_gate_is_not_async() -> None:
    assert rewritten(b"<head>", STRICT, whole=None) == b"<head>" + TAG.replace(b" async", b"")


def test_an_import_map_is_held_only_where_all_of_it_is_a_trackers() -> None:
    one = b'"ga":"https://www.google-analytics.com/a.js"'
    page = b'<script type="importmap">{"imports":{%s}}</script>'
    assert b"data-consent-type" in rewritten(page % one)
    mixed = page % (one + b',"app":"/app.js"')
    assert rewritten(mixed) == mixed


def test_a_module_waits_for_what_the_pages_map_means_by_a_name() -> None:
    page = (
        b'<script type="importmap">{"imports":{"ga":"https://www.google-analytics.com/a.js",'
        b'"app":"/app.js"}}</script><script type=module>import "%s"</script>'
    )
    held = b'<script type="text/plain" %s data-consent-type=module>import "ga"' % _GA
    assert held in rewritten(page % b"ga")
    assert rewritten(page % b"app") == page % b"app"


def test_strict_holds_a_script_that_imports_from_a_host_that_is_not_allowed() -> None:
    page = b"<script>%s</script>"
    for code in (
        b"import('https://elsewhere.example/a.js')",
        b'export * from "//elsewhere.example"',
    ):
        assert b'data-consent="unlisted"' in rewritten(page % code, STRICT)
        assert rewritten(page % code) == page % code
    named = page % b"var help = 'https://elsewhere.example/'; import('/own.js')"
    assert rewritten(named, STRICT) == named


@pytest.mark.parametrize("mode", [b"open", b"'CLOSED'"])
def test_what_is_held_in_a_declared_shadow_root_can_be_found_again(mode: bytes) -> None:
    page = b"<p><template shadowrootmode=%s>%s<template><b></template></template>%s"
    added = b"" if mode == b"open" else b' shadowrootmode="open"'
    start = b"<p><template%s shadowrootmode=%s>" % (added, mode)
    tail = b"<template><b></template></template>"
    image = b"<img src=%s>" % _PIXEL
    held = b"<img %s data-consent-src=%s>" % (_FB, _PIXEL)
    assert rewritten(page % (mode, image, image)) == start + held + tail + held
    style = b"<style>a{}@import '%s'</style>" % _PIXEL
    waiting = b"<template %s>%s</template>" % (_FB, style)
    assert rewritten(page % (mode, style, b"")) == start + b"<style>a{}</style>" + waiting + tail
    nothing = page % (mode, b"<img src=/own>", b"</template>")
    assert rewritten(nothing) == nothing


def test_a_frame_without_end_shows_nothing_of_a_service() -> None:
    page = b"<iframe srcdoc='<img src=%s>'>and all behind it" % _PIXEL
    held = page.replace(b"<iframe ", b"<iframe %s data-consent-" % _FB)
    assert rewritten(page) == held
    assert rewritten(held) == held


def test_what_browsers_without_script_show_is_held_however_long_it_is() -> None:
    page = b"<noscript>" + b"words " * 300_000 + b"<img src=%s></noscript><p>" % _PIXEL
    rewriter = Rewriter(PLAN, whole=False)
    out = [rewriter.feed(page[at : at + 65_536]) for at in range(0, len(page), 65_536)]
    assert len(out[0]) > 65_000
    held = b"<img %s data-consent-src=%s></noscript><p>" % (_FB, _PIXEL)
    assert (b"".join(out) + rewriter.finish()).endswith(held)


@pytest.mark.parametrize(
    "start",
    [b"<noscript>", b"<svg>", *(b"<template shadowrootmode=%s>" % m for m in (b"open", b"closed"))],
)
def test_elements_may_be_as_deep_in_each_other_as_they_like(start: bytes) -> None:
    page = start * 2_000 + b"<img src=%s>" % _PIXEL
    assert rewritten(page).endswith(b"<img %s data-consent-src=%s>" % (_FB, _PIXEL))


def test_an_unfinished_page_is_passed_whole() -> None:
    for page in (
        b"<img src='",
        b"<!-- ",
        b"<script>a",
        b"<style>a",
        b"<title",
        b"<noscript><img ",
        b"<template shadowrootmode=closed><p>",
        b"<template shadowrootmode=open><img ",
    ):
        assert rewritten(page) == page


def test_the_report_counts_by_element_and_key() -> None:
    rewriter = Rewriter(PLAN)
    rewriter.feed(b"<img src=%s><noscript><img src=%s></noscript>" % (_PIXEL, _PIXEL))
    rewriter.finish()
    assert rewriter.changes == {("img", "service:meta-pixel"): 2}


def test_what_is_no_tag_before_the_head_delays_nothing() -> None:
    rewriter = Rewriter(PLAN)
    assert rewriter.feed(b"<!doctype html><3 words") == b"<!doctype html>" + TAG + b"<3 words"
