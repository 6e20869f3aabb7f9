"""No JavaScript: nothing optional runs, and a plain form takes the decision to the site."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from .conftest import NewProfile
from .running_server import RunningServer
from .sites import SITES
from .trackers import Trackers
from .visit import Visit, watch_silence

SMILEE = SITES["smilee"]
_ADDRESS = "/w/smilee/choose?language=en&return=/demo/smilee/contact"


@pytest.fixture(params=["chromium"])
def browser_name(request: pytest.FixtureRequest) -> str:
    """Driven by Playwright, Firefox answers nothing once its scripts are off."""
    name: str = request.param
    return name


@pytest.fixture
def plain(new_profile: NewProfile) -> Page:
    """A tab of a fresh visitor whose browser runs no script."""
    return new_profile(java_script_enabled=False).new_page()


def _take_over(page: Page, context: BrowserContext) -> None:
    """Give another browser the cookies of this one."""
    cookies: Any = page.context.cookies()
    context.add_cookies(cookies)


def test_without_script_nothing_optional_runs_and_a_link_leads_to_the_form(
    plain: Page, server: RunningServer, trackers: Trackers
) -> None:
    plain.goto(f"{server.url}/demo/smilee/contact")
    assert plain.locator("consent-notice").count() == 0, "scripts run after all"
    watch_silence(plain, trackers, 1.0)
    assert plain.context.cookies() == []
    plain.locator("noscript a", has_text="Kakinställningar").click()
    expect(plain.get_by_role("button", name="Godkänn alla").first).to_be_visible()
    assert plain.locator("input:checked").count() == 0
    assert plain.context.cookies() == []
    assert trackers.seen == []


@pytest.mark.parametrize(
    ("button", "granted"),
    [
        ("Accept all", list(SMILEE.optional_services)),
        ("Reject all", []),
        ("Save my choices", ["google-analytics"]),
    ],
)
def test_an_answer_without_script_holds_on_the_site(
    plain: Page,
    new_profile: NewProfile,
    server: RunningServer,
    trackers: Trackers,
    button: str,
    granted: list[str],
) -> None:
    plain.goto(f"{server.url}{_ADDRESS}")
    if button == "Save my choices":
        plain.get_by_role("checkbox", name="Google Analytics").click()
    plain.get_by_role("button", name=button).last.click()
    expect(plain.get_by_role("status")).to_contain_text("Your choice is saved.")
    plain.reload()
    plain.get_by_role("link", name="Back").click()
    plain.wait_for_url(f"{server.url}/demo/smilee/contact")
    assert trackers.seen == [], "without script nothing runs even so"

    page = new_profile().new_page()
    _take_over(plain, page.context)
    visit = Visit(page, SMILEE, server)
    visit.go()
    page.wait_for_function("window.consent?.decided === true")
    decision = visit.decision()
    assert decision is not None
    assert decision.grants == SMILEE.expected_grants(*granted)
    assert not visit.notice_is_shown
    assert [(one["layer"], one["language"]) for one in visit.receipts()] == [("form", "en")]
