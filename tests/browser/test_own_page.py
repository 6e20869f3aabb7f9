"""Own page: seen, changed, taken away and erased by a browser that runs no script."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import BrowserContext, Page, expect

from .conftest import NewProfile
from .own_site import describe_service, publish_site
from .owner_pages import OwnerPages
from .running_server import RunningServer
from .sites import SITES
from .visit import Visit

SMILEE = SITES["smilee"]


@pytest.fixture(params=["chromium"])
def browser_name(request: pytest.FixtureRequest) -> str:
    """Plain forms: one browser is enough."""
    name: str = request.param
    return name


@pytest.fixture
def visit(new_profile: NewProfile, server: RunningServer) -> Visit:
    """A visitor who allowed Google Analytics."""
    visit = Visit(new_profile().new_page(), SMILEE, server)
    visit.go()
    visit.wait_for_notice()
    visit.open_preferences()
    visit.toggle_service("google-analytics")
    visit.decide("save")
    visit.wait_for_delivery()
    return visit


def _take_over(visit: Visit, context: BrowserContext) -> None:
    """Give another browser the cookies of this one."""
    cookies: Any = visit.page.context.cookies()
    context.clear_cookies()
    context.add_cookies(cookies)


@pytest.fixture
def plain(visit: Visit, new_profile: NewProfile) -> Page:
    """The same visitor's own page, in a browser without script."""
    context = new_profile(java_script_enabled=False, viewport={"width": 320, "height": 700})
    _take_over(visit, context)
    page = context.new_page()
    page.goto(f"{visit.server.url}/w/smilee/me?language=en")
    return page


def _status(page: Page, text: str) -> None:
    expect(page.get_by_role("status")).to_contain_text(text)


def test_a_change_without_script_holds_on_the_site(visit: Visit, plain: Page) -> None:
    box = plain.get_by_role("checkbox", name="Smilee chat")
    assert plain.get_by_role("checkbox", name="Google Analytics").is_checked()
    assert not box.is_checked()
    box.check()
    plain.get_by_role("checkbox", name="Google Analytics").uncheck()
    plain.get_by_role("button", name="Save my choices").click()
    _status(plain, "Your choice is saved. It holds in this browser")
    plain.reload()
    _status(plain, "Your choice is saved.")
    assert [one["layer"] for one in visit.receipts()] == ["page", "preferences"]

    cookies: Any = plain.context.cookies()
    visit.page.context.clear_cookies()
    visit.page.context.add_cookies(cookies)
    visit.go()
    assert visit.page.evaluate("consent.decided") is True
    assert visit.page.evaluate("consent.grants['smilee-chat']") is True
    assert visit.page.evaluate("consent.grants['google-analytics']") is False


def test_a_withdrawal_without_script_is_one_click(visit: Visit, plain: Page) -> None:
    plain.get_by_role("button", name="Withdraw consent").click()
    _status(plain, "Your choice is saved.")
    assert visit.receipts()[0]["kind"] == "withdrawn"
    assert plain.get_by_role("button", name="Withdraw consent").count() == 0
    assert not plain.locator("input[type=checkbox]:checked").count()


def test_records_and_receipt_are_taken_away_as_files(
    visit: Visit, plain: Page, tmp_path: Path
) -> None:
    with plain.expect_download() as records:
        plain.get_by_role("button", name="Download all records").click()
    assert records.value.suggested_filename == "smilee-records.json"
    body = json.loads(Path(records.value.path()).read_text("utf-8"))
    assert [one["receipt"] for one in body["records"]] == visit.receipts()
    with plain.expect_download() as receipt:
        plain.get_by_role("button", name="Receipt of").click()
    file = tmp_path / "receipt.html"
    receipt.value.save_as(file)
    plain.goto(file.as_uri())
    assert plain.get_by_role("heading", level=1).is_visible()
    assert visit.receipts()[0]["leaf_hash"] in plain.locator("body").inner_text()


def test_erasing_without_script_asks_first_and_is_asked_anew(visit: Visit, plain: Page) -> None:
    subject = (decision := visit.decision()) and decision.subject_id
    assert subject
    plain.get_by_role("button", name="Erase …").click()
    plain.get_by_role("button", name="Keep my records").click()
    assert plain.get_by_role("heading", name="What holds now").is_visible()
    plain.get_by_role("button", name="Erase …").click()
    plain.get_by_role("button", name="Erase now").click()
    _status(plain, "Erased.")
    assert SMILEE.cookie_name not in {one.get("name") for one in plain.context.cookies()}
    plain.get_by_label("Id (32 characters)").fill(subject)
    plain.get_by_role("button", name="Show my record").click()
    _status(plain, "Nothing is recorded under this id.")


def test_the_widgets_link_leads_there_from_another_host_and_sends_the_id_in_no_address(
    page: Page, server: RunningServer, owner: OwnerPages
) -> None:
    home = f"http://localhost:{owner.port}"
    site = publish_site(server, home, "afar", [describe_service("counter", ())])
    tag = f'<script src="{server.url}/w/{site.key}.js"></script>'
    owner.pages["/"] = (f'<!doctype html><html lang="en">{tag}<title>Shop</title>', {})
    visit = Visit(page, site, server)
    page.goto(f"{home}/")
    visit.wait_for_notice()
    visit.decide("accept_all")
    visit.wait_for_delivery()
    decision = visit.decision()
    assert decision is not None
    asked: list[str] = []
    page.context.on("request", lambda request: asked.append(request.url))
    visit.reopen_preferences()
    with page.expect_popup() as opened:
        visit.preferences.get_by_role("link", name="My record").click()
    mine = opened.value
    mine.get_by_role("heading", name="What holds now").wait_for()
    assert "Counter" in mine.locator("body").inner_text()
    assert decision.subject_id not in mine.url
    assert not [one for one in asked if decision.subject_id in one.partition("#")[0]]
    assert "this page cannot change that copy" in mine.locator("body").inner_text()
    with page.expect_popup() as opened:
        visit.preferences.get_by_role("link", name=str(decision.version), exact=True).click()
    opened.value.get_by_role("heading", name=f"Version {decision.version}").wait_for()
    assert opened.value.url == f"{server.url}/w/{site.key}/versions/{decision.version}?language=en"


@pytest.mark.parametrize(
    ("language", "scheme", "width"),
    [("en", "light", 1280), ("fi", "dark", 320), ("sv", "light", 320)],
)
def test_axe_finds_nothing_on_any_of_these_pages_and_none_is_wider_than_the_screen(
    visit: Visit, new_profile: NewProfile, language: str, scheme: str, width: int
) -> None:
    context = new_profile(color_scheme=scheme, viewport={"width": width, "height": 700})
    page, root = context.new_page(), f"{visit.server.url}/w/smilee"
    pages = [f"{root}/me", f"{root}/versions", f"{root}/versions/1"]
    for address in pages:
        page.goto(f"{address}?language={language}")
        _check(page, width)
    _take_over(visit, context)
    page.goto(f"{root}/me?language={language}")
    _check(page, width)
    page.locator("form:has(input[value=erase]) button").click()
    page.locator("input[value=erase_now]").wait_for(state="attached")
    _check(page, width)


def _check(page: Page, width: int) -> None:
    found: Any = Axe().run(page).response["violations"]
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
