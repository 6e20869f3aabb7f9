"""Cookies and storage that code of the page itself writes for a service."""

from __future__ import annotations

from ..case import code, named

_HJ = "hotjar"
_OWN = "matrix-own"

CASES = named(
    "storage",
    code("cookie", "document.cookie='_ga=1'"),
    code("cookie-with-attributes", "document.cookie='_ga=1; path=/; max-age=99999; SameSite=Lax'"),
    code("cookie-by-pattern", "document.cookie='_ga_ABC=1;path=/'"),
    code("cookie-with-spaces", "document.cookie='  _ga = 1 ;path=/'"),
    code("cookie-deeper-path", "document.cookie='_ga=1;path='+location.pathname"),
    code(
        "cookie-by-descriptor",
        "Object.getOwnPropertyDescriptor(Document.prototype,'cookie').set.call(document,'_ga=1')",
    ),
    code("cookie-by-reflect", "Reflect.set(document,'cookie','_ga=1;path=/')"),
    code("cookie-store", "cookieStore.set('_ga','1').catch(function(){})"),
    code(
        "cookie-store-object",
        "cookieStore.set({name:'_ga',value:'1',path:'/'}).catch(function(){})",
    ),
    code("cookie-later", "setTimeout(function(){document.cookie='_ga=1;path=/'},80)"),
    code("cookie-again-and-again", "setInterval(function(){document.cookie='_ga=1;path=/'},100)"),
    code("local-set-item", "localStorage.setItem('hjActiveViewportIds','1')", service=_HJ),
    code("local-property", "localStorage.hjActiveViewportIds='1'", service=_HJ),
    code("local-index", "localStorage['_hjUserAttributes']='1'", service=_HJ),
    code("local-assign", "Object.assign(localStorage,{hjActiveViewportIds:'1'})", service=_HJ),
    code(
        "local-define",
        "Object.defineProperty(localStorage,'hjActiveViewportIds',{value:'1'})",
        service=_HJ,
    ),
    code("local-reflect", "Reflect.set(localStorage,'hjActiveViewportIds','1')", service=_HJ),
    code(
        "local-by-prototype",
        "Storage.prototype.setItem.call(localStorage,'hjActiveViewportIds','1')",
        service=_HJ,
    ),
    code("local-by-pattern", "localStorage.setItem('_dd_c_1','1')", service="datadog-rum"),
    code(
        "local-again-and-again",
        "setInterval(function(){localStorage.hjActiveViewportIds='1'},100)",
        service=_HJ,
    ),
    code("session-set-item", "sessionStorage.setItem('hjViewportId','1')", service=_HJ),
    code("session-property", "sessionStorage.hjViewportId='1'", service=_HJ),
    code(
        "session-by-prototype",
        "Storage.prototype.setItem.call(sessionStorage,'hjViewportId','1')",
        service=_HJ,
    ),
    code("indexed-db", "indexedDB.open('vendor-db')", service=_OWN),
    code(
        "indexed-db-with-data",
        "var r=indexedDB.open('vendor-db',1);r.onupgradeneeded=function(){r.result.createObjectStore('s').put(1,1)}",
        service=_OWN,
    ),
    code(
        "indexed-db-by-prototype",
        "IDBFactory.prototype.open.call(indexedDB,'vendor-db')",
        service=_OWN,
    ),
    code("cache-storage", "caches.open('vendor-cache')", service=_OWN),
    code(
        "cache-storage-with-data",
        "caches.open('vendor-cache').then(function(c){c.put('/x',new Response('x'))})",
        service=_OWN,
    ),
    code(
        "cache-storage-by-prototype",
        "CacheStorage.prototype.open.call(caches,'vendor-cache')",
        service=_OWN,
    ),
)
