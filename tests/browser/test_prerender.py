"""Prerender: a page that the browser prepares ahead has been shown to nobody."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .browsers import Browsers, launch_options
from .own_site import describe_service, publish_site
from .owner_pages import OwnerPages
from .running_server import RunningServer
from .trackers import Trackers

#: Accepts first if it is told to, then has the next page prepared, and opens it when it may.
_START = """<title>Start</title><a href="/next">Next</a><script>
const ask = () => document.querySelector("consent-notice")?.shadowRoot;
const wait = (isThere) => new Promise((done) => {
  const timer = setInterval(async () => (await isThere()) && (clearInterval(timer), done()), 50);
});
addEventListener("load", async () => {
  await wait(ask);
  if (%s) ask().querySelector("[data-consent-action=accept_all]").click();
  await wait(() => !localStorage.length); // the server has the decision
  const rules = document.createElement("script");
  rules.type = "speculationrules";
  rules.text = '{"prerender": [{"urls": ["/next"]}]}';
  document.head.append(rules);
  await wait(async () => (await fetch("/may-open")).ok);
  document.querySelector("a").click();
});
</script>"""
#: Says of itself what it shows and stores, before and after it is opened.
_NEXT = """<title>Next</title>
<img alt="" data-consent="analytics" data-consent-src="https://held.example.com/next.gif">
<script>
const stored = document.cookie + Object.keys(localStorage);
setInterval(() => {
  const isShown = !!document.querySelector("consent-notice");
  const isStored = document.cookie + Object.keys(localStorage) !== stored;
  const words = [document.prerendering ? "prepared" : "opened"];
  if (isShown) words.push("draws");
  if (isStored) words.push("stores");
  fetch("/reports", { method: "POST", body: words.join() });
}, 100);
</script>"""


@pytest.fixture
def open_alone(
    browsers: Browsers, trackers: Trackers, tmp_path: Path
) -> Iterator[Callable[[str], None]]:
    """Opens an address in a Chromium that nobody drives: it prerenders for no other."""
    started: list[subprocess.Popen[bytes]] = []

    def open_address(url: str) -> None:
        options = launch_options("chromium", trackers)
        found = options.get("executable_path") or browsers.playwright.chromium.executable_path
        own = ["--headless=new", f"--user-data-dir={tmp_path}", "--ignore-certificate-errors"]
        command = [str(found), *options["args"], *own, url]
        quiet = subprocess.DEVNULL
        started.append(subprocess.Popen(command, stdout=quiet, stderr=quiet))

    yield open_address
    for browser in started:
        browser.terminate()
        browser.wait(10)
    shutil.rmtree(tmp_path, ignore_errors=True)


def _wait_for(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.02)


@pytest.mark.parametrize("is_granted", [False, True], ids=["undecided", "granted"])
def test_a_prepared_page_draws_stores_and_releases_nothing_until_it_is_opened(
    open_alone: Callable[[str], None],
    owner: OwnerPages,
    server: RunningServer,
    trackers: Trackers,
    is_granted: bool,
) -> None:
    """In Chromium alone: Firefox prepares no pages."""
    site = publish_site(server, owner.url, "prepared", [describe_service("counter", ())])
    tag = f'<!doctype html><html lang="en"><script src="{server.url}/w/{site.key}.js"></script>'
    owner.pages["/"] = (tag + _START % str(is_granted).lower(), {})
    owner.pages["/next"] = (tag + _NEXT, {})
    open_alone(f"{owner.url}/")
    _wait_for(lambda: owner.reports.count("prepared") > 10, "a second goes by")
    assert set(owner.reports) == {"prepared"}
    assert trackers.requests == []
    owner.pages["/may-open"] = ("yes", {})
    if is_granted:
        _wait_for(lambda: len(trackers.requests) == 1, "the picture of the opened page")
        assert trackers.requests[0].path == "/next.gif"
    else:
        _wait_for(lambda: "opened,draws" in owner.reports, "the visitor is asked")
        assert trackers.requests == []


def test_the_modules_of_a_prepared_page_import_nothing_of_a_tracker(
    open_alone: Callable[[str], None],
    owner: OwnerPages,
    server: RunningServer,
    trackers: Trackers,
) -> None:
    counter = describe_service("counter", (), hosts=["held.example.com"])
    site = publish_site(server, owner.url, "prepared-gate", [counter], blocking="gate")
    tag = f'<!doctype html><html lang="en"><script src="{server.url}/w/{site.key}.js"></script>'
    module = 'import "https://held.example.com/module.js";'
    owner.pages["/"] = (tag + _START % "false", {})
    owner.pages["/own.js"] = (module, {"Content-Type": "text/javascript"})
    owner.pages["/next"] = (f'{tag}<script type="module" src="/own.js"></script>{_NEXT}', {})
    open_alone(f"{owner.url}/")
    _wait_for(lambda: owner.reports.count("prepared") > 10, "a second goes by")
    assert trackers.requests == []
