"""Answers in the matrix: code that tells that it ran, and goes on storing and sending."""

from __future__ import annotations

import json

from ..tracker_answers import Answer, answer_for

#: A cookie (or storage item) that the catalogue knows, by the host whose code leaves it.
_LEAVES = {
    "www.google-analytics.com": "document.cookie='_ga=1;path=/'",
    "www.googletagmanager.com": "document.cookie='_ga=1;path=/'",
    "connect.facebook.net": "document.cookie='_fbp=1;path=/'",
    "static.hotjar.com": "localStorage.hjActiveViewportIds=document.cookie='_hjSession_1=1;path=/'",
    "snap.licdn.com": "localStorage.li_adsId=1",
    "www.clarity.ms": "document.cookie='_clck=1;path=/'",
    "js.hs-scripts.com": "document.cookie='hubspotutk=1;path=/'",
    "widget.intercom.io": "document.cookie='intercom-id-x=1;path=/'",
}
#: Said on the console, which nothing but the test reads, and to the top window where there is one.
_SAYS = """(function () {
  var url = %s, words = 'ran ' + url;
  console.debug(words);
  try { (top.__said = top.__said || []).push(words); } catch (e) {}
  if (!self.document) return;
  self.__ran = self.__ran || []; self.__ran.push(url);
  function tick() {
    %s;
    fetch(%s + '/alive', { mode: 'no-cors' }).catch(function () {});
  }
  tick();
  var beat = setInterval(tick, 400);
  function hear(goes) {
    clearInterval(beat);
    if (goes) beat = setInterval(tick, 400);
  }
  %s;
})();
"""
#: How the code of a service hears its own call, where the catalogue says that it stops by that.
_HEARS = {
    "connect.facebook.net": """
  function told(words) { if (words[0] === 'consent') hear(words[1] !== 'revoke'); }
  if (self.fbq) { (fbq.queue || []).forEach(told); fbq.queue = { push: told }; }""",
    "widget.intercom.io": """
  self.Intercom = function (word) { hear(word !== 'shutdown'); }""",
}
_LIBRARIES = ("LogRocket", "Sentry", "Twilio", "DD_RUM")
_ANSWERS = """window.%s = window.%s || {};
['init', 'onLoad', 'initWebchat', 'onReady'].forEach(function (n) { %s[n] = function () {}; });
"""


def answer(host: str, path: str, query: str, wanted: str) -> Answer:
    """Answer by what the browser wants it for, or by its ending where it does not say."""
    if path == "/alive":
        return Answer(204, "text/plain", b"")
    if wanted in {"iframe", "frame", "document", "embed", "object"} or path.endswith(".html"):
        body = f"<!doctype html><title>{host}</title><script>{_code(host, path)}</script>"
        return Answer(200, "text/html; charset=utf-8", body.encode())
    if path.endswith(".js") or wanted in {"script", "worker", "sharedworker", "audioworklet"}:
        return Answer(200, "text/javascript", _code(host, path).encode())
    found = answer_for(host, path, query, wanted or ("image" if path.endswith(".gif") else ""))
    return Answer(found.status, found.content_type, found.body)


def _code(host: str, path: str) -> str:
    origin = f"https://{host}"
    libraries = "".join(_ANSWERS % (name, name, name) for name in _LIBRARIES if "js" in path)
    guarded = f"if (self.document) {{ {libraries} }}\n"
    leaves, hears = _LEAVES.get(host, ""), _HEARS.get(host, "")
    says = _SAYS % (json.dumps(origin + path), leaves, json.dumps(origin), hears)
    return guarded + says
