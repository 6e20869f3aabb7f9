"""Pages: what the server shows of itself is as legible as the notice, in every state."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Page

from .browsers import Browsers
from .legible import illegible
from .running_server import RunningServer
from .sites import SITES
from .visit import Visit

SMILEE = SITES["smilee"]
_SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
#: Name -> address, for a visitor who decided.
_PAGES = {
    "start": "/",
    "demo": "/demo/smilee/contact",
    "record": "/demo/smilee/record",
    "choose": "/w/smilee/choose?language={}",
    "me": "/w/smilee/me?language={}",
    "archive": "/w/smilee/versions?language={}",
    "version": "/w/smilee/versions/1?language={}",
}


@pytest.fixture(scope="module")
def decided(browsers: Browsers, server: RunningServer) -> Iterator[Visit]:
    """A visitor who allowed Google Analytics, on a small screen."""
    small = {"width": 320, "height": 640}
    context = browsers.new_profile("chromium", browsers.sink, viewport=small)
    context.set_default_timeout(20_000)
    visit = Visit(context.new_page(), SMILEE, server)
    visit.go()
    visit.wait_for_notice()
    visit.open_preferences()
    visit.toggle_service("google-analytics")
    visit.decide("save")
    visit.wait_for_delivery()
    yield visit
    context.close()


def _violations(page: Page) -> list[tuple[str, list[str]]]:
    found: Any = Axe().run(page).response["violations"]
    return [(one["id"], [node["html"] for node in one["nodes"]]) for one in found]


def _assert_accessible(page: Page) -> None:
    for (width, height), scheme in zip(((320, 256), (1280, 800)), _SCHEMES, strict=True):
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=scheme)
        assert _violations(page) == [], (width, scheme)
        assert illegible(page) == [], (width, height)


@pytest.mark.parametrize(
    "language", ["en", *(pytest.param(one, marks=pytest.mark.soak) for one in ("fi", "sv"))]
)
@pytest.mark.parametrize("name", _PAGES)
def test_axe_finds_nothing_on_a_page_and_nothing_is_cut_off(
    decided: Visit, name: str, language: str
) -> None:
    decided.page.goto(decided.server.url + _PAGES[name].format(language))
    _assert_accessible(decided.page)


def test_axe_finds_nothing_on_what_a_visitor_is_told_who_saves_and_erases(decided: Visit) -> None:
    page = decided.page
    page.goto(f"{decided.server.url}/w/smilee/me?language=en")
    for pressed in ("save", "erase", "erase_now"):
        page.locator(f"form:has(input[value={pressed}]) button").click()
        _assert_accessible(page)
