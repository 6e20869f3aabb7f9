# ruff: noqa: E501 (mark-up as its makers write it, a line each)
"""Other managers' mark-up and stored decisions, on the pages of a site that switched."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import pytest
from playwright.sync_api import Page

from .own_site import describe_service, publish_site
from .owner_pages import OwnerPages, running_owner_pages
from .running_server import RunningServer
from .sites import DemoSite
from .trackers import Trackers
from .visit import Visit, wait_until_settled, watch_silence

PRODUCTS = ["cookiebot", "onetrust", "cookieyes", "vanilla-cookieconsent"]
PRODUCTS += ["klaro", "orejime", "tarteaucitron"]
_AT = "https://held.example.com/"

#: Waits for analytics; the file is named as the product is.
MARKUP = {
    "cookiebot": f'<script type="text/plain" data-cookieconsent="statistics" src="{_AT}cookiebot"></script>'
    f'<iframe title="a" data-cookieconsent="statistics" data-cookieblock-src="{_AT}cookiebot-frame"></iframe>',
    "onetrust": f'<script type="text/plain" class="optanon-category-C0002" src="{_AT}onetrust"></script>',
    "cookieyes": f'<script type="text/plain" data-cookieyes="cookieyes-analytics" src="{_AT}cookieyes"></script>',
    "vanilla": f'<script type="text/plain" data-category="analytics" data-src="{_AT}vanilla"></script>',
    "klaro": f'<script type="text/plain" data-type="application/javascript" data-name="stats"'
    f' data-src="{_AT}klaro"></script><img alt="" data-name="stats" data-src="{_AT}klaro-image">',
    "orejime": f'<template data-purpose="stats"><script data-consent-src="{_AT}orejime"></script></template>',
    "orejime2": f'<script type="opt-in" data-type="application/javascript" data-name="stats"'
    f' data-src="{_AT}orejime2"></script>',
    "tarteaucitron": '<div class="youtube_player" videoID="abc" width="400" height="300"></div>'
    f"<script>tarteaucitron.services.stats = {{ js() {{ new Image().src = '{_AT}tarteaucitron' }} }};"
    "(tarteaucitron.job = tarteaucitron.job || []).push('stats');</script>",
}
_RELEASED = {*MARKUP, "cookiebot-frame", "klaro-image"}

#: Cookie -> what it says plainly; None where it says nothing that counts.
STORED: dict[tuple[str, str], dict[str, bool] | None] = {
    (
        "CookieConsent",
        "{stamp:'x',necessary:true,preferences:false,statistics:true,marketing:false,method:'explicit',ver:1}",
    ): {"analytics": True, "stats": True, "marketing": False, "ads-service": False},
    ("CookieConsent", "{stamp:'x',statistics:true,marketing:true,method:'implied',ver:1}"): None,
    ("OptanonConsent", "isGpcEnabled=0&groups=C0001%3A1%2CC0002%3A1%2CC0004%3A1"): None,
    ("cookieyes-consent", "consent:yes,action:,analytics:yes,advertisement:yes"): None,
    ("cookieyes-consent", "consent:no,action:yes,analytics:no,performance:yes,advertisement:no"): {
        "analytics": False,
        "stats": False,
        "marketing": False,
        "ads-service": False,
    },
    ("klaro", '{"stats":true,"ads-service":"yes"}'): None,
    ("klaro", '{"stats":true}'): {
        "analytics": True,
        "stats": True,
        "marketing": False,
        "ads-service": False,
    },
    ("tarteaucitron", "!stats=wait"): None,
}


@pytest.fixture(scope="module")
def owner() -> Iterator[OwnerPages]:
    with running_owner_pages() as running:
        yield running


@pytest.fixture(scope="module")
def site(server: RunningServer, owner: OwnerPages) -> DemoSite:
    services = [
        describe_service("stats", ()),
        describe_service("ads-service", (), category="marketing"),
    ]
    return publish_site(
        server,
        owner.url,
        "switched",
        services,
        categories=[{"key": "analytics"}, {"key": "marketing"}],
        compatible=PRODUCTS,
        compatible_names={"youtube": "stats"},
        import_decisions=True,
    )


def _open(page: Page, owner: OwnerPages, server: RunningServer, site: DemoSite) -> Visit:
    tag = f'<script src="{server.url}/w/{site.key}.js"></script>'
    body = "".join(MARKUP.values())
    owner.pages["/"] = (f'<!doctype html><html lang="en">{tag}<title>Switched</title>{body}', {})
    page.goto(f"{owner.url}/")
    return Visit(page, site, server)


def test_every_product_s_markup_is_held_and_released_once(
    page: Page, owner: OwnerPages, server: RunningServer, site: DemoSite, trackers: Trackers
) -> None:
    visit = _open(page, owner, server, site)
    visit.wait_for_notice()
    watch_silence(page, trackers, 1.5)
    visit.open_preferences()
    visit.toggle_service("stats")
    visit.decide("save")

    def asked() -> list[str]:
        return sorted(one.path.rpartition("/")[2] for one in trackers.requests)

    expected = sorted([*_RELEASED, "abc"])
    visit.wait_for(lambda: len(asked()) >= len(expected), "everything released", 20)
    wait_until_settled(page, trackers)
    assert asked() == expected


@pytest.mark.parametrize(("stored", "grants"), STORED.items(), ids=lambda one: str(one)[:40])
def test_a_stored_decision_is_taken_over_only_where_it_is_plain(
    page: Page,
    owner: OwnerPages,
    server: RunningServer,
    site: DemoSite,
    stored: tuple[str, str],
    grants: dict[str, bool] | None,
) -> None:
    name, value = stored
    written = quote(value, safe="")
    page.context.add_cookies([{"name": name, "value": written, "url": owner.url}])
    visit = _open(page, owner, server, site)
    if grants is None:
        visit.wait_for_notice()
        assert visit.decision() is None
        return
    visit.wait_for(lambda: visit.decision() is not None, "the decision is taken over")
    visit.wait_for_delivery()
    decision = visit.decision()
    assert decision is not None
    assert decision.grants == grants
    assert not visit.notice_is_shown
    assert [receipt["method"] for receipt in visit.receipts()] == ["import"]
