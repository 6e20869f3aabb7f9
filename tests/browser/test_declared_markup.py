"""Declared mark-up: every element that an owner may hold, on a page of the owner's own."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from .owner_pages import OwnerPages
from .running_server import RunningServer
from .sites import SITES
from .trackers import Trackers
from .visit import Visit, wait_until_settled, watch_silence

SITE = SITES["smilee"]
WATCHED_SECONDS = 2.0

_HEAD = """<!doctype html>
<html lang="en">
<head>
<script{attributes} src="{server}/w/smilee.js"></script>
<meta charset="utf-8">
<title>A page of the owner</title>
"""

_GA = 'data-consent="service:google-analytics"'
_META = 'data-consent="service:meta-pixel"'
_CHAT = 'data-consent="functional"'

_EVERYTHING = f"""
<link {_GA} rel="stylesheet" data-consent-href="https://held.example.com/style.css">
<link {_GA} rel="preload" as="image" data-consent-href="https://held.example.com/preload.gif">
</head>
<body>
<script type="text/plain" {_GA}>(window.order = window.order || []).push('inline 1');</script>
<script type="text/plain" {_GA} data-consent-src="https://held.example.com/first.js"></script>
<script type="text/plain" {_GA}>order.push('inline 2 after ' + __ran.length);</script>
<script type="text/plain" {_GA} src="https://held.example.com/second.js"></script>
<script type="text/plain" {_GA} data-consent-type="module">order.push('module');</script>
<script type="text/plain" {_META}>order.push('another service');</script>
<img {_GA} alt="" width="9" height="9" data-consent-src="https://held.example.com/image.gif">
<picture><source {_GA} data-consent-srcset="https://held.example.com/source.gif">
<img {_GA} alt="" width="9" height="9"
  data-consent-srcset="https://held.example.com/set.gif 1x"></picture>
<iframe {_GA} title="Film" width="400" height="300"
  data-consent-src="https://held.example.com/frame.html"></iframe>
<video {_GA} width="400" height="300" controls preload="auto"
  data-consent-poster="https://held.example.com/poster.gif"
  data-consent-src="https://held.example.com/film.mp4"></video>
<video {_META} width="400" height="300" controls preload="auto">
<source {_META} data-consent-src="https://held.example.com/other.mp4"></video>
<template {_GA}>
<p id="from-template">Released</p>
<img alt="" width="9" height="9" data-consent-src="https://held.example.com/template.gif">
<iframe title="Map" width="300" height="200"
  data-consent-src="https://held.example.com/template.html"></iframe>
<script data-consent-src="https://held.example.com/third.js"></script>
<script>order.push('template after ' + __ran.length);</script>
</template>
</body></html>
"""

#: What consent to the one service must bring, each once. Films are asked for in ranges.
_EXPECTED = {
    *("style.css", "preload.gif", "first.js", "second.js", "image.gif", "frame.html"),
    *("poster.gif", "template.gif", "template.html", "third.js"),
}


def _open(page: Page, owner: OwnerPages, server: RunningServer, body: str, tag: str) -> Visit:
    owner.pages["/"] = (_HEAD.format(server=server.url, attributes=tag) + body, {})
    visit = Visit(page, SITE, server)
    page.goto(f"{owner.url}/")
    visit.wait_for_notice()
    return visit


def _allow(visit: Visit, *services: str) -> None:
    visit.open_preferences()
    for key in services:
        visit.toggle_service(key)
    visit.decide("save")


def _asked(trackers: Trackers) -> dict[str, int]:
    names = [one.path.lstrip("/") for one in trackers.requests]
    return {name: names.count(name) for name in names}


@pytest.mark.parametrize("tag", ["", " async"], ids=["sync", "async"])
def test_each_held_element_waits_and_then_comes_once_in_order_without_a_reload(
    page: Page, owner: OwnerPages, server: RunningServer, trackers: Trackers, tag: str
) -> None:
    # The first script is answered last: order must come from the document, not from the network.
    trackers.delays["https://held.example.com/first.js"] = 0.4
    visit = _open(page, owner, server, _EVERYTHING, tag)
    watch_silence(page, trackers, WATCHED_SECONDS)
    page.evaluate("window.__still_here = true")
    _allow(visit, "google-analytics")
    visit.wait_for(lambda: "third.js" in _asked(trackers), "the last script")
    wait_until_settled(page, trackers)
    asked = _asked(trackers)
    assert {name: asked.get(name) for name in _EXPECTED} == dict.fromkeys(_EXPECTED, 1)
    assert "other.mp4" not in asked
    assert asked.get("film.mp4", 0) >= 1
    assert asked.get("source.gif", 0) + asked.get("set.gif", 0) == 1, "one candidate of a picture"
    order = page.evaluate("window.order")
    assert [one for one in order if one != "module"] == [
        "inline 1",
        "inline 2 after 1",
        "template after 3",
    ]
    assert order.count("module") == 1
    assert page.locator("#from-template").is_visible()
    assert page.evaluate("window.__still_here") is True


def test_tags_that_come_later_are_held_and_released_like_the_first_ones(
    page: Page, owner: OwnerPages, server: RunningServer, trackers: Trackers
) -> None:
    visit = _open(page, owner, server, "</head><body><main id=main></main></body></html>", "")
    insert = f"""name => {{
      const made = document.createElement('div');
      made.innerHTML = `<script type="text/plain" {_GA}
        data-consent-src="https://held.example.com/${{name}}.js"></` + `script>
        <img alt="" {_GA} data-consent-src="https://held.example.com/${{name}}.gif">`;
      document.getElementById('main').append(made);
    }}"""
    page.evaluate(insert, "before")
    watch_silence(page, trackers, WATCHED_SECONDS)
    _allow(visit, "google-analytics")
    visit.wait_for(lambda: len(_asked(trackers)) == 2, "what came before the decision")
    page.evaluate(insert, "after")
    visit.wait_for(lambda: len(_asked(trackers)) == 4, "what came after the decision")
    wait_until_settled(page, trackers)
    names = ("before.js", "before.gif", "after.js", "after.gif")
    assert _asked(trackers) == dict.fromkeys(names, 1)


def test_a_category_and_several_keys_release_when_all_of_them_are_granted(
    page: Page, owner: OwnerPages, server: RunningServer, trackers: Trackers
) -> None:
    body = """</head><body>
