"""Rewriting: a page with its trackers as their vendors wrote them, made inert on its way out."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from consent_server.demo import site_files
from consent_server.rewriting import plan_from_site_file

from .rewritten_pages import RewrittenPages, running_rewritten_pages
from .running_server import RunningServer
from .sites import SITES
from .trackers import Trackers
from .visit import Visit, wait_until_settled, watch_silence

SITE = SITES["smilee"]
WATCHED_SECONDS = 2.0

_GA = "https://www.google-analytics.com"
_FB = "https://www.facebook.com/tr"
_CHAT = "https://saas.smilee.io"

#: Nothing of it is marked; `%s` stands for what the case is about.
_PAGE = """<!doctype html>
<html lang="en"><head>
<meta charset="utf-8"><title>A page of the owner</title>
%s
</head><body><h1>Åbo</h1>
%s
</body></html>
"""

_HEAD = f"""
<link rel="preconnect" href="{_GA}">
<link rel="dns-prefetch" href="//connect.facebook.net">
<link rel="preload" as="image" href="{_FB}?preload">
<link rel="modulepreload" href="{_GA}/preload.js">
<link rel="stylesheet" href="{_GA}/style.css">
<style>@import "{_GA}/import.css"; h1 {{ color: rgb(1, 2, 3); background: url({_FB}?css) }}</style>
<script async src="https://www.googletagmanager.com/gtag/js?id=G-1"></script>
<script>window.dataLayer = window.dataLayer || [];
function gtag() {{ dataLayer.push(arguments) }}
gtag('js', new Date()); gtag('config', 'G-1');</script>
<script>(window.order = window.order || []).push('{_GA} 1');</script>
<script src="{_GA}/first.js"></script>
<script>order.push('{_GA} 2 after ' + __ran.filter((url) => url.includes('first')).length);</script>
<script type="module" src="{_GA}/module.js"></script>
<script>window.own = 'the page itself ran';</script>
"""

_BODY = f"""
<img src="{_FB}?image" alt="" width="9" height="9">
<img srcset="{_FB}?srcset 1x" alt="" width="9" height="9">
<picture><source srcset="{_FB}?source"><img alt="" width="9" height="9"></picture>
<input type="image" src="{_FB}?input" alt="">
<svg width="9" height="9"><image xlink:href="{_FB}?svg" width="9" height="9" /></svg>
<svg width="9" height="9"><style>@import "{_GA}/drawn.css";</style></svg>
<iframe title="Chat" width="400" height="300" src="{_CHAT}/embed"></iframe>
<iframe title="Inside" width="400" height="300"
  srcdoc='<img alt="" src="{_FB}?srcdoc">'></iframe>
