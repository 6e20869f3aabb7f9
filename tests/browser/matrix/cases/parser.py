"""Scripts that stand in the page's own mark-up."""

from __future__ import annotations

from ..case import Case, code, named, script

_TWO = """<script src="@ga/slow.js"></script><script src="@ga/fast.js"></script>"""
_TWO_OFF = _TWO.replace("<script src", "<script @off data-consent-src")

CASES = named(
    "parser",
    script("script", 'src="@ga/analytics.js"'),
    script("script-async", 'async src="@ga/analytics.js"'),
    script("script-defer", 'defer src="@ga/analytics.js"'),
    script("script-module", 'type="module" src="@ga/analytics.mjs.js"'),
    script("script-crossorigin", 'crossorigin="use-credentials" src="@ga/analytics.js"'),
    script("script-referrer-policy", 'referrerpolicy="no-referrer" src="@ga/analytics.js"'),
    script("script-with-type", 'type="text/javascript" src="@ga/analytics.js"'),
    script("script-old-language", 'language="javascript" src="@ga/analytics.js"'),
    script("script-protocol-relative", 'src="//www.google-analytics.com/analytics.js"'),
    script("script-upper-case", 'src="HTTPS://WWW.GOOGLE-ANALYTICS.COM/analytics.js"'),
    script("script-entities", 'src="https:&#47;&#47;www.google&#45;analytics.com/analytics.js"'),
    script("script-with-tab-in-address", 'src=" ht\ttps://www.google-analytics.com/a\n.js "'),
    script("script-with-backslashes", r'src="https:\\www.google-analytics.com\analytics.js"'),
    script("script-with-port", 'src="https://www.google-analytics.com:443/analytics.js"'),
    script("script-escaped-host", 'src="https://www.google%2Danalytics.com/analytics.js"'),
    Case(
        "script-in-head",
        "<p>Text</p>",
        head='<script src="@ga/analytics.js"></script>',
        declared="<p>Text</p>",
        declared_head='<script @off data-consent-src="@ga/analytics.js"></script>',
    ),
    Case(
        "script-upper-case-tag",
        "<SCRIPT SRC='@ga/analytics.js'></SCRIPT>",
        declared="<SCRIPT @off data-consent-src='@ga/analytics.js'></SCRIPT>",
    ),
    Case(
        "script-in-late-chunk",
        '<p>First</p><!--wait--><script src="@ga/analytics.js"></script>',
        declared='<p>First</p><!--wait--><script @off data-consent-src="@ga/analytics.js"></script>',
    ),
    Case(
        "script-by-base",
        '<script src="analytics.js"></script>',
        head='<base href="@ga/">',
        declared='<script @off data-consent-src="analytics.js"></script>',
        declared_head='<base href="@ga/">',
    ),
    Case("two-scripts-in-order", _TWO, declared=_TWO_OFF, delays={"@ga/slow.js": 0.4}),
    Case(
        "library-then-code",
        '<script src="@ga/slow.js"></script><script>mark("inline "+__ran.length)</script>'
        '<script src="@ga/fast.js"></script><script>mark("inline "+__ran.length)</script>',
        declared='<script @off data-consent-src="@ga/slow.js"></script>'
        '<script @off>mark("inline "+__ran.length)</script>'
        '<script @off data-consent-src="@ga/fast.js"></script>'
        '<script @off>mark("inline "+__ran.length)</script>',
        delays={"@ga/slow.js": 0.4},
    ),
    Case(
        "deferred-in-order",
        '<script defer src="@ga/slow.js"></script><script defer src="@ga/fast.js"></script>',
        declared='<script defer @off data-consent-src="@ga/slow.js"></script>'
        '<script defer @off data-consent-src="@ga/fast.js"></script>',
        delays={"@ga/slow.js": 0.4},
    ),
    Case(
        "modules-in-order",
        '<script type="module" src="@ga/slow.js"></script>'
        '<script type="module" src="@ga/fast.js"></script>',
        declared='<script @off data-consent-type="module" data-consent-src="@ga/slow.js"></script>'
        '<script @off data-consent-type="module" data-consent-src="@ga/fast.js"></script>',
        delays={"@ga/slow.js": 0.4},
    ),
    Case(
        "module-that-imports",
        '<script type="module">import "@ga/module.js";</script>',
        declared='<script @off data-consent-type="module">import "@ga/module.js";</script>',
    ),
    Case(
        "module-that-exports",
        '<script type="module">export * from "@ga/module.js";</script>',
        declared='<script @off data-consent-type="module">export * from "@ga/module.js";</script>',
    ),
    Case(
        "own-module-that-imports",
        '<script type="module" src="/files/own.js"></script>',
        declared='<script @off data-consent-type="module" data-consent-src="/files/own.js"></script>',
        files={"own.js": 'import "@ga/module.js";'},
    ),
    Case(
        "import-map",
        '<script type="importmap">{"imports":{"stats":"@ga/module.js"}}</script>'
        '<script type="module">import "stats";</script>',
        declared='<script type="importmap">{"imports":{"stats":"@ga/module.js"}}</script>'
        '<script @off data-consent-type="module">import "stats";</script>',
    ),
    Case(
        "script-in-svg",
        '<svg><script href="@ga/analytics.js"></script></svg>',
        declared='<svg></svg><script @off data-consent-src="@ga/analytics.js"></script>',
    ),
    Case(
        "script-in-svg-xlink",
        '<svg><script xlink:href="@ga/analytics.js"></script></svg>',
        declared='<svg></svg><script @off data-consent-src="@ga/analytics.js"></script>',
    ),
    Case(
        "script-in-table",
        '<table><script src="@ga/analytics.js"></script><tr><td>1</table>',
        declared='<table><script @off data-consent-src="@ga/analytics.js"></script><tr><td>1</table>',
    ),
    Case(
        "handler-onerror",
        "<img alt='' src='data:,' onerror=\"import('@ga/module.js')\">",
        declared="<template @held><img alt='' src='data:,' "
        "onerror=\"import('@ga/module.js')\"></template>",
    ),
    Case(
        "handler-onload",
        "<svg onload=\"fetch('@ga/collect')\"></svg>",
        declared="<script @off>fetch('@ga/collect')</script>",
    ),
    code("write-script", "document.write('<script src=\"@ga/analytics.js\"><\\/script>')"),
    code(
        "write-script-in-pieces",
        "document.write('<scr'); document.write('ipt src=\"@ga/a.js\"></scr'+'ipt>')",
    ),
    code(
        "write-then-code",
        'document.write(\'<script src="@ga/slow.js"><\\/script><script>mark("after "+__ran.length)<\\/script>\')',
        delays={"@ga/slow.js": 0.3},
    ),
)
