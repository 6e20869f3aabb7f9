"""Children: on their pages nothing is asked, let in or recorded, whatever was decided elsewhere."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Page

from tests.visitor import fetch_proof

from .own_site import describe_service, publish_site
from .owner_pages import OwnerPages
from .running_server import RunningServer
from .visit import Visit

_HELD = (
    '<script type="text/plain" data-consent="analytics">window.counted = true</script>'
    '<iframe title="Map" width="300" height="200" data-consent="analytics" '
    'data-consent-srcdoc="<p>Map</p>"></iframe>'
)
_SAID = "On pages for children everything optional stays off, and nothing is asked."


@pytest.fixture(params=["chromium"])
def browser_name(request: pytest.FixtureRequest) -> str:
    """The same statements in every browser: one is enough."""
    name: str = request.param
    return name


def _publish(owner: OwnerPages, server: RunningServer, page: Page, children: str) -> Visit:
    services = [describe_service("counter", (("cookie", "_count"),))]
    site = publish_site(server, owner.url, f"children-{children}", services, children=children)
    for path, mark in (("/", ""), ("/child", " data-consent-child")):
        tag = f'<script src="{server.url}/w/{site.key}.js"{mark}></script>'
        body = f'<!doctype html><html lang="en">{tag}<title>Shop</title><h1>Shop</h1>{_HELD}'
        owner.pages[path] = (body, {})
    return Visit(page, site, server)


def _assert_nothing_optional(visit: Visit) -> None:
    page = visit.page
    page.locator("consent-notice button[data-consent-action=settings]").wait_for()
    assert page.evaluate("window.counted") is None
    assert page.locator("consent-placeholder").count() == 0
    grants = page.evaluate("window.consent.grants")
    assert grants == {"necessary": True, "consent-record": True}
    page.evaluate("window.consent.withdraw()")
    visit.reopen_preferences()
    assert _SAID in visit.preferences.inner_text()
    buttons = visit.preferences.locator("button").all()
    assert [one.get_attribute("data-consent-action") for one in buttons] == ["close"]
    assert visit.preferences.locator("input").count() == 0
    page.keyboard.press("Escape")
    assert not visit.notice_is_shown
    assert page.evaluate("key => localStorage.getItem(key)", visit.site.outbox_key) is None


def test_on_a_page_that_says_so_nothing_is_asked_even_after_a_consent(
    page: Page, owner: OwnerPages, server: RunningServer
) -> None:
    visit = _publish(owner, server, page, "pages")
    page.goto(f"{owner.url}/child")
    _assert_nothing_optional(visit)
    assert visit.decision() is None

    page.goto(f"{owner.url}/")
    visit.wait_for_notice()
    visit.decide("accept_all")
    visit.wait_for_delivery()
    assert page.evaluate("window.counted") is True
    consent = visit.decision()

    page.goto(f"{owner.url}/child")
    _assert_nothing_optional(visit)
    assert visit.decision() == consent, "what was decided elsewhere stays for elsewhere"
    assert len(visit.receipts()) == 1

    page.goto(f"{owner.url}/")
    page.wait_for_function("window.counted")


def test_a_whole_site_for_children_asks_nothing_and_takes_no_decision(
    page: Page, owner: OwnerPages, server: RunningServer
) -> None:
    visit = _publish(owner, server, page, "always")
    page.goto(f"{owner.url}/")
    _assert_nothing_optional(visit)
    assert visit.decision() is None
    script = page.evaluate(
        "address => fetch(address).then((answer) => answer.text())",
        f"{server.url}/w/{visit.site.key}.js",
    )
    said: dict[str, Any] = json.loads(script.rpartition("})(")[2].rpartition(");")[0])
    made_up = {
        "decision_id": str(uuid4()),
        "subject_id": "0" * 32,
        "decided_at": "2026-01-01T00:00:00.000Z",
        "version": 1,
        "script": said["script"],
        "language": "en",
        "method": "accept_all",
        "layer": "notice",
        "grants": {"analytics": True, "counter": True},
    }
    base = f"{server.url}/w/{visit.site.key}"
    request = urllib.request.Request(
        f"{server.url}/w/{visit.site.key}/decisions?proof={fetch_proof(base)}",
        data=json.dumps(made_up).encode(),
        headers={"Content-Type": "application/json", "Origin": owner.url},
    )
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=10)
    assert refused.value.code == 409
    assert "GDPR article 8" in refused.value.read().decode()
