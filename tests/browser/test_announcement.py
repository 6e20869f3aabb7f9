"""Announcement: a bar that asks nothing, blocks nothing and keeps no id."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page

from .own_site import describe_service, publish_site
from .owner_pages import OwnerPages
from .running_server import RunningServer
from .visit import Visit

_TEXT = "From next month another company runs our chat."
_BANNER = "consent-notice .announcement"


@pytest.fixture(params=["chromium"])
def browser_name(request: pytest.FixtureRequest) -> str:
    """Plain elements and session storage: one browser is enough."""
    name: str = request.param
    return name


@pytest.fixture
def visit(page: Page, owner: OwnerPages, server: RunningServer) -> Visit:
    """A shop whose change comes in ten days, on a small screen."""
    day = (datetime.now(UTC) + timedelta(days=10)).date().isoformat()
    site = publish_site(
        server,
        owner.url,
        "announcing",
        [describe_service("counter", (), hosts=["counter.example"])],
        announcement={"date": day, "text": {"en": _TEXT}},
    )
    tag = f'<script src="{server.url}/w/{site.key}.js"></script>'
    link = '<p style="margin-top:50vh"><a href="#more">More</a></p>'
    owner.pages["/"] = (f'<!doctype html><html lang="en">{tag}<title>Shop</title>{link}', {})
    page.set_viewport_size({"width": 320, "height": 640})
    visit = Visit(page, site, server)
    page.goto(f"{owner.url}/")
    visit.wait_for_notice()
    return visit


def test_it_is_told_without_asking_and_goes_for_the_tab_when_it_is_closed(
    visit: Visit, owner: OwnerPages
) -> None:
    page, banner = visit.page, visit.page.locator(_BANNER)
    assert banner.locator("[role=status]").inner_text() == _TEXT
    assert [button.inner_text() for button in banner.locator("button").all()] == ["Close"]
    visit.decide("reject_all")
    visit.wait_for_delivery()
    assert banner.is_visible(), "answering the question is another matter"
    page.get_by_role("link", name="More").click()
    assert page.url.endswith("#more"), "it covers nothing that is pressed"
    assert page.evaluate("document.activeElement.localName") == "a"

    banner.get_by_role("button", name="Close").click()
    banner.wait_for(state="detached")
    [[name, value]] = page.evaluate("Object.entries(sessionStorage)")
    assert name == "consent_announcing_announcement"
    assert len(value) == len("2027-02-01"), "a day, no id"
    page.goto(f"{owner.url}/")
    page.wait_for_function("window.consent.decided")
    assert banner.count() == 0
    [receipt] = visit.receipts()
    assert receipt["method"] == "reject_all"


def test_it_is_told_in_its_days_only(visit: Visit, owner: OwnerPages) -> None:
    page, banner = visit.page, visit.page.locator(_BANNER)
    for days, is_told in ((-21, False), (-19, True), (9, True), (10, False)):
        page.clock.set_system_time(datetime.now(UTC) + timedelta(days=days))
        page.goto(f"{owner.url}/")
        visit.wait_for_notice()
        assert bool(banner.count()) is is_told, days
