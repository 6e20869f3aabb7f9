"""Pages of vendors: each with its snippet as an owner marks it, and what its stand-in heard."""

from __future__ import annotations

from playwright.sync_api import Page

from tests.browser.owner_pages import OwnerPages
from tests.browser.running_server import RunningServer
from tests.browser.sites import DemoSite
from tests.browser.trackers import Trackers
from tests.browser.visit import Visit

from .conftest import held
from .vendors import Vendor


def page_of(vendor: Vendor, shop: DemoSite, owner: OwnerPages, server: RunningServer) -> str:
    """Make the page of a vendor, and give its address."""
    tag = f'<script src="{server.url}/w/{shop.key}.js"></script>'
    head = f"{tag}{held(vendor.key, vendor.snippet)}<title>Shop</title>"
    owner.pages[f"/{vendor.key}"] = (f'<!doctype html><html lang="en"><head>{head}</head>', {})
    return f"{owner.url}/{vendor.key}"


def heard(page: Page) -> list[list[object]]:
    """What its library was called with, in order, over all pages of the tab."""
    found: list[list[object]] = page.evaluate("JSON.parse(sessionStorage.heard || '[]')")
    return found


def wait_until_heard(visit: Visit, calls: list[list[object]]) -> None:
    """Until there were as many calls, and then exactly these."""
    visit.wait_for(lambda: len(heard(visit.page)) >= len(calls), f"{calls}")
    visit.page.wait_for_timeout(200)
    assert heard(visit.page) == calls


def loads(vendor: Vendor, trackers: Trackers) -> int:
    """How often the library was loaded."""
    return sum(one.full_url.startswith(vendor.library) for one in trackers.requests)
