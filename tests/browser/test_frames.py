"""Frames: a page framed by its own site follows the decision, and does not ask a second time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Frame, Page

from .own_site import describe_service, publish_site
from .owner_pages import OwnerPages, running_owner_pages
from .running_server import RunningServer
from .sites import DemoSite
from .trackers import Trackers
from .visit import Visit, watch_silence

_PICTURE = (
    '<img alt="" data-consent="analytics" data-consent-src="https://held.example.com/{}.gif">'
)


@pytest.fixture
def other() -> Iterator[OwnerPages]:
    """A page of somebody else."""
    with running_owner_pages() as running:
        yield running


def _write(owner: OwnerPages, server: RunningServer) -> DemoSite:
    site = publish_site(server, owner.url, "framed", [describe_service("counter", ())])
    tag = f'<!doctype html><html lang="en"><script src="{server.url}/w/{site.key}.js"></script>'
    frame = '<iframe title="Part" src="/part" width="600" height="600"></iframe>'
    owner.pages["/"] = (f"{tag}<title>Page</title>{_PICTURE.format('page')}{frame}", {})
    owner.pages["/part"] = (f"{tag}<title>Part</title>{_PICTURE.format('part')}", {})
    return site


def _frame(page: Page) -> Frame:
    [frame] = [one for one in page.frames if one.url.endswith("/part")]
    frame.wait_for_function("window.consent && document.readyState === 'complete'")
    return frame


def _asked(trackers: Trackers) -> set[str]:
    return {one.path for one in trackers.requests}


def test_a_page_asks_once_for_itself_and_for_its_own_frames(
    page: Page, owner: OwnerPages, server: RunningServer, trackers: Trackers
) -> None:
    site = _write(owner, server)
    visit = Visit(page, site, server)
    page.goto(f"{owner.url}/")
    visit.wait_for_notice()
    frame = _frame(page)
    watch_silence(page, trackers, 1.0)
    assert frame.locator("consent-notice").count() == 0
    visit.decide("accept_all")
    visit.wait_for(lambda: _asked(trackers) == {"/page.gif", "/part.gif"}, "both pictures")
    visit.reopen_preferences()
    visit.choose("withdraw")
    frame.locator("img[data-consent-src]").wait_for(state="attached")
    visit.wait_for_delivery()
    assert [one["method"] for one in visit.receipts()] == ["withdraw", "accept_all"]
    trackers.clear()
    page.reload()
    frame = _frame(page)
    watch_silence(page, trackers, 1.0)
    assert frame.locator("consent-notice").count() == 0, "nor a second way back"


def test_a_frame_in_somebody_elses_page_asks_for_itself(
    page: Page, owner: OwnerPages, other: OwnerPages, server: RunningServer, trackers: Trackers
) -> None:
    _write(owner, server)
    frame = f'<iframe title="Part" src="{owner.url}/part" width="600" height="600"></iframe>'
    other.pages["/"] = (f"<!doctype html><title>Other</title>{frame}", {})
    page.goto(f"{other.url}/")
    inner = _frame(page)
    inner.locator("consent-notice section[role=dialog]").wait_for(state="visible")
    watch_silence(page, trackers, 1.0)
    inner.locator("button[data-consent-action=accept_all]").click()
    inner.locator("consent-notice section[role=dialog]").wait_for(state="detached")
    Visit(page, DemoSite("framed"), server).wait_for(
        lambda: _asked(trackers) == {"/part.gif"}, "the picture of the frame"
    )


def test_a_frame_without_an_origin_holds_and_throws_nothing(
    page: Page, owner: OwnerPages, server: RunningServer, trackers: Trackers
) -> None:
    """Sandboxed: neither cookies nor storage may be touched there."""
    _write(owner, server)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(error.message))
    frame = '<iframe title="Part" src="/part" sandbox="allow-scripts" width="600" height="600">'
    owner.pages["/"] = (f"<!doctype html><title>Page</title>{frame}</iframe>", {})
    page.goto(f"{owner.url}/")
    inner = _frame(page)
    inner.locator("consent-notice section[role=dialog]").wait_for(state="visible")
    watch_silence(page, trackers, 1.0)
    inner.locator("button[data-consent-action=accept_all]").click()
    Visit(page, DemoSite("framed"), server).wait_for(
        lambda: _asked(trackers) == {"/part.gif"}, "the picture of the frame"
    )
    assert errors == []
