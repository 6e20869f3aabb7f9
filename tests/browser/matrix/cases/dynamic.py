"""Elements that a script of the page makes, sets or inserts."""

from __future__ import annotations

from ..case import code, named

_MADE = "var s=document.createElement('script');"
_IN = "document.body.appendChild(s);"
_TAG = '<script src=\\"@ga/a.js\\"><\\/script>'

CASES = named(
    "dynamic insertion",
    code("element-src-then-append", f"{_MADE}s.src='@ga/a.js';{_IN}"),
    code("element-append-then-src", f"{_MADE}{_IN}s.src='@ga/a.js';"),
    code("set-attribute", f"{_MADE}s.setAttribute('src','@ga/a.js');{_IN}"),
    code("set-attribute-upper-case", f"{_MADE}s.setAttribute('SRC','@ga/a.js');{_IN}"),
    code("set-attribute-ns", f"{_MADE}s.setAttributeNS(null,'src','@ga/a.js');{_IN}"),
    code(
        "set-attribute-node",
        f"{_MADE}var a=document.createAttribute('src');a.value='@ga/a.js';s.setAttributeNode(a);{_IN}",
    ),
    code(
        "named-item",
        f"{_MADE}var a=document.createAttribute('src');a.value='@ga/a.js';s.attributes.setNamedItem(a);{_IN}",
    ),
    code(
        "attribute-value-later",
        f"{_MADE}s.setAttribute('src','data:,');s.attributes.src.value='@ga/a.js';{_IN}",
    ),
    code(
        "insert-before",
        f"{_MADE}s.src='@ga/a.js';document.body.insertBefore(s,document.body.firstChild)",
    ),
    code("after", f"{_MADE}s.src='@ga/a.js';document.currentScript.after(s)"),
    code(
        "replace-with",
        f"{_MADE}s.src='@ga/a.js';document.body.firstElementChild.replaceWith(s)",
        before="<p>x</p>",
    ),
    code(
        "prepend-and-replace-child",
        f"{_MADE}s.src='@ga/a.js';var p=document.getElementById('p');p.prepend('x');p.replaceChild(s,p.firstChild)",
        before="<p id=p></p>",
    ),
    code(
        "replace-children",
        f"{_MADE}s.src='@ga/a.js';document.getElementById('p').replaceChildren(s)",
        before="<p id=p>x</p>",
    ),
    code(
        "insert-adjacent-element",
        f"{_MADE}s.src='@ga/a.js';document.body.insertAdjacentElement('beforeend',s)",
    ),
    code(
        "range-insert",
        f"{_MADE}s.src='@ga/a.js';var r=document.createRange();r.selectNode(document.currentScript);r.insertNode(s)",
    ),
    code(
        "fragment",
        f"{_MADE}s.src='@ga/a.js';var f=document.createDocumentFragment();f.append(s);document.body.append(f)",
    ),
    code(
        "element-ns",
        "var s=document.createElementNS('http://www.w3.org/1999/xhtml','script');s.src='@ga/a.js';document.body.append(s)",
    ),
    code(
        "svg-script",
        "var s=document.createElementNS('http://www.w3.org/2000/svg','script');s.setAttribute('href','@ga/a.js');var g=document.createElementNS('http://www.w3.org/2000/svg','svg');g.append(s);document.body.append(g)",
    ),
    code("clone-node", f"{_MADE}s.src='@ga/a.js';document.body.append(s.cloneNode(true))"),
    code(
        "template-clone",
        "document.body.append(document.getElementById('t').content.cloneNode(true))",
        before='<template id="t"><script src="@ga/a.js"></script></template>',
    ),
    code(
        "template-import",
        "document.body.append(document.importNode(document.getElementById('t').content,true))",
        before='<template id="t"><script src="@ga/a.js"></script></template>',
    ),
    code(
        "other-document",
        "var d=document.implementation.createHTMLDocument('');var s=d.createElement('script');s.src='@ga/a.js';document.body.append(s)",
    ),
    code(
        "dom-parser-adopt",
        "var d=new DOMParser().parseFromString('<img src=\"@ga/a.gif\">','text/html');document.body.append(document.adoptNode(d.body.firstChild))",
    ),
    code(
        "inner-html",
        "document.getElementById('p').innerHTML='<img alt=\"\" src=\"@ga/a.gif\">'",
        before="<p id=p></p>",
    ),
    code(
        "outer-html",
        "document.getElementById('p').outerHTML='<img alt=\"\" src=\"@ga/a.gif\">'",
        before="<p id=p></p>",
    ),
    code(
        "insert-adjacent-html",
        "document.body.insertAdjacentHTML('beforeend','<iframe title=x src=\"@ga/a.html\"></iframe>')",
    ),
    code(
        "contextual-fragment",
        f"document.body.append(document.createRange().createContextualFragment('{_TAG}'))",
    ),
    code(
        "detached-inner-html",
        "document.createElement('div').innerHTML='<img alt=\"\" src=\"@ga/a.gif\">'",
    ),
    code(
        "set-html-unsafe",
        "document.getElementById('p').setHTMLUnsafe('<img alt=\"\" src=\"@ga/a.gif\">')",
        before="<p id=p></p>",
    ),
    code(
        "shadow-inner-html",
        "document.getElementById('p').attachShadow({mode:'open'}).innerHTML='<img alt=\"\" src=\"@ga/a.gif\">'",
        before="<p id=p></p>",
    ),
    code(
        "closed-shadow-script",
        f"{_MADE}s.src='@ga/a.js';document.getElementById('p').attachShadow({{mode:'closed'}}).append(s)",
        before="<p id=p></p>",
    ),
    code(
        "custom-element",
        f"customElements.define('a-pixel',class extends HTMLElement{{connectedCallback(){{{_MADE}s.src='@ga/a.js';this.append(s)}}}})",
        before="<a-pixel></a-pixel>",
    ),
    code("write-frame", "document.writeln('<iframe title=x src=\"@ga/a.html\"></iframe>')"),
    code("image-constructor", "new Image().src='@ga/a.gif'"),
    code("image-constructor-srcset", "new Image().srcset='@ga/a.gif 1x'"),
    code("audio-constructor", "new Audio('@ga/a.mp3').load()", counted=False),
    code("later", f"setTimeout(function(){{{_MADE}s.src='@ga/a.js';{_IN}}},50)"),
    code("inline-that-fetches", f"{_MADE}s.text=\"fetch('@ga/collect')\";{_IN}"),
    code("eval", "(0,eval)(\"fetch('@ga/collect')\")"),
    code("function-constructor", "new Function(\"new Image().src='@ga/a.gif'\")()"),
    code("timer-text", "setTimeout(\"new Image().src='@ga/a.gif'\",20)"),
    code(
        "handler-attribute",
        "var i=document.createElement('img');i.setAttribute('onerror',\"fetch('@ga/collect')\");i.src='data:,';document.body.append(i)",
    ),
    code(
        "in-order-by-script",
        "['slow','fast'].forEach(function(n){var s=document.createElement('script');s.async=false;s.src='@ga/'+n+'.js';document.body.append(s)})",
        delays={"@ga/slow.js": 0.4},
    ),
    code(
        "chained-by-onload",
        f"{_MADE}s.onload=function(){{mark('loaded');new Image().src='@ga/a.gif'}};s.src='@ga/a.js';{_IN}",
    ),
    code(
        "link-style",
        "var l=document.createElement('link');l.rel='stylesheet';l.href='@ga/a.css';document.head.append(l)",
    ),
    code(
        "link-preload",
        "var l=document.createElement('link');l.rel='preload';l.as='image';l.href='@ga/a.gif';document.head.append(l)",
    ),
    code(
        "json-p",
        "window.cb=function(){};var s=document.createElement('script');s.src='@ga/jsonp.js?callback=cb';document.head.append(s)",
    ),
)
