"""What is sent when the visitor presses, submits or goes."""

from __future__ import annotations

from ..case import Case, code, named

_FRAME = '<iframe title="x" name="place" width="200" height="100"></iframe>'
_FORM = '<form method="post" action="https://forms.hsforms.com/submit" target="place"><button id="act">Send</button></form>'

_BUTTON = '<form method="post" action="#" target="place"><button id="act" formaction="https://forms.hsforms.com/submit">x</button></form>'
_LINK = '<a id="act" href="@yt/embed/1" target="place">x</a>'


def _link(name: str, tag: str, attribute: str, **more: object) -> Case:
    declared = tag.replace(f" {attribute}=", f" @held data-consent-{attribute}=")
    return Case(name, tag, declared=declared, act="click", **more)  # type: ignore[arg-type]


CASES = named(
    "navigation",
    code(
        "pagehide-beacon",
        "addEventListener('pagehide',function(){navigator.sendBeacon('@ga/bye','x')})",
        act="leave",
    ),
    code(
        "pagehide-fetch",
        "addEventListener('pagehide',function(){fetch('@ga/bye',{method:'POST',keepalive:true,body:'x',mode:'no-cors'})})",
        act="leave",
    ),
    code(
        "hidden-beacon",
        "document.addEventListener('visibilitychange',function(){if(document.hidden)navigator.sendBeacon('@ga/bye','x')})",
        act="leave",
    ),
    code(
        "before-unload-beacon",
        "addEventListener('beforeunload',function(){navigator.sendBeacon('@ga/bye','x')})",
        act="leave",
    ),
    code(
        "unload-handler-attribute",
        "document.body.setAttribute('onpagehide',\"navigator.sendBeacon('@ga/bye','x')\")",
        act="leave",
    ),
    _link("ping", '<a id="act" href="#x" ping="@ga/ping">x</a>', "ping"),
    code(
        "ping-by-script",
        "var a=document.getElementById('act');a.ping='@ga/ping'",
        before='<a id="act" href="#x">x</a>',
        act="click",
    ),
    Case(
        "link-into-frame",
        _LINK + _FRAME,
        declared=f"<template @held>{_LINK}</template>{_FRAME}",
        service="youtube",
        act="click",
    ),
    code(
        "click-handler",
        "document.getElementById('act').onclick=function(){fetch('@ga/click')}",
        before='<button id="act">x</button>',
        act="click",
    ),
    code(
        "click-of-made-link",
        "var a=document.createElement('a');a.href='@yt/embed/1';a.target='place';document.body.append(a);a.click()",
        before=_FRAME,
        service="youtube",
    ),
    Case(
        "form-into-frame",
        _FORM + _FRAME,
        declared=f"<template @held>{_FORM}</template>{_FRAME}",
        service="hubspot",
        act="click",
    ),
    Case(
        "form-by-button",
        _BUTTON + _FRAME,
        declared=f"<template @held>{_BUTTON}</template>{_FRAME}",
        service="hubspot",
        act="click",
    ),
    code(
        "form-sent-by-script",
        "var f=document.createElement('form');f.method='post';f.action='https://forms.hsforms.com/submit';f.target='place';document.body.append(f);f.submit()",
        before=_FRAME,
        service="hubspot",
    ),
    code(
        "form-requested-by-script",
        "var f=document.createElement('form');f.action='https://forms.hsforms.com/submit';f.target='place';document.body.append(f);f.requestSubmit()",
        before=_FRAME,
        service="hubspot",
    ),
    Case(
        "speculation-prefetch",
        '<script type="speculationrules">{"prefetch":[{"source":"list","urls":["@yt/watch"]}]}</script>',
        declared='<script @off data-consent-type="speculationrules">{"prefetch":[{"source":"list","urls":["@yt/watch"]}]}</script>',
        service="youtube",
        engines=("chromium",),
    ),
    code(
        "speculation-by-script",
        'var s=document.createElement(\'script\');s.type=\'speculationrules\';s.textContent=\'{"prefetch":[{"source":"list","urls":["@yt/watch"]}]}\';document.head.append(s)',
        service="youtube",
        engines=("chromium",),
    ),
    Case(
        "refresh-in-frame",
        "<iframe title='x' srcdoc='<meta http-equiv=refresh content=\"0;url=@yt/embed/1\">'></iframe>",
        declared="<template @held><iframe title='x' srcdoc='<meta http-equiv=refresh content=\"0;url=@yt/embed/1\">'></iframe></template>",
        service="youtube",
    ),
    code(
        "pushed-state",
        "['pushState'].forEach(function(n){var o=history[n];history[n]=function(){fetch('@ga/view');return o.apply(this,arguments)}});history.pushState(1,'','?p=2')",
    ),
    code(
        "hash-change",
        "addEventListener('hashchange',function(){fetch('@ga/view')});location.hash='x'+Math.random()",
    ),
)