<video width="400" height="300" poster="{_FB}?poster"></video>
<object width="90" height="90" data="{_CHAT}/object"></object>
<embed width="90" height="90" src="{_CHAT}/embedded">
<noscript><img src="{_FB}?noscript" alt=""></noscript>
<script src="{_GA}/last.js" defer></script>
"""

#: What consent to everything must bring, each once.
_EXPECTED = {
    *("preload", "css", "image", "srcset", "source", "input", "svg", "srcdoc", "poster"),
    *("/style.css", "/import.css", "/drawn.css", "/gtag/js", "/first.js", "/module.js", "/last.js"),
    *("/embed", "/object", "/embedded"),
}


@pytest.fixture
def owner(server: RunningServer) -> Iterator[RewrittenPages]:
    [file] = [file for file in site_files() if file.stem == SITE.key]
    plan = plan_from_site_file(file, f"{server.url}/w/{SITE.key}.js")
    with running_rewritten_pages(plan) as running:
        running.pages["/"] = _PAGE % (_HEAD, _BODY)
        yield running


def _asked(trackers: Trackers) -> dict[str, int]:
    names = [
        one.query if one.url == _FB else one.path
        for one in trackers.requests
        if one.method != "OPTIONS"
    ]
    return {name: names.count(name) for name in names}


def _accept(visit: Visit) -> None:
    """Firefox answers no question about the page while an embedded object still loads."""
    visit.choose("accept_all")
    visit.wait_for(lambda: visit.decision() is not None, "the decision")


def test_as_it_is_written_the_page_asks_everybody(
    page: Page, owner: RewrittenPages, trackers: Trackers
) -> None:
    owner.rewrites = False
    page.goto(f"{owner.url}/")
    wait_until_settled(page, trackers)
    assert set(_asked(trackers)) >= _EXPECTED


def test_rewritten_it_asks_nobody_before_consent_and_everybody_once_after(
    page: Page, owner: RewrittenPages, server: RunningServer, trackers: Trackers
) -> None:
    visit = Visit(page, SITE, server)
    page.goto(f"{owner.url}/")
    visit.wait_for_notice()
    watch_silence(page, trackers, WATCHED_SECONDS)
    assert visit.cookies() == {}
    assert visit.storage() == {}
    assert page.evaluate("own") == "the page itself ran"
    assert page.locator("h1").inner_text() == "Åbo"
    colour = "getComputedStyle(document.querySelector('h1')).color"
    assert page.evaluate(colour) == "rgb(1, 2, 3)", "the page's own rules hold"

    page.evaluate("window.__still_here = true")
    _accept(visit)
    visit.wait_for(lambda: set(_asked(trackers)) >= _EXPECTED, "everything")
    wait_until_settled(page, trackers)
    asked = _asked(trackers)
    assert {name: asked[name] for name in _EXPECTED} == dict.fromkeys(_EXPECTED, 1)
    assert page.evaluate("order") == [f"{_GA} 1", f"{_GA} 2 after 1"]
    assert page.evaluate("window.__still_here") is True, "nothing was loaded again"


def test_the_sites_own_modules_and_frames_wait_for_what_they_load(
    page: Page, owner: RewrittenPages, server: RunningServer, trackers: Trackers
) -> None:
    owner.pages["/own.js"] = f'import * as all from "{_GA}/imported.js"; window.imported = !!all'
    owner.pages["/inner"] = f'<!doctype html><title>x</title><script src="{_GA}/inner.js"></script>'
    owner.pages["/"] = _PAGE % (
        '<script type="module" src="/own.js"></script>',
        f'''<iframe title="Own" src="/inner"></iframe>
        <svg><script href="{_GA}/drawn.js"/></svg>
        <svg><script><![CDATA[new Image().src = "{_GA}/code" && "{_GA}/code.js"]]></script></svg>
        <img alt="" src="data:," onerror="import('{_GA}/handled.js')">''',
    )
    visit = Visit(page, SITE, server)
    page.goto(f"{owner.url}/")
    visit.wait_for_notice()
    watch_silence(page, trackers, WATCHED_SECONDS)
    assert page.evaluate("window.imported") is None

    _accept(visit)
    expected = {"/imported.js", "/inner.js", "/drawn.js", "/code.js", "/handled.js"}
    visit.wait_for(lambda: set(_asked(trackers)) >= expected, "everything")
    wait_until_settled(page, trackers)
    assert {name: _asked(trackers)[name] for name in expected} == dict.fromkeys(expected, 1)
    assert page.evaluate("window.imported") is True

    with page.expect_navigation():
        page.evaluate("consent.withdraw()")
    visit.wait_for(lambda: visit.decision() is not None, "the decision")
    wait_until_settled(page, trackers)
    trackers.clear()
    page.goto(f"{owner.url}/")
    watch_silence(page, trackers, WATCHED_SECONDS)


def test_after_a_refusal_nothing_leaves_on_any_page(
    page: Page, owner: RewrittenPages, server: RunningServer, trackers: Trackers
) -> None:
    visit = Visit(page, SITE, server)
    page.goto(f"{owner.url}/")
    visit.wait_for_notice()
    visit.decide("reject_all")
    page.goto(f"{owner.url}/")
    watch_silence(page, trackers, WATCHED_SECONDS)


def test_a_cookie_that_script_cannot_reach_goes_with_the_next_page(
    page: Page, owner: RewrittenPages, server: RunningServer
) -> None:
    visit = Visit(page, SITE, server)
    page.context.add_cookies(
        [{"name": "_fbp", "value": "1", "url": f"{owner.url}/", "httpOnly": True}]
    )
    page.goto(f"{owner.url}/")
    visit.wait_for_notice()
    assert "_fbp" in visit.cookies(), "nothing is decided yet"
    visit.decide("reject_all")
    assert "_fbp" in visit.cookies(), "script cannot reach it"
    page.goto(f"{owner.url}/")
    assert "_fbp" not in visit.cookies()
