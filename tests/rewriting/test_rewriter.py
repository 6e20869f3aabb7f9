"""Rewriter: what is held, what is left, and where our own tag stands."""

from __future__ import annotations

import base64

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


@pytest.mark.parametrize(
    "address",
    [
        b"data:text/javascript;base64," + base64.b64encode(b"fbq('init', '1')"),
        b"data:text/javascript; Base64 ," + base64.b64encode(b"fbq('init', '12')").rstrip(b"="),
        b"data:text/javascript,fbq(%27init%27,%271%27)",
        b"DATA:text/javascript,load(%22https:%2F%2Fconnect.facebook.net/x%22)",
    ],
)
def test_a_script_in_an_address_is_judged_by_what_it_says(address: bytes) -> None:
    held = b'<script type="text/plain" %s data-consent-src="%s">' % (_FB, address)
    assert rewritten(b'<script src="%s">' % address) == held
    picture = b'<img src="data:image/png;base64,%s">' % base64.b64encode(b"fbq('init')")
    assert rewritten(picture) == picture


@pytest.mark.parametrize(
    "address",
    [b"/\r/www.facebook.com/tr", b"HTTPS:/www.facebook.com/tr", b"http:www.facebook.com/tr"],
)
def test_an_address_with_too_few_slashes_names_its_host(address: bytes) -> None:
    assert rewritten(b'<img src="%s">' % address) == b'<img %s data-consent-src="%s">' % (
        _FB,
        address,
    )


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


def test_a_host_is_found_whose_first_label_is_put_before_it() -> None:
    page = b"<script>ga.src = (ssl ? 'https://ssl' : 'http://www') + '.google-analytics.com/ga.js'"
    assert rewritten(page) == page.replace(b"<script", b'<script type="text/plain" ' + _GA)


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


def test_what_a_base_sends_elsewhere_is_held() -> None:
    page = b"<base href=https://connect.facebook.net/x/><img src=tr.gif>"
    assert rewritten(page).endswith(b"<img %s data-consent-src=tr.gif>" % _FB)


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


@pytest.mark.parametrize(
    ("host", "held"),
    [
        (b"connect%2Efacebook%2enet", True),
        ("connect.ｆacebook.net".encode(), True),
        (b"connect.face&shy;book.net", True),
        (b"connect.facebook.net%2Eevil.example", False),
    ],
)
def test_a_host_is_read_as_a_browser_reads_it(host: bytes, held: bool) -> None:
    assert (_FB in rewritten(b"<img src=//%s/a>" % host)) is held


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
