"""Subdomains: with a cookie domain one decision holds on all of them, and so does a withdrawal."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Route

from .own_site import describe_service, publish_site
from .running_server import RunningServer
from .visit import Visit

FIRST, SECOND = "https://a.example.test", "https://b.example.test"


@pytest.fixture
def visit(page: Page, server: RunningServer) -> Visit:
    """A visitor of two subdomains, each of which serves the script itself."""
    site = publish_site(
        server,
        FIRST,
        "family",
        [describe_service("counter", ())],
        origins=[FIRST, SECOND],
        cookie_domain="example.test",
    )
    html = '<!doctype html><html lang="en"><script src="/w/family.js"></script><title>Page</title>'

    def answer(route: Route) -> None:
        _, _, path, query, _ = urlsplit(route.request.url)
        if path.startswith("/w/"):
            route.fulfill(response=route.fetch(url=f"{server.url}{path}?{query}"))
        else:
            route.fulfill(body=html, content_type="text/html")

    page.context.route("https://*.example.test/**", answer)
    return Visit(page, site, server)


# What answers in the server's stead gets no body of a POST from Firefox (WebDriver BiDi).
@pytest.mark.parametrize("browser_name", ["chromium"], indirect=True)
def test_one_decision_holds_on_both_and_so_does_its_withdrawal(visit: Visit) -> None:
    page = visit.page
    page.goto(f"{FIRST}/")
    visit.wait_for_notice()
    visit.decide("accept_all")
    visit.wait_for_delivery()
    page.goto(f"{SECOND}/")
    page.wait_for_function("window.consent?.decided === true")
    assert page.evaluate("consent.grants.counter") is True
    assert not visit.notice_is_shown
    visit.reopen_preferences()
    visit.choose("withdraw")
    visit.wait_for_delivery()
    page.goto(f"{FIRST}/")
    page.wait_for_function("window.consent?.decided === true")
    assert page.evaluate("consent.grants.counter") is False
    assert [one["method"] for one in visit.receipts()] == ["withdraw", "accept_all"]


def test_a_cookie_for_a_suffix_that_is_everybodys_is_kept_by_no_browser(
    page: Page, server: RunningServer
) -> None:
    """So a site file with such a domain asks on every page and allows nothing."""
    page.route("https://shop.co.uk/", lambda route: route.fulfill(body="<title>Shop</title>"))
    page.goto("https://shop.co.uk/")
    for domain in ("co.uk", "uk"):
        page.evaluate("domain => { document.cookie = 'a=1;domain=' + domain }", domain)
    assert page.evaluate("document.cookie") == ""
    page.evaluate("document.cookie = 'a=1;domain=shop.co.uk'")
    assert page.evaluate("document.cookie") == "a=1"
