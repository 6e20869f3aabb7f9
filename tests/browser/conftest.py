"""Fixtures of the browser tests: one server and one browser of each kind per test process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, sync_playwright

from .browsers import BROWSER_NAMES, Browsers
from .owner_pages import OwnerPages, running_owner_pages
from .running_server import RunningServer
from .sites import SITES, DemoSite
from .trackers import Trackers, running_trackers

NewProfile = Callable[..., BrowserContext]
#: Parameters of tests that look at sizes and colours.
_LOOKS = {"scheme", "width"}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave to -m soak what a second browser is unlikely to do in another way.

    One site is always tried in both browsers, every site in one; looks are measured in one.
    """
    for item in items:
        params = getattr(getattr(item, "callspec", None), "params", {})
        other_site = str(params.get("site", "smilee")) != "smilee"
        if params.get("browser_name") == "firefox" and (other_site or _LOOKS & params.keys()):
            item.add_marker(pytest.mark.soak)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """The real product with the five demo sites."""
    running = RunningServer(tmp_path_factory.mktemp("server"))
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def browsers() -> Iterator[Browsers]:
    """Chromium and Firefox; a missing one fails the test that asks for it."""
    with running_trackers() as sink, sync_playwright() as playwright:
        running = Browsers(playwright, sink)
        yield running
        running.close()


@pytest.fixture(params=BROWSER_NAMES)
def browser_name(request: pytest.FixtureRequest) -> str:
    """Every test that asks for it runs in each browser."""
    name: str = request.param
    return name


@pytest.fixture(params=SITES.values(), ids=list(SITES))
def site(request: pytest.FixtureRequest) -> DemoSite:
    """Every test that asks for it runs on each of the five sites."""
    found: DemoSite = request.param
    return found


@pytest.fixture
def owner() -> Iterator[OwnerPages]:
    """Pages of an owner's own, on a server beside ours."""
    with running_owner_pages() as running:
        yield running


@pytest.fixture
def trackers() -> Iterator[Trackers]:
    """The stand-in of this test alone: nothing of another test can reach its log."""
    with running_trackers() as running:
        yield running


@pytest.fixture
def new_profile(browsers: Browsers, browser_name: str, trackers: Trackers) -> Iterator[NewProfile]:
    """Makes fresh visitors, as many as a test needs."""
    opened: list[BrowserContext] = []

    def new(**options: Any) -> BrowserContext:
        context = browsers.new_profile(browser_name, trackers, **options)
        context.set_default_timeout(20_000)
        opened.append(context)
        return context

    yield new
    for context in opened:
        context.close()


@pytest.fixture
def page(new_profile: NewProfile) -> Page:
    """A tab of a fresh visitor."""
    return new_profile().new_page()


@dataclass
class Profile:
    """A visitor whose browser can be closed and started again."""

    browsers: Browsers
    browser_name: str
    trackers: Trackers
    folder: Path
    context: BrowserContext | None = None

    def open(self) -> BrowserContext:
        """Start the browser on the profile."""
        self.context = self.browsers.open_profile(self.browser_name, self.trackers, self.folder)
        self.context.set_default_timeout(20_000)
        return self.context

    def close(self) -> None:
        """End the browser; the profile stays."""
        if self.context is not None:
            self.context.close()
            self.context = None

    def restart(self) -> BrowserContext:
        """Close the browser and start it again."""
        self.close()
        return self.open()


@pytest.fixture
def profile(
    browsers: Browsers, browser_name: str, trackers: Trackers, tmp_path: Path
) -> Iterator[Profile]:
    """A visitor with a profile folder of their own."""
    own = Profile(browsers, browser_name, trackers, tmp_path / "profile")
    yield own
    own.close()
