"""Style sheets, fonts, pictures, films, sounds and drawings."""

from __future__ import annotations

import re

from ..case import Case, code, named, src


def _templated(name: str, page: str, **more: object) -> Case:
    # Addresses as the documentation says: Firefox reads ahead inside templates, too.
    inside = re.sub(r' (src|href)="@', r' data-consent-\1="@', page)
    return Case(name, page, declared=f"<template @held>{inside}</template>", **more)  # type: ignore[arg-type]


_DRAWN = "width:20px;height:20px;display:block"
_NONE = "<p id=p>x</p>"

CASES = named(
    "resources",
    src("image", '<img alt="" src="@ga/a.gif">'),
    src("image-lazy", '<img alt="" loading="lazy" width="9" height="9" src="@ga/a.gif">'),
    src("image-srcset", '<img alt="" srcset="@ga/a.gif 1x">', "srcset"),
    src("image-crossorigin", '<img alt="" crossorigin src="@ga/a.gif">'),
    Case(
        "picture",
        '<picture><source srcset="@ga/a.gif"><img alt="" src="@ga/b.gif"></picture>',
        declared='<picture><source @held data-consent-srcset="@ga/a.gif">'
        '<img alt="" @held data-consent-src="@ga/b.gif"></picture>',
        counted=False,
    ),
    Case(
        "image-in-noscript-moved",
        "<noscript id=n><img alt='' src='@ga/a.gif'></noscript>"
        "<script>document.body.insertAdjacentHTML('beforeend',document.getElementById('n').textContent)</script>",
        declared="<noscript id=n><img alt='' src='@ga/a.gif'></noscript>"
        "<script @off>document.body.insertAdjacentHTML('beforeend',document.getElementById('n').textContent)</script>",
    ),
    src("input-image", '<input type="image" alt="x" src="@ga/a.gif">'),
    src("body-background", '<table background="@ga/a.gif"><tr><td>x</table>', "background"),
    src("video", '<video controls preload="auto" src="@ga/a.mp4"></video>', counted=False),
    src("video-poster", '<video controls preload="none" poster="@ga/a.gif"></video>', "poster"),
    Case(
        "video-source",
        '<video controls preload="auto"><source src="@ga/a.mp4"></video>',
        declared='<video controls preload="auto"><source @held data-consent-src="@ga/a.mp4"></video>',
        counted=False,
    ),
    src("audio", '<audio controls preload="auto" src="@ga/a.mp3"></audio>', counted=False),
    Case(
        "text-track",
        '<video crossorigin><track default kind="subtitles" src="@ga/a.vtt"></video>',
        declared='<video crossorigin><track default kind="subtitles" @held data-consent-src="@ga/a.vtt"></video>',
    ),
    src("style-sheet", '<link rel="stylesheet" href="@ga/a.css">', "href"),
    src("style-sheet-for-print", '<link rel="stylesheet" media="print" href="@ga/a.css">', "href"),
    src(
        "style-sheet-alternate",
        '<link rel="alternate stylesheet" title="b" href="@ga/a.css">',
        "href",
    ),
    src("preload-script", '<link rel="preload" as="script" href="@ga/a.js">', "href"),
    src("preload-image", '<link rel="preload" as="image" href="@ga/a.gif">', "href"),
    _templated("preload-image-set", '<link rel="preload" as="image" imagesrcset="@ga/a.gif 1x">'),
    src("preload-font", '<link rel="preload" as="font" crossorigin href="@ga/a.woff2">', "href"),
    src("preload-fetch", '<link rel="preload" as="fetch" crossorigin href="@ga/a.json">', "href"),
    src("module-preload", '<link rel="modulepreload" href="@ga/a.js">', "href"),
    src("prefetch", '<link rel="prefetch" href="@ga/a.js">', "href"),
    _templated("style-import", '<style>@import "@ga/a.css";</style>'),
    _templated("style-import-url", "<style>@import url(@ga/a.css) screen;</style>"),
    _templated(
        "style-background", f"<style>#b{{background:url(@ga/a.gif);{_DRAWN}}}</style><b id=b></b>"
    ),
    _templated(
        "style-escaped",
        f"<style>#b{{background:url(https://www.google\\2d analytics.com/a.gif);{_DRAWN}}}</style><b id=b></b>",
    ),
    _templated(
        "style-image-set",
        f'<style>#b{{background:image-set("@ga/a.gif" 1x);{_DRAWN}}}</style><b id=b></b>',
    ),
    _templated("style-content", "<style>#b::before{content:url(@ga/a.gif)}</style><b id=b></b>"),
    _templated("style-list", "<style>li{list-style-image:url(@ga/a.gif)}</style><ul><li>x</ul>"),
    _templated(
        "style-variable",
        f"<style>:root{{--u:url(@ga/a.gif)}}#b{{background:var(--u);{_DRAWN}}}</style><b id=b></b>",
    ),
    _templated(
        "style-mask",
        f"<style>#b{{mask-image:url(@ga/a.gif);background:red;{_DRAWN}}}</style><b id=b></b>",
    ),
    _templated(
        "font-face",
        "<style>@font-face{font-family:Vendor;src:url(@ga/a.woff2)}#b{font-family:Vendor}</style><b id=b>x</b>",
    ),
    _templated("style-attribute", f'<b style="background:url(@ga/a.gif);{_DRAWN}"></b>'),
    _templated(
        "svg-image",
        '<svg width="9" height="9"><image width="9" height="9" href="@ga/a.gif"/></svg>',
    ),
    _templated(
        "svg-image-xlink",
        '<svg width="9" height="9"><image width="9" height="9" xlink:href="@ga/a.gif"/></svg>',
    ),
    _templated(
        "svg-filter-image",
        '<svg width="9" height="9"><filter id="f"><feImage href="@ga/a.gif"/></filter><rect width="9" height="9" filter="url(#f)"/></svg>',
    ),
    _templated("svg-style", '<svg width="9" height="9"><style>@import "@ga/a.css";</style></svg>'),
    Case(
        "declarative-shadow-image",
        '<div><template shadowrootmode="open"><img alt="" src="@ga/a.gif"></template></div>',
        declared='<template @held><img alt="" data-consent-src="@ga/a.gif"></template>',
    ),
    Case(
        "declarative-shadow-script",
        '<div><template shadowrootmode="open"><script src="@ga/a.js"></script></template></div>',
        declared='<template @held><script src="@ga/a.js"></script></template>',
    ),
    Case(
        "declarative-shadow-in-late-chunk",
        '<div><!--wait--><template shadowrootmode="open"><script src="@ga/a.js"></script></template></div>',
        declared='<template @held><script src="@ga/a.js"></script></template>',
    ),
    Case(
        "declarative-shadow-deferred",
        '<section><p>First</p><div><!--wait--><template shadowrootmode="open"><script defer src="@ga/a.js"></script></template></div></section>',
        declared='<section><p>First</p><div><template @held><script defer src="@ga/a.js"></script></template></div></section>',
    ),
    Case(
        "declarative-shadow-style",
        '<div><template shadowrootmode="closed"><style>@import "@ga/a.css";</style></template></div>',
        declared='<template @held><style>@import "@ga/a.css";</style></template>',
    ),
    code("style-by-script", f"p.style.cssText='background:url(@ga/a.gif);{_DRAWN}'", before=_NONE),
    code("style-property", "p.style.backgroundImage='url(@ga/a.gif)'", before=_NONE),
    code(
        "style-set-property",
        "p.style.setProperty('background-image','url(@ga/a.gif)')",
        before=_NONE,
    ),
    code(
        "style-attribute-by-script",
        "p.setAttribute('style','background:url(@ga/a.gif)')",
        before=_NONE,
    ),
    code(
        "style-rule",
        "document.styleSheets[0].insertRule('#p{background:url(@ga/a.gif)}')",
        before=f"<style>p{{color:red}}</style>{_NONE}",
    ),
    code(
        "style-rule-property",
        "document.styleSheets[0].cssRules[0].style.background='url(@ga/a.gif)'",
        before=f"<style>#p{{color:red}}</style>{_NONE}",
    ),
    code(
        "style-element-text",
        "var s=document.createElement('style');s.textContent='@import \"@ga/a.css\"';document.head.append(s)",
    ),
    code(
        "style-text-node",
        "var s=document.createElement('style');document.head.append(s);s.append('#p{background:url(@ga/a.gif)}')",
        before=_NONE,
    ),
    code(
        "style-constructed",
        "var s=new CSSStyleSheet();s.replaceSync('#p{background:url(@ga/a.gif)}');document.adoptedStyleSheets=[s]",
        before=_NONE,
    ),
    code(
        "style-animation",
        "p.animate([{backgroundImage:'url(@ga/a.gif)'},{backgroundImage:'url(@ga/a.gif)'}],1000)",
        before=_NONE,
    ),
    code(
        "font-by-script",
        "var f=new FontFace('Vendor','url(@ga/a.woff2)');f.load().catch(function(){})",
    ),
    code(
        "canvas-image",
        "var i=document.createElement('img');i.decode&&(i.src='@ga/a.gif',i.decode().catch(function(){}))",
    ),
    code(
        "video-by-script",
        "var v=document.createElement('video');v.preload='auto';v.src='@ga/a.mp4';document.body.append(v)",
        counted=False,
    ),
    code(
        "poster-by-script",
        "var v=document.createElement('video');v.preload='none';v.poster='@ga/a.gif';document.body.append(v)",
    ),
    code(
        "svg-image-by-script",
        "var g=document.createElementNS('http://www.w3.org/2000/svg','svg');g.innerHTML='<image width=\"9\" height=\"9\" href=\"@ga/a.gif\"/>';document.body.append(g)",
    ),
)
