"""Fixtures of the vendor tests: their pages, and a site that describes all of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.browser.bundles import FOLDERS, built_bundles, require_node
from tests.browser.own_site import describe_service, publish_site
from tests.browser.owner_pages import OwnerPages, running_owner_pages
from tests.browser.running_server import RunningServer
from tests.browser.sites import DemoSite

from .vendors import VENDORS

_PAGE = """<!doctype html>
<html lang="en">
<head>
{head}
<meta charset="utf-8">
<title>Shop</title>
</head>
<body><h1>Shop</h1><button>Buy</button></body>
</html>
"""
_UNCHANGED = '<script src="/bundles/{key}.js"></script>'
_DECLARED = (
    '<script type="text/plain" data-consent="service:{key}" '
    'data-consent-src="/bundles/{key}.js"></script>'
)
_TAG = '<script{attributes} src="{server}/w/{site}.js"></script>'


@dataclass(frozen=True)
class Shop:
    """The owner's pages and the sites under which they ask."""

    owner: OwnerPages
    declared: DemoSite
    strict: DemoSite

    def address(self, way: str, vendor: str) -> str:
        """The page with that vendor's bundle, in that way."""
        return f"{self.owner.url}/{way}/{vendor}"


@pytest.fixture(scope="session")
def shop(server: RunningServer) -> Iterator[Shop]:
    """Pages for every vendor and every way to have it on a page."""
    require_node()
    bundles = built_bundles(FOLDERS[0])
    with running_owner_pages() as owner:
        services = [
            describe_service(vendor.key, vendor.items + vendor.passing, hosts=list(vendor.hosts))
            for vendor in VENDORS
        ]
        declared = publish_site(server, owner.url, "vendors", services)
        strict = publish_site(server, owner.url, "vendors-strict", services, blocking="strict")
        tag = _TAG.format(attributes=" async", server=server.url, site=declared.key)
        gate = _TAG.format(attributes="", server=server.url, site=strict.key)
        owner.pages["/away"] = (_PAGE.format(head=""), {})
        for vendor in VENDORS:
            key = vendor.key
            heads = {
                "control": _UNCHANGED,
                "declared": f"{tag}\n{_DECLARED}",
                "strict": f"{gate}\n{_UNCHANGED}",
            }
            for way, head in heads.items():
                owner.pages[f"/{way}/{key}"] = (_PAGE.format(head=head.format(key=key)), {})
            script = (bundles / f"{key}.js").read_text("utf-8")
            owner.pages[f"/bundles/{key}.js"] = (script, {"Content-Type": "text/javascript"})
        yield Shop(owner, declared, strict)


@pytest.fixture
def browser_name() -> str:
    """Chromium alone: the libraries are under test here, what browsers do is elsewhere."""
    return "chromium"
