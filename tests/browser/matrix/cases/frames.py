"""Frames: those of trackers, and fresh ones of the page's own origin, which bring unpatched worlds."""

from __future__ import annotations

from ..case import Case, code, named, src

_NEW = "var f=document.createElement('iframe');f.title='x';"
_IN = "document.body.append(f);"
_WINDOW = f"{_NEW}{_IN}var w=f.contentWindow,d=f.contentDocument;"
_QUIET = f"{_NEW}f.src='/files/quiet.html';"
_QUIET_FILE = {
    "quiet.html": "<!doctype html><html><head><title>x</title></head><body></body></html>"
}
#: One that has no tag of its own.
_BARE_FILE = {"quiet.html": "<!doctype html><title>x</title>"}
_FRAME = '<iframe title="x" name="place" width="200" height="100"></iframe>'

CASES = named(
    "frames",
    src(
        "frame",
        '<iframe title="x" width="300" height="200" src="@yt/embed/1"></iframe>',
        service="youtube",
    ),
    src(
        "frame-lazy",
        '<iframe title="x" loading="lazy" width="300" height="200" src="@yt/embed/1"></iframe>',
        service="youtube",
    ),
    src(
        "frame-sandboxed",
        '<iframe title="x" sandbox="allow-scripts" src="@yt/embed/1"></iframe>',
        service="youtube",
    ),
    src(
        "frame-hidden",
        '<iframe title="x" height="0" width="0" style="display:none" src="https://www.googletagmanager.com/ns.html?id=GTM-DEMO"></iframe>',
        service="google-tag-manager",
    ),
    Case(
        "frame-srcdoc-script",
        "<iframe title='x' srcdoc='<script src=\"@ga/a.js\"></script>'></iframe>",
        declared="<template @held><iframe title='x' srcdoc='<script src=\"@ga/a.js\"></script>'></iframe></template>",
    ),
    Case(
        "frame-srcdoc-image",
        "<iframe title='x' srcdoc='<img alt=\"\" src=\"@ga/a.gif\">'></iframe>",
        declared="<template @held><iframe title='x' srcdoc='<img alt=\"\" src=\"@ga/a.gif\">'></iframe></template>",
    ),
    Case(
        "frame-srcdoc-sandboxed",
        "<iframe title='x' sandbox='allow-scripts' srcdoc='<script src=\"@ga/a.js\"></script>'></iframe>",
        declared="<template @held><iframe title='x' sandbox='allow-scripts' srcdoc='<script src=\"@ga/a.js\"></script>'></iframe></template>",
    ),
    Case(
        "frame-javascript-address",
        "<iframe title=x src=\"javascript:'<img alt=x src=@ga/a.gif>'\"></iframe>",
        declared="<template @held><iframe title=x src=\"javascript:'<img alt=x src=@ga/a.gif>'\"></iframe></template>",
    ),
    Case(
        "frame-data-address",
        "<iframe title=x src=\"data:text/html,<img alt=x src='@ga/a.gif'>\"></iframe>",
        declared="<iframe title=x @held data-consent-src=\"data:text/html,<img alt=x src='@ga/a.gif'>\"></iframe>",
    ),
    Case(
        "frame-of-the-same-origin",
        '<iframe title="x" src="/files/inner.html"></iframe>',
        declared='<iframe @held title="x" data-consent-src="/files/inner.html"></iframe>',
        files={
            "inner.html": '<!doctype html><html><head><title>x</title><script src="@ga/a.js"></script></head></html>'
        },
    ),
    src(
        "object",
        '<object data="@yt/embed/1" type="text/html" width="200" height="100"></object>',
        "data",
        service="youtube",
    ),
    src(
        "embed",
        '<embed src="@yt/embed/1" type="text/html" width="200" height="100">',
        service="youtube",
    ),
    code("frame-made", f"{_NEW}f.src='@yt/embed/1';{_IN}", service="youtube"),
    code("frame-src-later", f"{_NEW}{_IN}f.src='@yt/embed/1';", service="youtube"),
    code("frame-srcdoc-made", f'{_NEW}f.srcdoc=\'<img alt="" src="@ga/a.gif">\';{_IN}'),
    code("frame-location", f"{_WINDOW}w.location='@yt/embed/1'", service="youtube"),
    code(
        "frame-location-replace", f"{_WINDOW}w.location.replace('@yt/embed/1')", service="youtube"
    ),
    code("frame-location-href", f"{_WINDOW}w.location.href='@yt/embed/1'", service="youtube"),
    code(
        "frame-location-once-loaded",
        f"{_QUIET}f.onload=function(){{f.onload=null;f.contentWindow.location='@yt/embed/1'}};{_IN}",
        service="youtube",
        files=_QUIET_FILE,
    ),
    code(
        "frame-location-of-srcdoc",
        f"{_NEW}f.srcdoc='<p>x</p>';f.onload=function(){{f.onload=null;frames[0].location.replace('@yt/embed/1')}};{_IN}",
        service="youtube",
    ),
    code(
        "frame-navigated",
        f"{_QUIET}f.onload=function(){{f.onload=null;f.contentWindow.navigation.navigate('@yt/embed/1')}};{_IN}",
        service="youtube",
        files=_QUIET_FILE,
    ),
    code(
        "frame-link-pressed-by-script",
        f"{_QUIET}f.onload=function(){{f.onload=null;var a=f.contentDocument.createElement('a');a.href='@yt/embed/1';f.contentDocument.body.append(a);a.click()}};{_IN}",
        service="youtube",
        files=_QUIET_FILE,
    ),
    code(
        "frame-of-a-second-page",
        f"{_QUIET}f.onload=function(){{f.onload=function(){{f.onload=null;frames[0].fetch('@ga/collect')}};frames[0].location.reload()}};{_IN}",
        files=_BARE_FILE,
    ),
    Case(
        "frame-that-leaves-by-itself",
        '<iframe title="x" src="/files/inner.html"></iframe>',
        service="youtube",
        declared='<iframe @held title="x" data-consent-src="/files/inner.html"></iframe>',
        files={
            "inner.html": "<!doctype html><html><head><title>x</title><script>location.replace('@yt/embed/1')</script></head></html>"
        },
    ),
    Case(
        "frame-that-refreshes",
        '<iframe title="x" src="/files/inner.html"></iframe>',
        service="youtube",
        declared='<iframe @held title="x" data-consent-src="/files/inner.html"></iframe>',
        files={
            "inner.html": '<!doctype html><html><head><title>x</title><meta http-equiv="refresh" content="0;url=@yt/embed/1"></head></html>'
        },
    ),
    code("frame-by-name", "window.open('@yt/embed/1','place')", before=_FRAME, service="youtube"),
    code(
        "frame-blob",
        f"{_NEW}f.src=URL.createObjectURL(new Blob(['<img src=\"@ga/a.gif\">'],{{type:'text/html'}}));{_IN}",
    ),
    code(
        "frame-replace-state-of-object",
        "var o=document.createElement('object');o.data='@yt/embed/1';document.body.append(o)",
        service="youtube",
    ),
    code("fresh-frame-fetch", f"{_WINDOW}w.fetch('@ga/collect')"),
    code("fresh-frame-beacon", f"{_WINDOW}w.navigator.sendBeacon('@ga/collect','x')"),
    code(
        "fresh-frame-request",
        f"{_WINDOW}var x=new w.XMLHttpRequest();x.open('POST','@ga/collect');x.send('x')",
    ),
    code("fresh-frame-image", f"{_WINDOW}new w.Image().src='@ga/a.gif'"),
    code(
        "fresh-frame-element",
        f"{_WINDOW}var s=d.createElement('script');s.src='@ga/a.js';d.body.append(s)",
    ),
    code(
        "fresh-frame-element-moved",
        f"{_WINDOW}var s=d.createElement('script');s.src='@ga/a.js';document.body.append(s)",
    ),
    code(
        "fresh-frame-prototype",
        f"{_WINDOW}var s=document.createElement('script');Object.getOwnPropertyDescriptor(w.HTMLScriptElement.prototype,'src').set.call(s,'@ga/a.js');document.body.append(s)",
    ),
    code(
        "fresh-frame-write",
        f"{_WINDOW}d.open();d.write('<script src=\"@ga/a.js\"><\\/script>');d.close()",
    ),
    code("fresh-frame-eval", f"{_WINDOW}w.eval(\"fetch('@ga/collect')\")"),
    code("fresh-frame-inner-html", f'{_WINDOW}d.body.innerHTML=\'<img alt="" src="@ga/a.gif">\''),
    code(
        "fresh-frame-by-html",
        "document.getElementById('p').innerHTML='<iframe title=x></iframe>';frames[0].fetch('@ga/collect')",
        before="<p id=p></p>",
    ),
    code(
        "fresh-frame-nested",
        f"{_WINDOW}var g=d.createElement('iframe');d.body.append(g);g.contentWindow.fetch('@ga/collect')",
    ),
    code("fresh-frame-cookie", f"{_WINDOW}d.cookie='_ga=1;path=/'"),
    code(
        "fresh-frame-local-storage",
        f"{_WINDOW}w.localStorage.setItem('hjActiveViewportIds','1')",
        service="hotjar",
    ),
)
