"""Storage blocked: a decision holds for the page, and nothing optional runs by error."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page

from .browsers import Browsers, launch_options
from .own_site import describe_service, publish_site
from .owner_pages import OwnerPages
from .running_server import RunningServer
from .trackers import Trackers
from .visit import Visit, watch_silence

_PICTURE = '<img alt="" data-consent="analytics" data-consent-src="https://held.example.com/a.gif">'
_ITEMS = (("cookie", "_count"), ("local_storage", "counter"), ("indexed_db", "counter"))

Open = Callable[[str], Page]


@pytest.fixture
def open_tab(
    browsers: Browsers, browser_name: str, trackers: Trackers, tmp_path: Path
) -> Iterator[Open]:
    """A tab of a browser whose visitor refuses all storage, or browses privately."""
    opened: list[BrowserContext] = []

    def open_(way: str) -> Page:
        options = launch_options(browser_name, trackers)
        if browser_name == "firefox":
            wanted = {"blocked": ("network.cookie.cookieBehavior", 2)}
            name, value = wanted.get(way, ("browser.privatebrowsing.autostart", True))
            options["firefox_user_prefs"][name] = value
        elif way == "blocked":
            (tmp_path / "Default").mkdir()
            blocked = {"profile": {"default_content_setting_values": {"cookies": 2}}}
            (tmp_path / "Default" / "Preferences").write_text(json.dumps(blocked))
        else:
            options["args"].append("--incognito")
        engine: Any = getattr(browsers.playwright, browser_name)
        context: BrowserContext = engine.launch_persistent_context(
            tmp_path, ignore_https_errors=True, **options
        )
        context.set_default_timeout(20_000)
        opened.append(context)
        return context.new_page()

    yield open_
    for context in opened:
        context.close()


@pytest.fixture
def errors() -> list[str]:
    """What the page was thrown."""
    return []


def _visit(page: Page, owner: OwnerPages, server: RunningServer, errors: list[str]) -> Visit:
    service = describe_service("counter", _ITEMS)
    site = publish_site(server, owner.url, "blocked", [service])
    tag = f'<script src="{server.url}/w/{site.key}.js"></script>'
    told = (
        "<script>for (const type of ['error', 'unhandledrejection'])"
        " addEventListener(type, ({ reason, message }) => (window.thrown ??= []).push("
        "String(reason ?? message)))</script>"
    )
    owner.pages["/"] = (
        f'<!doctype html><html lang="en">{told}{tag}<title>Page</title>{_PICTURE}',
        {},
    )
    page.on("pageerror", lambda error: errors.append(error.message))
    page.goto(f"{owner.url}/")
    return Visit(page, site, server)


def _is_stored_refused(page: Page) -> bool:
    refused: bool = page.evaluate(
        "() => { try { localStorage.x = 1; return false } catch { return true } }"
    )
    return refused


def test_a_visitor_who_refuses_all_storage_is_asked_and_answered_on_each_page(
    open_tab: Open, owner: OwnerPages, server: RunningServer, trackers: Trackers, errors: list[str]
) -> None:
    visit = _visit(open_tab("blocked"), owner, server, errors)
    page = visit.page
    visit.wait_for_notice()
    assert _is_stored_refused(page)
    watch_silence(page, trackers, 1.0)
    with page.expect_response("**/decisions?*") as answered:
        visit.decide("accept_all")
    assert answered.value.status == 201, "the server has the record"
    visit.wait_for(lambda: len(trackers.requests) == 1, "the picture")
    with page.expect_response("**/decisions?*") as answered:
        page.evaluate("consent.withdraw()")
    assert answered.value.status == 201
    assert page.evaluate("consent.grants.analytics") is False
    assert page.locator("img[data-consent-src]").count() == 1, "held again"
    trackers.clear()
    page.reload()
    visit.wait_for_notice()
    watch_silence(page, trackers, 1.0)
    assert errors == []
    assert page.evaluate("window.thrown") is None


def test_a_private_window_keeps_a_decision_as_any_other(
    open_tab: Open, owner: OwnerPages, server: RunningServer, trackers: Trackers, errors: list[str]
) -> None:
    visit = _visit(open_tab("private"), owner, server, errors)
    visit.wait_for_notice()
    visit.decide("reject_all")
    visit.wait_for_delivery()
    visit.page.reload()
    visit.page.wait_for_function("consent.decided")
    watch_silence(visit.page, trackers, 1.0)
    assert not visit.notice_is_shown
    assert errors == []


def test_a_decision_arrives_where_storage_is_full(
    page: Page, owner: OwnerPages, server: RunningServer, trackers: Trackers, errors: list[str]
) -> None:
    visit = _visit(page, owner, server, errors)
    visit.wait_for_notice()
    page.evaluate(
        """() => {
          let piece = 'x'.repeat(1 << 20);
          for (let at = 0; piece.length; at++)
            try { localStorage['full' + at] = piece }
            catch { piece = piece.slice(piece.length / 2 + 1) }
        }"""
    )
    with page.expect_response("**/decisions?*") as answered:
        visit.decide("accept_all")
    assert answered.value.status == 201
    visit.wait_for(lambda: len(trackers.requests) == 1, "the picture")
    page.reload()
    page.wait_for_function("consent.decided")
    visit.wait_for(lambda: len(trackers.requests) == 2, "the decision is kept by its cookie")
    assert len(visit.receipts()) == 1
    assert errors == []
