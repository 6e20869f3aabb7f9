"""Front ends: no page without a tracker may notice that we are there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.bundles import FOLDERS, built_bundles, require_node
from tests.browser.conftest import NewProfile
from tests.browser.own_site import publish_site
from tests.browser.running_server import RunningServer
from tests.browser.trackers import Trackers
from tests.browser.visit import wait_until_settled, watch_silence

from .front_ends import FRONT_ENDS, FrontEnd
from .own_server import OwnServer, running_own_server

_HERE = Path(__file__).parent
_SNAPSHOT = (_HERE / "snapshot.js").read_text("utf-8")
_STORAGE = (_HERE / "storage.js").read_text("utf-8")
_TAGS = {
    "declared": '<script async src="{server}/w/front-ends-declared.js"></script>\n',
    "strict": '<script src="{server}/w/front-ends-strict.js"></script>\n',
}
#: Files of workers.
_WORKERS = ("GET /assets/shared.js", "GET /assets/sum.js")


@dataclass
class Walk:
    """Everything that one walk through a front end left to be seen."""

    pages: list[str] = field(default_factory=list)
    console: list[str] = field(default_factory=list)
    storage: dict[str, Any] = field(default_factory=dict)
    requests: Counter[str] = field(default_factory=Counter)
    elsewhere: set[str] = field(default_factory=set)


@pytest.fixture(scope="session")
def own(server: RunningServer) -> Iterator[OwnServer]:
    """The owner's server, and a site for each way to hold."""
    require_node()
    with running_own_server(built_bundles(FOLDERS[1])) as running:
        service = {"use": "google-analytics", "retention": "14mo"}
        theme = {"position": "bottom_right", "entry": "bottom_right"}  # in nobody's way
        for way in _TAGS:
            key = f"front-ends-{way}"
            publish_site(server, running.url, key, [service], blocking=way, theme=theme)
        yield running


@pytest.fixture(params=FRONT_ENDS, ids=repr)
def front_end(request: pytest.FixtureRequest) -> FrontEnd:
    """Every test that asks for it runs with each front end."""
    found: FrontEnd = request.param
    return found


def _walk(page: Page, own: OwnServer, front_end: FrontEnd, trackers: Trackers) -> Walk:
    walk = Walk()
    page.on("console", lambda message: _note(walk, f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: _note(walk, f"uncaught: {error}"))
    own.requests.clear()
    trackers.clear()
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(f"{own.url}/{front_end.key}/")
    page.locator(front_end.shows).wait_for()
    if own.tag:
        page.locator("consent-notice section[role=dialog]").wait_for()
    walk.pages.append(_settled(page))
    for step in front_end.steps:
        if step.types:
            page.fill(*step.types)
        page.click(step.selector)
        place = page.frame_locator(step.frame) if step.frame else page
        place.locator(step.shows).first.wait_for()
        walk.pages.append(_settled(page))
    walk.storage = page.evaluate(_STORAGE)
    walk.requests = own.requests.copy()
    walk.elsewhere = trackers.hosts()
    return walk


def _note(walk: Walk, message: str) -> None:
    # What the graphics driver says depends on the time of day; a stack may name whom it passed.
    if "GL Driver Message" not in message:
        walk.console.append(message.partition("\n")[0])


def _settled(page: Page) -> str:
    """The page once it has been the same for a while: transitions and frames come to an end."""
    page.wait_for_load_state()
    last, same = "", 0
    while same < 3:
        now = str(page.evaluate(_SNAPSHOT))
        last, same = now, same + 1 if now == last else 0
        page.wait_for_timeout(50)
    return last


def test_a_front_end_is_the_same_with_us_and_without(
    new_profile: NewProfile,
    own: OwnServer,
    server: RunningServer,
    trackers: Trackers,
    front_end: FrontEnd,
) -> None:
    own.tag = ""
    without = _walk(new_profile().new_page(), own, front_end, trackers)
    for way, tag in _TAGS.items():
        own.tag = tag.format(server=server.url)
        with_us = _walk(new_profile().new_page(), own, front_end, trackers)
        assert with_us.pages == without.pages, way
        assert with_us.console == without.console, way
        assert with_us.storage == without.storage, way
        # What is in a worker is out of the gate's reach: it reads the file before it lets it start.
        read = [one for one in without.requests if way == "strict" and one in _WORKERS]
        assert with_us.requests == without.requests + Counter(read), way
        assert with_us.elsewhere == without.elsewhere == set(), way


def test_another_host_is_held_on_these_pages_by_the_gate_alone(
    new_profile: NewProfile, own: OwnServer, server: RunningServer, trackers: Trackers
) -> None:
    for way, tag in _TAGS.items():
        own.tag = tag.format(server=server.url)
        page = new_profile().new_page()
        page.goto(f"{own.url}/lit/")
        page.locator("consent-notice section[role=dialog]").wait_for()
        page.evaluate("() => { new Image().src = 'https://held.example.com/one.gif'; }")
        if way == "strict":
            watch_silence(page, trackers, 1.0)
        else:
            wait_until_settled(page, trackers)
            assert trackers.hosts() == {"held.example.com"}
            trackers.clear()
