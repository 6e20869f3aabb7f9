"""Tracker answers: what the stand-in sends for scripts, frames, images and everything else."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass

_GIF = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")

# Every stand-in script says that it ran, with its place in the order of the page: reports travel
# on connections of their own and may overtake each other.
_REPORT = """(function () {
  var url = %s;
  window.__ran = window.__ran || [];
  window.__ran.push(url);
  var n = window.__ran.length;
  fetch(%s + '/ran?n=' + n + '&u=' + encodeURIComponent(url), { keepalive: true }).catch(
    function () {}
  );
})();
"""

_SET = "document.cookie = '%s=stand-in; Path=/; Max-Age=63072000; SameSite=Lax';\n"


def _cookies(*names: str) -> str:
    return "".join(_SET % name for name in names)


def _local(*names: str) -> str:
    return "".join(f"localStorage.setItem('{name}', 'stand-in');\n" for name in names)


# A library that keeps its calls: code that needs it and runs first fails loudly.
def _library(name: str, *methods: str) -> str:
    calls = ", ".join(f"{m}: function () {{ called('{m}', arguments); }}" for m in methods)
    return f"""(function () {{
  function called(method, given) {{
    (window.__calls = window.__calls || []).push('{name}.' + method);
    if (method === 'onReady' && given[0]) given[0]();
  }}
  window.{name} = Object.assign(window.{name} || {{}}, {{ {calls} }});
}})();
"""


# The queue that a snippet filled before its library came: the library reads it on arrival.
def _reads_queue(expression: str, name: str) -> str:
    return f"""(function () {{
  var queue = {expression};
  (window.__calls = window.__calls || []).push('{name}:' + (queue ? queue.length : 'no queue'));
}})();
"""


# (beginning of host + path, what the script does beside reporting that it ran)
_SCRIPTS: tuple[tuple[str, str], ...] = (
    (
        "www.googletagmanager.com/gtag/js",
        _cookies("_ga", "_ga_DEMO") + _reads_queue("window.dataLayer", "gtag"),
    ),
    ("www.googletagmanager.com/gtm.js", _reads_queue("window.dataLayer", "gtm")),
    ("www.google-analytics.com/", _cookies("_ga", "_gid", "_gat")),
    (
        "connect.facebook.net/",
        _cookies("_fbp") + _reads_queue("window.fbq && window.fbq.queue", "fbq"),
    ),
    (
        "snap.licdn.com/",
        _cookies("li_fat_id", "ln_or")
        + _local("li_adsId")
        + _reads_queue("window._linkedin_data_partner_ids", "linkedin"),
    ),
    ("static.hotjar.com/", _cookies("_hjSessionUser_1", "_hjSession_1")),
    ("www.clarity.ms/", _cookies("_clck", "_clsk")),
    ("js.hs-scripts.com/", _cookies("__hstc", "hubspotutk", "__hssc", "__hssrc")),
    ("js-eu1.hs-scripts.com/", _cookies("__hstc", "hubspotutk", "__hssc", "__hssrc")),
    ("widget.intercom.io/", _cookies("intercom-id-demo", "intercom-session-demo")),
    ("cdn.lr-in-prod.com/", _library("LogRocket", "init", "identify")),
    ("cdn.logr-in.com/", _library("LogRocket", "init", "identify")),
    ("cdn.lr-in.com/", _library("LogRocket", "init", "identify")),
    ("cdn.logrocket.io/", _library("LogRocket", "init", "identify")),
    ("cdn.lgrckt-in.com/", _library("LogRocket", "init", "identify")),
    ("js.sentry-cdn.com/", _library("Sentry", "init", "onLoad")),
    ("browser.sentry-cdn.com/", _library("Sentry", "init", "onLoad")),
    ("www.datadoghq-browser-agent.com/", _library("DD_RUM", "init", "onReady") + _cookies("_dd_s")),
    ("js-agent.newrelic.com/", _local("NRBA_SESSION")),
    ("assets.flex.twilio.com/", _library("Twilio", "init", "initWebchat")),
    ("media.twiliocdn.com/", _library("Twilio", "init", "initWebchat")),
    ("chimpstatic.com/", _cookies("_mcid")),
)


@dataclass(frozen=True)
class Answer:
    """One HTTP answer of the stand-in."""

    status: int
    content_type: str
    body: bytes
    set_cookies: tuple[str, ...] = ()


def answer_for(host: str, path: str, query: str, wanted: str) -> Answer:
    """Answer as a tracker would, by what the browser wants it for (Sec-Fetch-Dest)."""
    if path == "/ran":
        return Answer(204, "text/plain", b"")
    third_party = ("stand_in_visitor=1; Secure; SameSite=None; Path=/; Max-Age=31536000",)
    if wanted in {"iframe", "frame", "document", "embed", "object"}:
        page = f"<!doctype html><title>{host}</title><p>Stand-in for {host}</p>"
        return Answer(200, "text/html; charset=utf-8", page.encode(), third_party)
    if wanted == "image":
        return Answer(200, "image/gif", _GIF, third_party)
    if wanted == "style" or path.endswith(".css"):
        return Answer(200, "text/css", b"")
    if wanted == "script" or path.endswith(".js"):
        return Answer(200, "text/javascript", _script(host, path, query).encode(), third_party)
    return Answer(200, "application/json", b"{}", third_party)


def _script(host: str, path: str, query: str) -> str:
    url = f"https://{host}{path}" + (f"?{query}" if query else "")
    report = _REPORT % (json.dumps(url), json.dumps(f"https://{host}"))
    address = host + path
    return report + "".join(code for start, code in _SCRIPTS if address.startswith(start))
