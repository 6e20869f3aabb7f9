"""Handing over: a click takes the decision to another domain of the site, and nobody else's can."""

from __future__ import annotations

import json
import re
import urllib.request
from typing import Any

import pytest
from playwright.sync_api import Page

from .law.short_memory import cap_script_storage, days_left
from .own_site import describe_service, publish_site
from .owner_pages import OwnerPages
from .running_server import RunningServer
from .visit import Visit


class Pair:
    """One site on two hosts: links lead from the first to the second."""

    def __init__(self, owner: OwnerPages, server: RunningServer) -> None:
        self.first = owner.url
        self.second = f"http://localhost:{owner.port}"
        self.site = publish_site(
            server,
            self.first,
            "pair",
            [describe_service("counter", ())],
            origins=[self.first, self.second, server.url],
            hand_over=[self.first, self.second, server.url],
        )
        tag = f'<!doctype html><html lang="en"><script src="{server.url}/w/pair.js"></script>'
        link = f'<p><a id="there" href="{self.second}/there#part">There</a>'
        owner.pages["/"] = (f"{tag}<title>First</title>{link}", {})
        owner.pages["/there"] = (f'{tag}<title>Second</title><p id="part">Part', {})


@pytest.fixture
def pair(owner: OwnerPages, server: RunningServer) -> Pair:
    return Pair(owner, server)


@pytest.fixture
def visit(page: Page, pair: Pair, server: RunningServer) -> Visit:
    """A visitor on the first host who allowed everything."""
    visit = Visit(page, pair.site, server)
    page.goto(f"{pair.first}/")
    visit.wait_for_notice()
    visit.decide("accept_all")
    visit.wait_for_delivery()
    return visit


def _make_fragment(visit: Visit, target: str) -> str:
    fragment: str = visit.page.evaluate("target => consent.handOver(target)", target)
    assert re.fullmatch(r"#consent=[\w-]{43}", fragment)
    return fragment


def _records(visit: Visit, subject_id: str) -> list[dict[str, Any]]:
    request = urllib.request.Request(
        f"{visit.server.url}/w/{visit.site.key}/decisions",
        headers={"Authorization": f"Bearer {subject_id}"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        records: list[dict[str, Any]] = json.load(answer)["decisions"]
    return records


def test_a_click_takes_the_decision_along_and_leaves_nothing_in_the_address(
    visit: Visit, pair: Pair
) -> None:
    page = visit.page
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    [before] = visit.receipts()
    page.click("#there")
    page.wait_for_url(f"{pair.second}/there#part")
    page.wait_for_function("window.consent?.decided === true")
    assert page.evaluate("consent.grants.counter") is True
    visit.notice.wait_for(state="detached")
    assert not [url for url in asked if "consent=" in url.partition("#")[0]]
    page.reload()
    page.wait_for_function("window.consent?.decided === true")
    subjects = {
        cookie.get("domain", ""): cookie.get("value", "").split(".")[3]
        for cookie in page.context.cookies()
        if cookie.get("name") == visit.site.cookie_name
    }
    assert len(set(subjects.values())) == 2, "each host knows the visitor by an id of its own"
    [copy] = _records(visit, subjects["localhost"])
    assert (copy["method"], copy["grants"]) == ("handover", before["grants"])
    assert copy["signals"]["copy_of"] == before["event_id"]


@pytest.mark.parametrize("browser_name", ["chromium"], indirect=True)
def test_what_was_taken_along_lives_as_long_as_the_answer_says_where_script_cookies_live_a_week(
    visit: Visit, pair: Pair, owner: OwnerPages
) -> None:
    # The server's own address, so that its answers set a cookie that the page reads.
    home = f"{visit.server.url}/there"
    fragment = _make_fragment(visit, visit.server.url)
    context = visit.page.context
    cap_script_storage(context)
    context.clear_cookies()
    body = owner.pages["/there"][0]
    context.route(home, lambda route: route.fulfill(body=body, content_type="text/html"))
    visit.page.evaluate("address => location.assign(address)", home + fragment)
    visit.page.wait_for_url(home)
    visit.page.wait_for_function("window.consent?.decided === true")
    assert 179.9 < days_left(visit) <= 180


def test_without_a_decision_a_link_is_only_a_link(page: Page, pair: Pair) -> None:
    page.goto(f"{pair.first}/")
    page.click("#there")
    page.wait_for_url(f"{pair.second}/there#part")
    page.locator("consent-notice section[role=dialog]").wait_for(state="visible")


def test_a_token_that_somebody_sends_decides_for_nobody(visit: Visit, pair: Pair) -> None:
    page = visit.page
    fragment = _make_fragment(visit, pair.second)
    page.goto("about:blank")
    page.goto(f"{pair.second}/there{fragment}")
    visit.notice.wait_for(state="visible")
    page.wait_for_load_state("networkidle")
    assert page.url == f"{pair.second}/there"
    assert page.evaluate("consent.decided") is False


def test_a_token_in_a_page_of_the_site_is_taken_out_of_its_link(
    visit: Visit, pair: Pair, owner: OwnerPages
) -> None:
    """A comment under an article, say, with the token of its author."""
    page = visit.page
    fragment = _make_fragment(visit, pair.second)
    html, headers = owner.pages["/"]
    owner.pages["/"] = (html.replace("/there#part", f"/there{fragment}"), headers)
    page.context.clear_cookies()
    page.goto(f"{pair.first}/")
    visit.wait_for_notice()
    page.click("#there")
    page.wait_for_url(f"{pair.second}/there")
    visit.notice.wait_for(state="visible")
    page.wait_for_load_state("networkidle")
    assert page.evaluate("consent.decided") is False


# Firefox's driver sends no Referer of an app's choosing.
@pytest.mark.parametrize("browser_name", ["chromium"], indirect=True)
def test_an_app_hands_over_to_its_web_view(visit: Visit, pair: Pair) -> None:
    page = visit.page
    fragment = _make_fragment(visit, pair.second)
    page.goto("about:blank")
    page.goto(f"{pair.second}/there{fragment}", referer=f"{pair.first}/")
    page.wait_for_function("window.consent?.decided === true")
    assert page.url == f"{pair.second}/there"


def test_while_the_server_is_away_the_link_works_and_the_visitor_is_asked(
    visit: Visit, pair: Pair
) -> None:
    page = visit.page
    page.route("**/hand-over", lambda route: route.abort())
    page.click("#there")
    page.wait_for_url(f"{pair.second}/there#part")
    visit.notice.wait_for(state="visible")