<img alt="" data-consent="functional" data-consent-src="https://held.example.com/one.gif">
<img alt="" data-consent="service:google-analytics service:meta-pixel"
  data-consent-src="https://held.example.com/both.gif">
<img alt="" data-consent="unheard-of" data-consent-src="https://held.example.com/unknown.gif">
<img alt="" data-consent="necessary" data-consent-src="https://held.example.com/necessary.gif">
</body></html>"""
    visit = _open(page, owner, server, body, "")
    visit.wait_for(lambda: _asked(trackers) == {"necessary.gif": 1}, "only the necessary one")
    _allow(visit, "smilee-chat", "google-analytics")
    visit.wait_for(lambda: "one.gif" in _asked(trackers), "the category's")
    visit.reopen_preferences()
    visit.toggle_service("meta-pixel")
    visit.decide("save")
    visit.wait_for(lambda: "both.gif" in _asked(trackers), "that of both services")
    wait_until_settled(page, trackers)
    assert _asked(trackers) == {"necessary.gif": 1, "one.gif": 1, "both.gif": 1}


def test_a_placeholder_takes_the_room_of_what_it_stands_for(
    page: Page, owner: OwnerPages, server: RunningServer
) -> None:
    body = f"""<style>
iframe {{ display: block; width: 50%; height: 300px; margin: 20px auto; border: 0 }}
</style></head><body>
<iframe title="Map" {_CHAT} data-consent-src="https://held.example.com/map.html"></iframe>
<p id="below">Below</p></body></html>"""
    visit = _open(page, owner, server, body, "")
    placeholder = page.locator("consent-placeholder")
    placeholder.wait_for(state="visible")
    before, below = placeholder.bounding_box(), page.locator("#below").bounding_box()
    assert before is not None
    assert before["height"] == 300
    _allow(visit, "smilee-chat")
    frame = page.locator("iframe")
    frame.wait_for(state="visible")
    assert frame.bounding_box() == before
    assert page.locator("#below").bounding_box() == below, "nothing on the page moved"
    assert placeholder.count() == 0


def test_a_frame_goes_back_behind_its_placeholder_when_consent_is_withdrawn(
    page: Page, owner: OwnerPages, server: RunningServer, trackers: Trackers
) -> None:
    body = f"""</head><body>
<iframe title="Map" width="400" height="300" {_CHAT} style="display: block"
  data-consent-src="https://held.example.com/map.html"></iframe></body></html>"""
    visit = _open(page, owner, server, body, "")
    page.evaluate("window.__still_here = true")
    placeholder, frame = page.locator("consent-placeholder"), page.locator("iframe")
    for _ in range(2):
        placeholder.locator("[data-consent-action=allow_service]").click()
        frame.wait_for(state="visible")
        assert frame.get_attribute("style") == "display: block;"
        assert placeholder.count() == 0
        visit.reopen_preferences()
        visit.choose("withdraw")
        placeholder.wait_for(state="visible")
        assert frame.get_attribute("src") is None
        assert frame.is_hidden()
    assert page.evaluate("window.__still_here") is True, "nothing ran that only a reload stops"
    assert _asked(trackers) == {"map.html": 2}
