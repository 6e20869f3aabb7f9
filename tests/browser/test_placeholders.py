"""Placeholders: loading once decides nothing; always allowing does."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from .owner_pages import OwnerPages
from .running_server import RunningServer
from .sites import SITES
from .trackers import Trackers
from .visit import Visit, wait_until_settled, watch_silence

SITE = SITES["smilee"]
_HELD = 'data-consent="service:smilee-chat"'
_BODY = f"""<iframe title="Chat" width="400" height="300" {_HELD}
  data-consent-src="https://held.example.com/chat.html"></iframe>
<video width="400" height="300" preload="auto" {_HELD}>
<source {_HELD} data-consent-src="https://held.example.com/film.mp4"></video>"""
WORDS = {
    "en": ("Always allow Smilee Chat", "Load once"),
    "fi": ("Salli Smilee Chat aina", "Lataa kerran"),
    "sv": ("Tillåt alltid Smilee Chat", "Ladda en gång"),
}


def _open(page: Page, owner: OwnerPages, server: RunningServer, language: str = "en") -> Visit:
    tag = f'<script src="{server.url}/w/smilee.js"></script>'
    owner.pages["/"] = (
        f'<!doctype html><html lang="{language}">{tag}<title>Chat</title>{_BODY}',
        {},
    )
    visit = Visit(page, SITE, server)
    page.goto(f"{owner.url}/")
    visit.wait_for_notice()
    return visit


def _asked(trackers: Trackers) -> set[str]:
    return {one.path for one in trackers.requests}


def test_what_is_loaded_once_stores_nothing_and_is_held_again_on_the_next_page(
    page: Page, owner: OwnerPages, server: RunningServer, trackers: Trackers
) -> None:
    visit = _open(page, owner, server)
    places = page.locator("consent-placeholder")
    before = places.first.bounding_box()
    places.first.locator("[data-consent-action=load_once]").click()
    visit.wait_for(lambda: _asked(trackers) == {"/chat.html"}, "the frame")
    assert page.locator("iframe").bounding_box() == before
    places.last.locator("[data-consent-action=load_once]").click()
    visit.wait_for(lambda: _asked(trackers) == {"/chat.html", "/film.mp4"}, "the film")
    assert places.count() == 0
    assert visit.notice_is_shown, "nothing was decided"
    assert visit.decision() is None
    assert visit.storage() == {}
    wait_until_settled(page, trackers)
    trackers.clear()
    page.reload()
    places.first.wait_for(state="visible")
    watch_silence(page, trackers, 1.5)


@pytest.mark.parametrize("language", WORDS)
def test_a_placeholder_offers_both_ways_in_the_language_of_the_page(
    page: Page, owner: OwnerPages, server: RunningServer, language: str
) -> None:
    _open(page, owner, server, language)
    place = page.locator("consent-placeholder").first
    for action, words in zip(("allow_service", "load_once"), WORDS[language], strict=True):
        assert place.locator(f"[data-consent-action={action}]").inner_text() == words
    text = place.locator("p").inner_text()
    assert "Smilee Chat" in text
    assert "Kommeet Oy" in text, "who would get data"


@pytest.mark.parametrize("allowed", [(), ("google-analytics",)], ids=["nothing", "another"])
def test_what_was_loaded_once_is_held_again_by_a_decision_that_does_not_allow_it(
    page: Page,
    owner: OwnerPages,
    server: RunningServer,
    trackers: Trackers,
    allowed: tuple[str, ...],
) -> None:
    visit = _open(page, owner, server)
    places = page.locator("consent-placeholder")
    for path in ("/chat.html", "/film.mp4"):
        places.first.locator("[data-consent-action=load_once]").click()
        visit.wait_for(lambda: path in _asked(trackers), path)  # noqa: B023
    visit.open_preferences()
    for key in allowed:
        visit.toggle_service(key)
    visit.decide("save")
    places.last.wait_for(state="visible")
    assert places.count() == 2
    assert page.locator("iframe[src],source[src]").count() == 0
    wait_until_settled(page, trackers)
    trackers.clear()
    watch_silence(page, trackers, 1.0)
    visit.reopen_preferences()
    visit.decide("accept_all")
    visit.wait_for(lambda: _asked(trackers) == {"/chat.html", "/film.mp4"}, "both come again")
    visit.reopen_preferences()
    visit.decide("withdraw")
    assert page.locator("iframe[src],source[src]").count() == 0
