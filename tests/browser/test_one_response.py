"""One response: the script alone brings the notice, and it is small."""

from __future__ import annotations

import urllib.request
from urllib.parse import urlsplit

from playwright.sync_api import Page, Request

from .running_server import RunningServer
from .sites import SITES, DemoSite
from .visit import Visit

BROTLI_LIMIT = 10_150


def test_nothing_but_the_script_is_asked_for_before_the_notice_is_visible(
    page: Page, site: DemoSite, server: RunningServer
) -> None:
    asked: list[str] = []

    def note(request: Request) -> None:
        asked.append(urlsplit(request.url).path)

    page.on("request", note)
    visit = Visit(page, site, server)
    visit.go()
    visit.wait_for_notice()
    widget_requests = [path for path in asked if path.startswith("/w/")]
    assert widget_requests == [f"/w/{site.key}.js"]


def test_the_script_of_the_smilee_site_fits_its_budget(server: RunningServer) -> None:
    site = SITES["smilee"]
    assert len(site.languages) == 3
    assert len(site.optional_services) == 5
    request = urllib.request.Request(
        f"{server.url}/w/{site.key}.js", headers={"Accept-Encoding": "br"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.headers["Content-Encoding"] == "br"
        size = len(answer.read())
    assert size <= BROTLI_LIMIT, f"{size} bytes"
