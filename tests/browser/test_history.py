"""History: pages that come back from the browser's memory follow what was decided meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import BrowserContext, Page

from .browsers import Browsers, launch_options
from .own_site import describe_service, publish_site
from .owner_pages import OwnerPages
from .running_server import RunningServer
from .trackers import Trackers
from .visit import Visit, wait_until_settled, watch_silence

_PICTURE = (
    '<img alt="" data-consent="analytics" data-consent-src="https://held.example.com/{}.gif">'
)
_SCRIPT = (
    '<script type="text/plain" data-consent="analytics" '
    'data-consent-src="https://held.example.com/{}.js"></script>'
)

_WALKS = 4
#: A page that comes back is out of reach for what drives the browser: it tells what it shows.
_REPORT = """<script>
addEventListener("pageshow", ({ persisted }) => {
  const tell = (what) => navigator.sendBeacon("/reports", what);
  if (!persisted) return void tell("loaded anew");
  tell("came back");
  const isAsked = () =>
    document.querySelector("consent-notice")?.shadowRoot.querySelector("section[role=dialog]");
  setInterval(() => tell(isAsked() ? "asks" : "asks nothing"), 100);
});
</script>"""


@pytest.fixture
def page(browsers: Browsers, browser_name: str, trackers: Trackers) -> Iterator[Page]:
    """A tab whose pages stay in memory when they are left: a driven browser drops them."""
    options = launch_options(browser_name, trackers)
    if browser_name == "chromium":
        options["ignore_default_args"] = ["--disable-back-forward-cache"]
    else:
        options["firefox_user_prefs"]["browser.sessionhistory.max_total_viewers"] = 8
        options["firefox_user_prefs"]["fission.bfcacheInParent"] = True
    browser = getattr(browsers.playwright, browser_name).launch(**options)
    context: BrowserContext = browser.new_context(ignore_https_errors=True)
    context.set_default_timeout(20_000)
    yield context.new_page()
    browser.close()


def _publish(page: Page, owner: OwnerPages, server: RunningServer, held: str) -> Visit:
    site = publish_site(server, owner.url, "returned", [describe_service("counter", ())])
    tag = f'<script src="{server.url}/w/{site.key}.js"></script>'
    for name in ("one", "two"):
        body = f"<title>{name}</title><main>{held.format(name)}</main>"
        head = f'<!doctype html><html lang="en">{tag}{_REPORT}'
        owner.pages[f"/{name}"] = (head + body, {})
    return Visit(page, site, server)


def _walk_and_go_back(
    walk: Callable[[], object], page: Page, owner: OwnerPages, trackers: Trackers
) -> None:
    """Go back to a page that the browser kept; a busy one drops it now and then."""
    for _ in range(_WALKS):
        walk()
        owner.reports.clear()
        page.evaluate("setTimeout(() => history.back())")
        _wait_for(lambda: bool(owner.reports), "the page before")
        if owner.reports[0] == "came back":
            return
        page.wait_for_load_state()
        page.evaluate("localStorage.clear()")
        page.context.clear_cookies()
        trackers.clear()
    pytest.fail("the page never came out of the browser's memory")


def _wait_for(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 15
    while not condition():
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.02)


def _asked(trackers: Trackers) -> list[str]:
    return [one.path for one in trackers.requests]


def test_a_page_that_comes_back_releases_what_was_granted_after_it(
    page: Page, owner: OwnerPages, server: RunningServer, trackers: Trackers
) -> None:
    visit = _publish(page, owner, server, _PICTURE)

    def walk() -> None:
        page.goto(f"{owner.url}/one")
        visit.wait_for_notice()
        page.goto(f"{owner.url}/two")
        visit.wait_for_notice()
        visit.decide("accept_all")
        visit.wait_for(lambda: _asked(trackers) == ["/two.gif"], "the picture of the second page")

    _walk_and_go_back(walk, page, owner, trackers)
    _wait_for(lambda: _asked(trackers) == ["/two.gif", "/one.gif"], "the picture of the first")
    _wait_for(lambda: owner.reports[-1] == "asks nothing", "the notice goes")


def test_a_page_that_comes_back_does_not_ask_again_what_was_refused_after_it(
    page: Page, owner: OwnerPages, server: RunningServer, trackers: Trackers
) -> None:
    visit = _publish(page, owner, server, _PICTURE)

    def walk() -> None:
        page.goto(f"{owner.url}/one")
        visit.wait_for_notice()
        page.goto(f"{owner.url}/two")
        visit.wait_for_notice()
        visit.decide("reject_all")

    _walk_and_go_back(walk, page, owner, trackers)
    _wait_for(lambda: owner.reports[-1] == "asks nothing", "the notice goes")
    _wait_for(lambda: owner.reports.count("asks nothing") > 10, "a second goes by")
    assert trackers.requests == []


def test_a_script_stops_that_comes_back_with_its_page_after_a_withdrawal(
    page: Page, owner: OwnerPages, server: RunningServer, trackers: Trackers
) -> None:
    visit = _publish(page, owner, server, _SCRIPT)

    def walk() -> None:
        page.goto(f"{owner.url}/one")
        visit.wait_for_notice()
        visit.decide("accept_all")
        page.wait_for_function("window.__ran?.length === 1")
        page.evaluate(
            "addEventListener('pageshow', () => "
            "setInterval(() => fetch('https://held.example.com/beat'), 50))"
        )
        # Chromium does not keep a page in memory that still waits for an answer.
        visit.wait_for_delivery()
        page.goto(f"{owner.url}/two")
        page.wait_for_function("window.__ran?.length === 1")
        visit.reopen_preferences()
        visit.choose("withdraw")
        page.wait_for_function("window.__ran === undefined && document.readyState === 'complete'")

    _walk_and_go_back(walk, page, owner, trackers)
    page.wait_for_function("window.__ran === undefined && document.readyState === 'complete'")
    wait_until_settled(page, trackers)
    trackers.clear()
    watch_silence(page, trackers, 1.0)
    assert not visit.notice_is_shown
