"""Calls of scripts to the network."""

from __future__ import annotations

from ..case import Case, code, named

_BLOB = "URL.createObjectURL(new Blob([%s],{type:'text/javascript'}))"
_FETCHES = _BLOB % "\"fetch('@ga/collect')\""
_IMPORTS = _BLOB % "\"importScripts('@ga/a.js')\""
_SERVICE_WORKER = "navigator.serviceWorker.register('/files/sw.js').catch(function(){})"

CASES = named(
    "network calls",
    code("fetch", "fetch('@ga/collect')"),
    code("fetch-post", "fetch('@ga/collect',{method:'POST',body:'x',mode:'no-cors'})"),
    code("fetch-request", "fetch(new Request('@ga/collect'))"),
    code("fetch-address-object", "fetch(new URL('/collect','@ga'))"),
    code("fetch-kept-alive", "fetch('@ga/collect',{method:'POST',keepalive:true,body:'x'})"),
    code("fetch-by-call", "Function.prototype.call.call(window.fetch,window,'@ga/collect')"),
    code("fetch-later", "fetchLater('@ga/collect',{activateAfter:0})", engines=("chromium",)),
    code("request", "var x=new XMLHttpRequest();x.open('GET','@ga/collect');x.send()"),
    code(
        "request-post",
        "var x=new XMLHttpRequest();x.open('POST','@ga/collect');x.setRequestHeader('content-type','text/plain');x.send('x')",
    ),
    code(
        "request-synchronous",
        "var x=new XMLHttpRequest();x.open('GET','@ga/collect',false);try{x.send()}catch(e){}",
    ),
    code(
        "request-by-prototype",
        "var x=new XMLHttpRequest(),p=XMLHttpRequest.prototype;p.open.call(x,'GET','@ga/collect');p.send.call(x)",
    ),
    code("beacon", "navigator.sendBeacon('@ga/collect','x')"),
    code(
        "beacon-by-prototype",
        "Navigator.prototype.sendBeacon.call(navigator,'@ga/collect',new Blob(['x']))",
    ),
    code("web-socket", "new WebSocket('wss://ws.hotjar.com/api')", service="hotjar"),
    code("event-source", "new EventSource('@ga/events')"),
    code("dynamic-import", "import('@ga/module.js')"),
    code(
        "blob-module",
        "import(URL.createObjectURL(new Blob([\"import '@ga/module.js'\"],{type:'text/javascript'})))",
    ),
    code("worker-that-fetches", f"new Worker({_FETCHES})"),
    code("worker-that-imports", f"new Worker({_IMPORTS})"),
    code(
        "worker-module",
        "new Worker(URL.createObjectURL(new Blob([\"import '@ga/module.js'\"],{type:'text/javascript'})),{type:'module'})",
    ),
    code(
        "worker-of-own-file",
        "new Worker('/files/worker.js')",
        files={"worker.js": "importScripts('@ga/a.js')"},
    ),
    code("worker-data-address", "new Worker(\"data:text/javascript,fetch('@ga/collect')\")"),
    code(
        "worker-in-worker",
        "new Worker(URL.createObjectURL(new Blob([\"new Worker(URL.createObjectURL(new Blob(['fetch(`@ga/collect`)'])))\"])))",
    ),
    code(
        "worker-told-what-to-fetch",
        "var w=new Worker(URL.createObjectURL(new Blob(['onmessage=function(e){fetch(e.data)}'])));w.postMessage('@ga/collect')",
    ),
    code(
        "worker-request",
        "new Worker(URL.createObjectURL(new Blob([\"var x=new XMLHttpRequest();x.open('GET','@ga/collect');x.send()\"])))",
    ),
    code("shared-worker", f"new SharedWorker({_FETCHES})"),
    code(
        "shared-worker-of-own-file",
        "new SharedWorker('/files/worker.js')",
        files={"worker.js": "importScripts('@ga/a.js')"},
    ),
    code(
        "service-worker-that-imports", _SERVICE_WORKER, files={"sw.js": "importScripts('@ga/a.js')"}
    ),
    code("service-worker-that-fetches", _SERVICE_WORKER, files={"sw.js": "fetch('@ga/collect')"}),
    code(
        "audio-worklet",
        "new OfflineAudioContext(1,1,8000).audioWorklet.addModule('@ga/module.js').catch(function(){})",
    ),
    code(
        "cache-add",
        "caches.open('own').then(function(c){return c.add('@ga/a.json')}).catch(function(){})",
    ),
    code(
        "cache-add-all",
        "caches.open('own').then(function(c){return c.addAll(['@ga/a.json'])}).catch(function(){})",
    ),
    Case(
        "data-that-the-page-names",
        '<i id="i" data-url="@ga/collect"></i><script>fetch(document.getElementById("i").dataset.url)</script>',
        declared='<i id="i" data-url="@ga/collect"></i><script @off>fetch(document.getElementById("i").dataset.url)</script>',
    ),
    code("repeated", "setInterval(function(){fetch('@ga/alive')},200)"),
)
