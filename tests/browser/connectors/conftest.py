"""Fixtures of the connector tests: pages of a shop that uses one vendor each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest

from tests.browser.browsers import Browsers
from tests.browser.own_site import publish_site
from tests.browser.owner_pages import OwnerPages, running_owner_pages
from tests.browser.running_server import RunningServer
from tests.browser.signals import Signalling, signalling
from tests.browser.sites import DemoSite
from tests.browser.trackers import Trackers

#: Publishes a site with these services and this page, and gives the site and the page's address.
MakeShop = Callable[..., tuple[DemoSite, str]]
_CATEGORIES = [{"key": key} for key in ("functional", "analytics", "marketing")]
_numbers = count(1)


@pytest.fixture(scope="module")
def owner() -> Iterator[OwnerPages]:
    with running_owner_pages() as running:
        yield running


@pytest.fixture(scope="module")
def make_shop(server: RunningServer, owner: OwnerPages) -> MakeShop:
    """Make a shop: its services by key or as tables, what its head holds, and fields."""

    def make(
        services: list[Any], head: str, *, before: str = "", load: str = "", **fields: Any
    ) -> tuple[DemoSite, str]:
        number = next(_numbers)
        used = [{"use": one} if isinstance(one, str) else one for one in services]
        site = publish_site(
            server,
            owner.url,
            f"shop-{number}",
            [{"retention": "1y", **one} for one in used],
            **{"categories": _CATEGORIES, **fields},
        )
        tag = f'<script{load} src="{server.url}/w/{site.key}.js"></script>'
        page = f'<!doctype html><html lang="en"><head>{before}{tag}{head}<title>Shop</title></head>'
        owner.pages[f"/{number}"] = (page + "<body><h1>Shop</h1></body></html>", {})
        return site, f"{owner.url}/{number}"

    return make


@pytest.fixture
def visitors(browsers: Browsers, browser_name: str, trackers: Trackers) -> Iterator[Signalling]:
    """Makes visitors in a region, whose browser may send a signal."""
    with signalling(browsers, browser_name, trackers) as new:
        yield new


def held(service: str, code: str) -> str:
    """The vendor's tag as an owner marks it; an address is a script of its own."""
    if code.startswith("https://"):
        return (
            f'<script type="text/plain" data-consent="service:{service}" '
            f'data-consent-src="{code}"></script>'
        )
    return f'<script type="text/plain" data-consent="service:{service}">{code}</script>'
