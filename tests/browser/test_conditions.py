"""Conditions: what several keys, alternatives and refusals hold and release."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from .owner_pages import OwnerPages
from .running_server import RunningServer
from .sites import SITES
from .trackers import Trackers
from .visit import Visit, wait_until_settled, watch_silence

#: Name of the picture -> what it waits for.
CONDITIONS = {
    "both": "service:google-analytics & service:meta-pixel",
    "either": "analytics | service:meta-pixel",
    "mixed": "functional | service:google-analytics & service:linkedin-insight",
    "refused": "!service:meta-pixel",
    "without": "analytics & !functional",
    "unknown": "unheard-of",
    "not-unknown": "!unheard-of",
    "not-nothing": "!",
    "nothing": "",
    "inherited": "constructor | !toString | __proto__",
}


@pytest.fixture
def visit(page: Page, owner: OwnerPages, server: RunningServer) -> Visit:
    """A page with a picture for each condition, before the visitor has answered."""
    pictures = "".join(
        f'<img alt="" data-consent="{condition}" '
        f'data-consent-src="https://held.example.com/{name}.gif">\n'
        for name, condition in CONDITIONS.items()
    )
    head = f'<!doctype html><html lang="en"><script src="{server.url}/w/smilee.js"></script>'
    owner.pages["/"] = (f"{head}<title>Conditions</title>{pictures}", {})
    visit = Visit(page, SITES["smilee"], server)
    page.goto(f"{owner.url}/")
    visit.wait_for_notice()
    return visit


def _asked(trackers: Trackers) -> list[str]:
    return sorted(one.path.strip("/").removesuffix(".gif") for one in trackers.requests)


def test_nothing_is_released_before_an_answer_not_even_what_waits_for_a_refusal(
    visit: Visit, trackers: Trackers
) -> None:
    watch_silence(visit.page, trackers, 1.5)


def test_all_of_one_alternative_release_and_unknown_keys_never_do(
    visit: Visit, trackers: Trackers
) -> None:
    visit.open_preferences()
    visit.toggle_service("google-analytics")
    visit.decide("save")
    visit.wait_for(lambda: len(_asked(trackers)) >= 3, "what the one service allows")
    wait_until_settled(visit.page, trackers)
    assert _asked(trackers) == ["either", "refused", "without"]


def test_a_refusal_releases_only_what_waits_for_it(visit: Visit, trackers: Trackers) -> None:
    visit.decide("reject_all")
    visit.wait_for(lambda: _asked(trackers) == ["refused"], "what the refusal allows")
    wait_until_settled(visit.page, trackers)
    assert _asked(trackers) == ["refused"]


def test_consent_to_everything_releases_all_that_waits_for_no_refusal(
    visit: Visit, trackers: Trackers
) -> None:
    visit.decide("accept_all")
    visit.wait_for(lambda: len(_asked(trackers)) >= 3, "what is allowed")
    wait_until_settled(visit.page, trackers)
    assert _asked(trackers) == ["both", "either", "mixed"]
