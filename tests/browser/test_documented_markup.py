"""Documented mark-up: what docs/embed.md tells owners to write holds, and is released."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from playwright.sync_api import Page

from tests.documentation import page as read_page

from .owner_pages import running_owner_pages
from .running_server import RunningServer
from .sites import SITES
from .trackers import Trackers
from .visit import Visit, wait_until_settled, watch_silence

WATCHED_SECONDS = 2.0
_PAGE = """<!doctype html>
<html lang="en">
<head>
<script async src="{server}/w/smilee.js"></script>
<meta charset="utf-8">
<title>A page of the owner</title>
</head>
<body>
{markup}
</body>
</html>
"""


def test_the_mark_up_of_the_documentation_holds_and_is_released(
    page: Page, server: RunningServer, trackers: Trackers
) -> None:
    markup = "\n".join(read_page("docs/embed.md").tested("markup"))
    held = re.findall(r'data-consent-[a-z]+="(https://[^"]+)"', markup)
    assert len(held) > 5
    paths = {f"{parts.hostname}{parts.path}" for parts in map(urlsplit, held)}
    with running_owner_pages() as owner:
        owner.pages["/"] = (_PAGE.format(server=server.url, markup=markup), {})
        visit = Visit(page, SITES["smilee"], server)
        page.goto(f"{owner.url}/")
        visit.wait_for_notice()
        watch_silence(page, trackers, WATCHED_SECONDS)
        visit.decide("accept_all")
        wait_until_settled(page, trackers)
        assert paths <= {f"{one.host}{one.path}" for one in trackers.seen}
        assert page.locator("#mce-EMAIL").is_visible()
        assert page.evaluate("[typeof window.gtag, window.fnames[0]]") == ["function", "EMAIL"]
