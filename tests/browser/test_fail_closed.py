"""Fail closed: whatever becomes of our script, nothing held runs and the page works."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route

from .owner_pages import OwnerPages
from .running_server import RunningServer
from .sites import SITES
from .trackers import Trackers
from .visit import Visit, watch_silence

WATCHED_SECONDS = 1.5
_GA = 'data-consent="service:google-analytics"'
_BODY = f"""<title>A page</title>
<script type="text/plain" {_GA} data-consent-src="https://held.example.com/first.js"></script>
<template {_GA}><script src="https://held.example.com/second.js"></script></template>
<iframe title="Film" {_GA} data-consent-src="https://held.example.com/film.html"></iframe>
<button onclick="this.textContent = 'Bought'">Buy</button>"""

Answer = Callable[[Route, str], None]


def _change(old: str, new: str) -> Answer:
    def answer(route: Route, body: str) -> None:
        assert old in body
        route.fulfill(content_type="text/javascript", body=body.replace(old, new, 1))

    return answer


ANSWERS: dict[str, Answer] = {
    "blocked": lambda route, _body: route.abort("blockedbyclient"),
    "not found": lambda route, _body: route.fulfill(status=404, body="Not found"),
    "broken server": lambda route, _body: route.fulfill(status=500, body="<h1>Sorry</h1>"),
    "truncated": lambda route, body: route.fulfill(
        content_type="text/javascript", body=body[: len(body) // 2]
    ),
    "another page instead": lambda route, _body: route.fulfill(
        content_type="text/html", body="<h1>Sign in to the hotel's network</h1>"
    ),
    "no services": _change('"services":{', '"services":null,"lost":{'),
    "no categories": _change('"categories":[', '"categories":null,"lost":['),
    "no texts": _change('"texts":{', '"texts":null,"lost":{'),
    "no configuration": _change('"site":"', '"lost":"'),
}
#: What a page may do to the names that we call.
BREAKS = {
    "querySelectorAll": "Document.prototype.querySelectorAll = () => { throw Error('broken') }",
    "MutationObserver": "window.MutationObserver = function () { throw Error('broken') }",
    "createElement": "Document.prototype.createElement = () => { throw Error('broken') }",
    "attachShadow": "Element.prototype.attachShadow = () => { throw Error('broken') }",
    "getAttribute": "Element.prototype.getAttribute = () => { throw Error('broken') }",
    "JSON": "JSON.parse = JSON.stringify = () => { throw Error('broken') }",
    "every": "Array.prototype.every = () => { throw Error('broken') }",
}


def _write_page(owner: OwnerPages, server: RunningServer, first: str = "", tag: str = "") -> None:
    script = f'<script{tag} src="{server.url}/w/smilee.js"></script>'
    head = f'<!doctype html><html lang="en">{first}{script}'
    owner.pages["/"] = (head + _BODY, {})


def _buy(page: Page) -> None:
    page.get_by_role("button", name="Buy").click()
    assert page.get_by_role("button", name="Bought").is_visible()


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=list(ANSWERS))
def test_a_script_that_does_not_arrive_whole_releases_nothing_and_the_page_works(
    page: Page, owner: OwnerPages, server: RunningServer, trackers: Trackers, answer: Answer
) -> None:
    _write_page(owner, server)

    def spoil(route: Route) -> None:
        answer(route, route.fetch().text())

    page.route("**/w/smilee.js", spoil)
    page.goto(f"{owner.url}/")
    watch_silence(page, trackers, WATCHED_SECONDS)
    _buy(page)


def test_a_page_works_while_a_slow_script_is_under_way_and_is_asked_when_it_comes(
    page: Page, owner: OwnerPages, server: RunningServer, trackers: Trackers
) -> None:
    _write_page(owner, server, tag=" async")
    late: list[Route] = []

    def keep(route: Route) -> None:
        late.append(route)

    page.route("**/w/smilee.js", keep)
    page.goto(f"{owner.url}/", wait_until="domcontentloaded")
    watch_silence(page, trackers, WATCHED_SECONDS)
    _buy(page)
    late[0].continue_()
    Visit(page, SITES["smilee"], server).wait_for_notice()
    watch_silence(page, trackers, WATCHED_SECONDS)


@pytest.mark.parametrize("code", BREAKS.values(), ids=list(BREAKS))
def test_an_exception_inside_our_code_releases_nothing_and_the_page_works(
    page: Page, owner: OwnerPages, server: RunningServer, trackers: Trackers, code: str
) -> None:
    _write_page(owner, server, first=f"<script>{code}</script>")
    page.goto(f"{owner.url}/")
    watch_silence(page, trackers, WATCHED_SECONDS)
    _buy(page)


@pytest.mark.parametrize(
    "value",
    ["1.1.zzzzzzz.0.analytics", "1.1.zzzzzzzzzzzzz.{}.analytics", "2.1.abc.{}.analytics", "%"],
)
def test_a_damaged_decision_is_no_decision(
    page: Page, owner: OwnerPages, server: RunningServer, trackers: Trackers, value: str
) -> None:
    _write_page(owner, server)
    written = value.format("0" * 32)
    page.context.add_cookies([{"name": "consent_smilee", "value": written, "url": owner.url}])
    page.goto(f"{owner.url}/")
    Visit(page, SITES["smilee"], server).wait_for_notice()
    watch_silence(page, trackers, WATCHED_SECONDS)
