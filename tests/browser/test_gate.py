"""The gate: one tag first in head, the page as it was; nothing runs or is stored before consent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import tomli_w
from playwright.sync_api import Page

from .owner_pages import PAUSE, OwnerPages
from .running_server import RunningServer
from .sites import SITES, DemoSite
from .tracker_answers import Answer
from .trackers import Trackers
from .visit import Visit, wait_until_settled, watch_silence

GATED, STRICT = DemoSite("gated"), DemoSite("strict")
GA = "https://www.google-analytics.com"
UNKNOWN = "https://cdn.unlisted-tracker.com"

_PAGE = """<!doctype html>
<html lang="en"><head><script src="{server}/w/{site}.js"></script>
<meta charset="utf-8"><title>A page of the owner</title></head>
<body><main><p>Text.</p></main>{body}</body></html>
"""


@pytest.fixture(scope="module")
def gated(server: RunningServer) -> RunningServer:
    """The server with two more sites: one with the gate, one with the strict gate."""
    for site, blocking in ((GATED, "gate"), (STRICT, "strict")):
        form: dict[str, Any] = {**SITES["smilee"].file, "key": site.key, "blocking": blocking}
        form["languages"] = ["sv", "fi", "en"]
        form["allowed_hosts"] = ["*.allowed-host.com"]
        file = Path(server.data_dir, f"{site.key}.toml")
        file.write_text(tomli_w.dumps(form), "utf-8")
        server.publish(file)
    return server


def _visit(
    page: Page, owner: OwnerPages, server: RunningServer, body: str, site: DemoSite = GATED
) -> Visit:
    owner.pages["/"] = (_PAGE.format(server=server.url, site=site.key, body=body), {})
    page.goto(f"{owner.url}/")
    visit = Visit(page, site, server)
    visit.wait_for_notice()
    return visit


def _asked(trackers: Trackers) -> list[str]:
    return [one.full_url for one in trackers.requests]


_BY_SCRIPT = f"""<script>
var tag = document.createElement('script');
tag.onload = function () {{ window.loaded = (window.loaded || 0) + 1; }};
tag.src = '{GA}/by-script.js';
document.body.appendChild(tag);
document.body.insertAdjacentHTML('beforeend', '<img alt="" src="{GA}/by-markup.gif">');
new Image().src = '{GA}/nowhere.gif';
navigator.sendBeacon('{GA}/beacon', 'x');
fetch('{GA}/fetch', {{ method: 'POST' }}).then(function () {{ window.fetched = true; }});
var frame = document.createElement('iframe');
document.body.appendChild(frame);
frames[0].fetch('{GA}/fresh-frame');
document.cookie = '_ga=1; path=/';
document.cookie = 'own=1; path=/';
localStorage.setItem('own', '1');
</script>"""


def test_what_scripts_load_waits_and_comes_once(
    page: Page, owner: OwnerPages, gated: RunningServer, trackers: Trackers
) -> None:
    visit = _visit(page, owner, gated, _BY_SCRIPT)
    watch_silence(page, trackers, 1.0)
    assert set(visit.cookies()) == {"own"}
    assert visit.storage() == {"local_storage": ["own"]}
    page.evaluate("window.__still_here = true")
    visit.decide("accept_all")
    wait_until_settled(page, trackers)
    names = ("by-script.js", "by-markup.gif", "nowhere.gif", "beacon", "fetch", "fresh-frame")
    assert sorted(_asked(trackers)) == sorted(f"{GA}/{name}" for name in names)
    assert page.evaluate("[window.loaded, window.fetched, window.__still_here]") == [1, True, True]
    assert "_ga" in visit.cookies()


_PARSED = f"""<script src="{GA}/first.js"></script><script src="{GA}/second.js"></script>
<script type="module" src="{GA}/third.js"></script>"""


def test_scripts_of_the_page_run_after_consent_only_and_in_order(
    page: Page, owner: OwnerPages, gated: RunningServer, trackers: Trackers
) -> None:
    """They may be fetched ahead by the browser, which no script can stop."""
    trackers.delays[f"{GA}/first.js"] = 0.3
    visit = _visit(page, owner, gated, _PARSED)
    wait_until_settled(page, trackers)
    assert trackers.runs == []
    assert visit.first_party_names() == set()
    visit.decide("accept_all")
    places = [f"{GA}/{name}.js" for name in ("first", "second", "third")]
    visit.wait_for(lambda: len(trackers.runs) == len(places), "all have run")
    assert [run.url for run in trackers.runs] == places


def test_a_withdrawal_reloads_and_holds_again(
    page: Page, owner: OwnerPages, gated: RunningServer, trackers: Trackers
) -> None:
    visit = _visit(page, owner, gated, _BY_SCRIPT)
    visit.decide("accept_all")
    wait_until_settled(page, trackers)
    page.goto(f"{owner.url}/")
    wait_until_settled(page, trackers)
    with page.expect_navigation():
        page.evaluate("consent.withdraw()")
    trackers.clear()
    watch_silence(page, trackers, 1.0)
    assert "_ga" not in visit.cookies()


_UNKNOWN = f"""<script>
['{UNKNOWN}/x.gif', 'https://cdn.allowed-host.com/y.gif', '/own.gif'].forEach(function (address) {{
  new Image().src = address;
}});
</script>"""


def test_strict_holds_every_host_but_the_own_and_the_allowed(
    page: Page, owner: OwnerPages, gated: RunningServer, trackers: Trackers
) -> None:
    visit = _visit(page, owner, gated, _UNKNOWN, STRICT)
    visit.decide("accept_all")
    wait_until_settled(page, trackers)
    assert _asked(trackers) == ["https://cdn.allowed-host.com/y.gif"]


def test_without_strict_an_unknown_host_is_the_sites_own_affair(
    page: Page, owner: OwnerPages, gated: RunningServer, trackers: Trackers
) -> None:
    _visit(page, owner, gated, _UNKNOWN)
    wait_until_settled(page, trackers)
    assert f"{UNKNOWN}/x.gif" in _asked(trackers)


_STRICT_TYPES = {
    "Content-Security-Policy": "require-trusted-types-for 'script'; trusted-types consent page"
}
_TYPED = f"""<script src="{GA}/parsed.js"></script><script>
var types = window.trustedTypes && trustedTypes.createPolicy('page', {{
  createHTML: function (x) {{ return x; }}, createScriptURL: function (x) {{ return x; }}
}});
var trust = function (kind, x) {{ return types ? types[kind](x) : x; }};
var tag = document.createElement('script');
tag.src = trust('createScriptURL', '{GA}/by-script.js');
document.body.appendChild(tag);
document.body.insertAdjacentHTML('beforeend', trust('createHTML', '<img alt="" src="{GA}/x.gif">'));
</script>"""


def test_a_page_that_demands_trusted_types_is_held_and_released_where_it_allows_our_name(
    page: Page, owner: OwnerPages, gated: RunningServer, trackers: Trackers
) -> None:
    body = _PAGE.format(server=gated.url, site=GATED.key, body=_TYPED)
    owner.pages["/"] = (body, _STRICT_TYPES)
    page.goto(f"{owner.url}/")
    visit = Visit(page, GATED, gated)
    visit.wait_for_notice()
    wait_until_settled(page, trackers)
    assert trackers.runs == []
    visit.decide("accept_all")
    visit.wait_for(lambda: len(trackers.runs) == 2, "both scripts run")
    wait_until_settled(page, trackers)
    assert {f"{GA}/parsed.js", f"{GA}/by-script.js", f"{GA}/x.gif"} <= set(_asked(trackers))


def test_a_service_s_own_modules_import_their_parts_once_they_run(
    page: Page, owner: OwnerPages, gated: RunningServer, trackers: Trackers
) -> None:
    host = "https://region1.google-analytics.com"  # known by a pattern that no import map can say
    whole = Answer(200, "text/javascript", b"import './part.js';")
    trackers.answers[f"{host}/whole.js"] = whole
    body = f'<script type="module" src="{host}/whole.js"></script>'
    visit = _visit(page, owner, gated, body, STRICT)
    wait_until_settled(page, trackers)
    assert trackers.runs == []
    visit.decide("accept_all")
    visit.wait_for(lambda: f"{host}/part.js" in [run.url for run in trackers.runs], "the part runs")


def test_text_that_is_written_with_a_sign_is_written_whole(
    page: Page, owner: OwnerPages, gated: RunningServer
) -> None:
    _visit(page, owner, gated, "<script>document.write('<i id=sum>1 < 2 and 3</i> 4 < 5')</script>")
    assert page.inner_text("#sum") == "1 < 2 and 3"
    assert "4 < 5" in page.inner_text("body")


def test_a_call_that_cannot_be_judged_fails_as_a_lost_line_does(
    page: Page, owner: OwnerPages, gated: RunningServer, trackers: Trackers
) -> None:
    body = f"""<script>
    var times = 0;
    fetch({{ toString: function () {{
      if (!times++) throw Error('once');
      return '{GA}/unjudged';
    }} }}).catch(function (error) {{ window.failed = error.name; }});
    </script>"""
    visit = _visit(page, owner, gated, body)
    wait_until_settled(page, trackers)
    visit.decide("accept_all")
    wait_until_settled(page, trackers)
    assert trackers.requests == []
    assert page.evaluate("window.failed") == "TypeError"


def test_a_deferred_script_in_a_shadow_root_that_comes_after_a_pause_is_held_and_released(
    page: Page, owner: OwnerPages, gated: RunningServer, trackers: Trackers
) -> None:
    script = f'<script defer src="{GA}/shadow.js"></script>'
    body = f'<div>{PAUSE}<template shadowrootmode="open">{script}</template></div>'
    visit = _visit(page, owner, gated, body)
    visit.decide("reject_all")
    page.goto(f"{owner.url}/")  # by now the browser may have read the script
    wait_until_settled(page, trackers)
    assert trackers.runs == []
    visit.reopen_preferences()
    visit.decide("accept_all")
    visit.wait_for(lambda: len(trackers.runs) == 1, "the script runs after consent")


def test_what_is_not_held_reads_as_its_page_wrote_it(
    page: Page, owner: OwnerPages, gated: RunningServer
) -> None:
    body = f"""<img id="own" src="/own.gif" alt="An image"><a id="link" href="/x">x</a>
<script>
var tag = document.createElement('script');
tag.src = '{GA}/by-script.js';
var own = document.getElementById('own');
window.read = [
  own.getAttribute('src'), own.getAttribute('ALT'), own.getAttribute('srcset'), own.src.slice(-8),
  document.getElementById('link').getAttribute('href'),
  tag.getAttribute('SRC'), tag.src, tag.getAttribute('title'),
];
tag.removeAttribute('SRC');
window.read.push(tag.getAttribute('src'), tag.src);
</script>"""
    _visit(page, owner, gated, body)
    own = ["/own.gif", "An image", None, "/own.gif", "/x"]
    held = [f"{GA}/by-script.js", f"{GA}/by-script.js", None]
    assert page.evaluate("window.read") == [*own, *held, None, ""]
