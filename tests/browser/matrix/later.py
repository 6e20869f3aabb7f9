"""Cases written after the gate, by reading the standards for ways that nobody had thought of."""

from __future__ import annotations

from .case import Case, code, named

_BLOB_STYLE = "URL.createObjectURL(new Blob(['@import \"@ga/a.css\"'],{type:'text/css'}))"
_SVG = "document.body.append(document.createElementNS('http://www.w3.org/2000/svg','svg'));"
_IMAGE = (
    "var i=document.createElementNS('http://www.w3.org/2000/svg','image');"
    "i.setAttribute('width',9);i.setAttribute('height',9);"
    "document.querySelector('svg').append(i);"
)
_P = "<p id=p>x</p>"

LATER = named(
    "later",
    # HTML: scripts run when their children change; documents can be opened again.
    code(
        "script-children-changed",
        "var s=document.createElement('script');document.body.append(s);"
        "s.append('fetch(\"@ga/collect\")')",
    ),
    code(
        "script-surrounds-range",
        "var s=document.createElement('script');s.src='@ga/a.js';var r=document.createRange();"
        "r.selectNode(p.firstChild);r.surroundContents(s)",
        before=_P,
    ),
    code(
        "document-opened-again",
        "addEventListener('load',function(){setTimeout(function(){"
        "new Image().src='@ga/a.gif';document.open();"
        'document.write(\'<p>x</p><img alt="" src="@ga/b.gif">\');document.close()},50)})',
    ),
    code(
        "parse-html-unsafe",
        'document.body.append(Document.parseHTMLUnsafe(\'<img alt="" src="@ga/a.gif">\')'
        ".body.firstChild)",
    ),
    code(
        "command-that-inserts-html",
        "p.contentEditable=true;getSelection().selectAllChildren(p);"
        "document.execCommand('insertHTML',false,'<img alt=\"\" src=\"@ga/a.gif\">')",
        before=_P,
    ),
    # HTML: reflecting attributes of elements that are seldom made by script.
    code("body-background-property", "document.body.background='@ga/a.gif'"),
    code(
        "input-image-by-script",
        "var i=document.createElement('input');i.type='image';i.src='@ga/a.gif';"
        "document.body.append(i)",
    ),
    code(
        "embed-by-script",
        "var e=document.createElement('embed');e.type='text/html';e.src='@yt/embed/1';"
        "document.body.append(e)",
        service="youtube",
    ),
    code(
        "source-set-by-script",
        "var q=document.createElement('picture'),s=document.createElement('source');"
        "s.srcset='@ga/a.gif';q.append(s,document.createElement('img'));document.body.append(q)",
    ),
    code(
        "link-image-set-by-script",
        "var l=document.createElement('link');l.rel='preload';l.as='image';"
        "l.imageSrcset='@ga/a.gif 1x';document.head.append(l)",
    ),
    Case(
        "object-of-data-address",
        "<object type='text/html' data=\"data:text/html,<img alt=x src='@ga/a.gif'>\"></object>",
        declared="<template @held><object type='text/html' "
        "data=\"data:text/html,<img alt=x src='@ga/a.gif'>\"></object></template>",
    ),
    Case(
        "link-of-javascript-address",
        "<a id='act' href=\"javascript:void(new Image().src='@ga/a.gif')\">x</a>",
        declared="<template @held>"
        "<a id='act' href=\"javascript:void(new Image().src='@ga/a.gif')\">x</a></template>",
        act="click",
    ),
    # SVG: animation and reflected references.
    Case(
        "svg-animated-address",
        '<svg width="9" height="9"><image width="9" height="9">'
        '<set attributeName="href" to="@ga/a.gif"/></image></svg>',
        declared='<template @held><svg width="9" height="9"><image width="9" height="9">'
        '<set attributeName="href" to="@ga/a.gif"/></image></svg></template>',
    ),
    code("svg-base-value", f"{_SVG}{_IMAGE}i.href.baseVal='@ga/a.gif'"),
    # CSS OM: every other way to put an address into a sheet.
    code("style-put-forward", "p.style='background:url(@ga/a.gif)'", before=_P),
    code(
        "style-of-grouping-rule",
        "document.styleSheets[0].cssRules[0].insertRule('#p{background:url(@ga/a.gif)}')",
        before=f"<style>@media all{{}}</style>{_P}",
    ),
    code(
        "style-replaced-later",
        "var s=new CSSStyleSheet();document.adoptedStyleSheets=[s];"
        "s.replace('#p{background:url(@ga/a.gif)}')",
        before=_P,
    ),
    Case(
        "sheet-of-data-address",
        "<link rel='stylesheet' href=\"data:text/css,@import url('@ga/a.css')\">",
        declared="<link @held rel='stylesheet' "
        "data-consent-href=\"data:text/css,@import url('@ga/a.css')\">",
    ),
    code(
        "sheet-of-blob-address",
        f"var l=document.createElement('link');l.rel='stylesheet';l.href={_BLOB_STYLE};"
        "document.head.append(l)",
    ),
    # ECMAScript: modules that are no code.
    code("import-of-data", "import('@ga/data.json',{with:{type:'json'}}).catch(function(){})"),
)
