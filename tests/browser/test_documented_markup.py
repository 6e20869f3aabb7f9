"""Documented mark-up: what docs/embed.md tells owners to write holds, and is released."""

from __future__ import annotations

import base64
import hashlib
import re
import urllib.request
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
{tag}
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
    tag = f'<script async src="{server.url}/w/smilee.js"></script>'
    paths = {f"{parts.hostname}{parts.path}" for parts in map(urlsplit, held)}
    with running_owner_pages() as owner:
        owner.pages["/"] = (_PAGE.format(tag=tag, markup=markup), {})
        visit = Visit(page, SITES["smilee"], server)
        page.goto(f"{owner.url}/")
        visit.wait_for_notice()
        watch_silence(page, trackers, WATCHED_SECONDS)
        visit.decide("accept_all")
        wait_until_settled(page, trackers)
        assert paths <= {f"{one.host}{one.path}" for one in trackers.seen}
        assert page.locator("#mce-EMAIL").is_visible()
        assert page.evaluate("[typeof window.gtag, window.fnames[0]]") == ["function", "EMAIL"]


def test_a_tag_pinned_by_its_hash_asks_and_its_decision_is_recorded(
    page: Page, server: RunningServer
) -> None:
    with urllib.request.urlopen(f"{server.url}/w/smilee.js", timeout=10) as answer:
        digest = hashlib.sha256(answer.read()).digest()
    tag = (
        f'<script async crossorigin src="{server.url}/w/smilee/{digest.hex()}.js" '
        f'integrity="sha256-{base64.b64encode(digest).decode()}"></script>'
    )
    with running_owner_pages() as owner:
        # Another host than the server's, so that the browser does check; the site names neither.
        owner.pages["/"] = (_PAGE.format(tag=tag, markup=""), {})
        visit = Visit(page, SITES["smilee"], server)
        page.goto(f"{owner.url}/")
        visit.wait_for_notice()
        with page.expect_request(f"{server.url}/w/smilee/decisions?*"):
            visit.decide("reject_all")


def test_under_a_policy_with_nonces_only_held_scripts_with_the_nonce_run(
    page: Page, server: RunningServer, trackers: Trackers
) -> None:
    tag = f'<script async nonce="r4nd0m" src="{server.url}/w/smilee.js"></script>'
    held = 'type="text/plain" data-consent="analytics"'
    markup = f"""
<script {held} nonce="r4nd0m">document.body.dataset.inline = "ran";</script>
<script {held}>document.body.dataset.injected = "ran";</script>
<script {held} nonce="r4nd0m" data-consent-src="https://held.example.com/one.js"></script>
<template data-consent="analytics">
<script nonce="r4nd0m">document.body.dataset.template = "ran";</script>
</template>"""
    policy = f"default-src 'none'; script-src 'nonce-r4nd0m'; connect-src {server.url}"
    with running_owner_pages() as owner:
        page_headers = {"Content-Security-Policy": policy}
        owner.pages["/"] = (_PAGE.format(tag=tag, markup=markup), page_headers)
        visit = Visit(page, SITES["smilee"], server)
        page.goto(f"{owner.url}/")
        visit.wait_for_notice()
        visit.decide("accept_all")
        visit.wait_for(lambda: "held.example.com" in trackers.hosts(), "the external script")
        wait_until_settled(page, trackers)
        ran = page.evaluate("({...document.body.dataset})")
        assert ran == {"inline": "ran", "template": "ran"}
