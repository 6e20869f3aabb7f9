"""L18: children are not asked for what they cannot give: all of it is off and locked for them."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from ..own_site import describe_service, publish_site
from ..owner_pages import OwnerPages
from ..running_server import RunningServer
from ..trackers import Trackers
from ..visit import Visit, wait_until_settled, watch_silence

_HELD = (
    '<script type="text/plain" data-consent="analytics" '
    'data-consent-src="https://held.example.com/run.js"></script>'
    '<iframe data-consent="analytics" title="Film" width="300" height="200" '
    'data-consent-src="https://held.example.com/film"></iframe>'
)


@pytest.fixture
def visit(page: Page, owner: OwnerPages, server: RunningServer) -> Visit:
    """A shop with pages for everybody and pages for children."""
    services = [describe_service("counter", (("cookie", "_count"),))]
    site = publish_site(server, owner.url, "shop-for-children", services, children="pages")
    for path, mark in (("/", ""), ("/children", " data-consent-child")):
        tag = f'<script src="{server.url}/w/{site.key}.js"{mark}></script>'
        owner.pages[path] = (f'<!doctype html><html lang="en">{tag}<title>Shop</title>{_HELD}', {})
    return Visit(page, site, server)


def test_l18_a_child_is_asked_nothing_and_nothing_runs_is_stored_or_recorded(
    visit: Visit, owner: OwnerPages, trackers: Trackers
) -> None:
    visit.page.goto(f"{owner.url}/children")
    visit.page.wait_for_function("window.consent")
    sent: list[str] = []
    visit.page.on("request", lambda request: sent.append(request.url))
    watch_silence(visit.page, trackers, 1.0)
    assert not visit.notice_is_shown
    assert visit.cookies() == {}
    assert visit.storage() == {}
    assert [one for one in sent if "/decisions" in one] == []
    allowed = visit.page.evaluate("Object.keys(consent.grants).filter(k => consent.grants[k])")
    assert set(allowed) <= {"necessary", "consent-record"}


def test_l18_what_is_off_is_locked(visit: Visit, owner: OwnerPages, trackers: Trackers) -> None:
    visit.page.goto(f"{owner.url}/children")
    visit.page.wait_for_function("window.consent")
    visit.page.evaluate("consent.show()")
    visit.preferences.wait_for(state="visible")
    assert visit.preferences.locator("input:enabled").count() == 0
    for action in ("accept_all", "save"):
        assert visit.preferences.locator(f"[data-consent-action={action}]").count() == 0
    visit.page.evaluate("consent.withdraw()")
    watch_silence(visit.page, trackers, 0.5)
    assert visit.cookies() == {}


def test_l18_what_an_adult_allowed_elsewhere_on_the_site_is_off_there_too(
    visit: Visit, owner: OwnerPages, trackers: Trackers
) -> None:
    visit.page.goto(f"{owner.url}/")
    visit.wait_for_notice()
    visit.decide("accept_all")
    visit.wait_for(lambda: bool(trackers.requests), "it runs for the adult")
    visit.wait_for_delivery()
    wait_until_settled(visit.page, trackers)
    trackers.clear()
    visit.page.goto(f"{owner.url}/children")
    visit.page.wait_for_function("window.consent")
    watch_silence(visit.page, trackers, 1.0)
    visit.page.goto(f"{owner.url}/")
    visit.wait_for(lambda: bool(trackers.requests), "and again on the other pages")
