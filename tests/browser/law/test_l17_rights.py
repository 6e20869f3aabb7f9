"""L17: visitors see, take away, withdraw and erase their own records by themselves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from ..visit import Visit


@pytest.fixture(params=["chromium"])
def browser_name(request: pytest.FixtureRequest) -> str:
    """Plain forms: one browser is enough."""
    return str(request.param)


@pytest.fixture
def mine(asked: Visit) -> Page:
    """The page *My record* of a visitor who allowed everything, by the notice's own link."""
    asked.decide("accept_all")
    asked.wait_for_delivery()
    asked.reopen_preferences()
    with asked.page.expect_popup() as opened:
        asked.preferences.locator("a[href*='/me?']").click()
    page = opened.value
    page.goto(page.url.replace("language=sv", "language=en"))
    page.get_by_role("heading", name="What holds now").wait_for()
    return page


def test_l17_access_the_history_shows_each_decision_and_what_was_shown(mine: Page) -> None:
    records = mine.locator("ol.records > li")
    assert records.count() == 1
    assert "Google Analytics" in records.inner_text()
    assert records.get_by_role("link", name="Version").count() == 1


def test_l17_portability_the_records_are_taken_away_in_a_machine_readable_form(
    mine: Page, asked: Visit
) -> None:
    with mine.expect_download() as download:
        mine.get_by_role("button", name="Download all records").click()
    body = json.loads(Path(download.value.path()).read_text("utf-8"))
    assert [one["receipt"] for one in body["records"]] == asked.receipts()


def test_l17_withdrawal_is_one_click_there_too(mine: Page, asked: Visit) -> None:
    mine.get_by_role("button", name="Withdraw consent").click()
    expect(mine.get_by_role("status")).to_contain_text("saved")
    assert [one["kind"] for one in asked.receipts()] == ["withdrawn", "given"]
    asked.wait_for(asked.is_refused, "the browser keeps it, too")


def test_l17_erasure_leaves_nothing_under_the_id(mine: Page, asked: Visit) -> None:
    decision = asked.decision()
    assert decision is not None
    mine.get_by_role("button", name="Erase …").click()
    mine.get_by_role("button", name="Erase now").click()
    expect(mine.get_by_role("status")).to_contain_text("Erased.")
    assert asked.decision() is None, "the cookie is gone"
    answer = mine.request.get(
        f"{asked.server.url}/w/smilee/decisions",
        headers={"Authorization": f"Bearer {decision.subject_id}"},
    )
    assert answer.status == 404
