"""Demo pages: what a newcomer sees, without the notice, which has tests of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Page

from .browsers import Browsers
from .running_server import RunningServer
from .sites import SITES
from .trackers import Trackers
from .visit import Visit

ADDRESSES = ("/", *(f"/demo/{key}/{page}" for key in SITES for page in ("", "contact", "privacy")))
_LEAVES_THE_NOTICE_OUT: Any = {"exclude": [["consent-notice"]]}
_SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_and_no_page_scrolls_sideways(
    browsers: Browsers, trackers: Trackers, server: RunningServer, scheme: str, width: int
) -> None:
    context = browsers.new_profile(
        "chromium",
        trackers,
        color_scheme=scheme,
        viewport={"width": width, "height": 800},
        reduced_motion="reduce",
    )
    page = context.new_page()
    for address in ADDRESSES:
        page.goto(server.url + address)
        assert _violations(page) == [], address
        assert page.evaluate(_SIDEWAYS) == 0, address
    context.close()


def test_the_start_page_needs_no_scripting_and_asks_nobody_else(
    browsers: Browsers, trackers: Trackers, server: RunningServer
) -> None:
    context = browsers.new_profile("chromium", trackers, java_script_enabled=False)
    page = context.new_page()
    page.goto(server.url)
    page.get_by_role("link", name="Open Smilee").click()
    assert page.url == f"{server.url}/demo/smilee/"
    assert page.get_by_role("heading", level=1).is_visible()
    assert trackers.seen == []
    assert context.cookies() == []
    context.close()


def test_the_export_command_of_the_start_page_works_as_it_is_printed(
    browsers: Browsers, trackers: Trackers, server: RunningServer
) -> None:
    context = browsers.new_profile("chromium", trackers)
    visit = Visit(context.new_page(), SITES["smilee"], server)
    visit.go()
    visit.wait_for_notice()
    visit.decide("reject_all")
    visit.wait_for_delivery()
    visit.page.goto(server.url)
    command = visit.page.get_by_label("Command that exports the record").inner_text()
    folder = Path(sys.executable).parent
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(
        command, shell=True, check=True, cwd=server.data_dir, env={**os.environ, "PATH": path}
    )
    lines = (server.data_dir / "smilee.jsonl").read_text("utf-8").splitlines()
    recorded = [json.loads(line).get("event_id") for line in lines]
    assert visit.receipts()[0]["event_id"] in recorded
    context.close()


def _violations(page: Page) -> list[tuple[str, list[str]]]:
    found: Any = Axe().run(page, context=_LEAVES_THE_NOTICE_OUT).response["violations"]
    return [(one["id"], [node["html"] for node in one["nodes"]]) for one in found]
