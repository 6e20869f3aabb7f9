"""Corners of the browser: other tabs, pages that change in place, pages that patch what we call."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .conftest import NewProfile
from .owner_pages import OwnerPages, running_owner_pages
from .running_server import RunningServer
from .sites import SITES
from .trackers import Trackers
from .visit import Visit, wait_until_settled, watch_silence

SITE = SITES["smilee"]
_PICTURE = (
    '<img alt="" data-consent="analytics" data-consent-src="https://held.example.com/held.gif">'
)
#: What old libraries and hostile pages do before our script runs.
PATCHES = {
    "enumerable prototypes": "<script>Object.prototype.junk = Array.prototype.junk = 1</script>",
    "array toJSON": "<script>Array.prototype.toJSON = () => 'junk'</script>",
    "clobbered names": "<form name=consent></form><img name=currentScript alt=''>"
    "<img id=consent alt=''>",
    "no localStorage": "<script>Object.defineProperty(window, 'localStorage', "
    "{ get() { throw new DOMException('no', 'SecurityError') } })</script>",
}


@pytest.fixture
def owner() -> Iterator[OwnerPages]:
    with running_owner_pages() as running:
        yield running


def _write(owner: OwnerPages, server: RunningServer, first: str = "") -> None:
    tag = f'<script src="{server.url}/w/smilee.js"></script>'
    page = (
        f'<!doctype html><html lang="en">{first}{tag}<title>Corner</title><main>{_PICTURE}</main>'
    )
    owner.pages["/"] = (page, {})


def test_a_decision_in_one_tab_holds_in_the_other(
    new_profile: NewProfile, owner: OwnerPages, server: RunningServer, trackers: Trackers
) -> None:
    _write(owner, server)
    context = new_profile()
    one, other = (Visit(context.new_page(), SITE, server) for _ in range(2))
    for visit in (one, other):
        visit.page.goto(f"{owner.url}/")
        visit.wait_for_notice()
    one.decide("accept_all")
    other.notice.wait_for(state="detached")
    one.wait_for(lambda: len(trackers.requests) == 2, "the picture of each tab")


def test_a_page_that_replaces_its_body_is_held_as_before(
    new_profile: NewProfile, owner: OwnerPages, server: RunningServer, trackers: Trackers
) -> None:
    _write(owner, server)
    visit = Visit(new_profile().new_page(), SITE, server)
    visit.page.goto(f"{owner.url}/")
    visit.wait_for_notice()
    swap = """html => {
      history.pushState({}, '', '/next');
      const body = document.createElement('body');
      body.innerHTML = html;
      document.body.replaceWith(body);
    }"""
    visit.page.evaluate(swap, _PICTURE)
    visit.wait_for_notice()
    watch_silence(visit.page, trackers, 1.0)
    visit.decide("accept_all")
    visit.wait_for(lambda: len(trackers.requests) == 1, "the new picture")
    visit.page.evaluate(swap, _PICTURE.replace("held.gif", "newest.gif"))
    visit.wait_for(
        lambda: [one.path for one in trackers.requests] == ["/held.gif", "/newest.gif"],
        "the newest picture",
    )


@pytest.mark.parametrize("first", PATCHES.values(), ids=list(PATCHES))
def test_a_page_that_patches_what_we_call_is_asked_and_answered(
    new_profile: NewProfile,
    owner: OwnerPages,
    server: RunningServer,
    trackers: Trackers,
    first: str,
) -> None:
    _write(owner, server, first)
    visit = Visit(new_profile().new_page(), SITE, server)
    visit.page.goto(f"{owner.url}/")
    visit.wait_for_notice()
    watch_silence(visit.page, trackers, 1.0)
    visit.decide("accept_all")
    wait_until_settled(visit.page, trackers)
    assert [one.path for one in trackers.requests] == ["/held.gif"]
