"""INP of Accept, Reject and Save beside a notice written by hand, on a processor slowed four times.

`python -m tests.bench.inp [ROUNDS]` prints the medians and their ratio. The two pages are measured
in turn, each time by a fresh visitor: what else the machine does meets both alike. Interaction to
Next Paint is what the browser's own Event Timing says (W3C), from the press to the next picture.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import tomli_w
from playwright.sync_api import Page, sync_playwright

from tests.browser.browsers import Browsers
from tests.browser.owner_pages import OwnerPages, running_owner_pages
from tests.browser.running_server import RunningServer
from tests.browser.sites import SITES
from tests.browser.tracker_answers import Answer
from tests.browser.trackers import Trackers

ACTIONS = ("accept_all", "reject_all", "save")
WIDGET, BY_HAND = "widget", "by hand"
SLOWED = 4  # times
#: The least that Event Timing reports; a faster interaction counts as this.
LEAST_MS = 16.0

_KEY = "inp"
_HELD = "https://held.example.com"
_SERVICES = {
    "smilee-chat": "functional",
    "google-analytics": "analytics",
    "mailchimp": "marketing",
    "linkedin-insight": "marketing",
    "meta-pixel": "marketing",
}
_PAGE = """<!doctype html>
<html lang="en"><head><script async src="{script}"></script><meta charset="utf-8">
<title>Shop</title></head><body><main><h1>Shop</h1>{text}</main>{tags}</body></html>
"""
_TEXT = (
    "<p>What a page has: some words, again and again, so that there is something to draw.</p>" * 40
)
_WATCH = """() => {
  window.__longest = 0;
  new PerformanceObserver((list) => {
    for (const { interactionId, duration } of list.getEntries())
      if (interactionId) window.__longest = Math.max(window.__longest, duration);
  }).observe({ type: 'event', durationThreshold: 16 });
}"""

Measured = dict[str, dict[str, list[float]]]


@dataclass(frozen=True)
class Bench:
    """The two pages and the browser that opens them."""

    browsers: Browsers
    trackers: Trackers
    addresses: dict[str, str]

    def measure(self, which: str, action: str) -> float:
        """Milliseconds from the press to the next picture, for a fresh visitor."""
        context = self.browsers.new_profile("chromium", self.trackers)
        try:
            return _press(context.new_page(), self.addresses[which], action)
        finally:
            context.close()

    def run(self, rounds: int) -> Measured:
        """Every action on both pages in turn, so many times."""
        found: Measured = {action: {WIDGET: [], BY_HAND: []} for action in ACTIONS}
        for number in range(rounds):
            for action, times in found.items():
                for which in sorted(times, reverse=bool(number % 2)):
                    times[which].append(self.measure(which, action))
        return found


def ratio(times: dict[str, list[float]]) -> float:
    """How many times as long the widget takes as the notice by hand, by the medians."""
    return statistics.median(times[WIDGET]) / statistics.median(times[BY_HAND])


@contextmanager
def prepared(server: RunningServer, browsers: Browsers, trackers: Trackers) -> Iterator[Bench]:
    """Publish the Smilee site for both pages and serve them."""
    trackers.answers = {
        _HELD: Answer(200, "text/javascript", b"window.ran = (window.ran || 0) + 1")
    }
    with running_owner_pages() as owner:
        form = {**SITES["smilee"].file, "key": _KEY, "origins": [owner.url]}
        file = Path(server.data_dir, f"{_KEY}.toml")
        file.write_text(tomli_w.dumps(form), "utf-8")
        server.publish(file)
        addresses = {
            WIDGET: _serve(
                owner,
                f"{server.url}/w/{_KEY}.js",
                'data-consent="service:{key}" data-consent-src="{address}"',
            ),
            BY_HAND: _serve(owner, "/mini.js", 'data-category="{category}" data-src="{address}"'),
        }
        script = Path(__file__).with_name("mini.js").read_text("utf-8")
        owner.pages["/mini.js"] = (script, {"Content-Type": "text/javascript"})
        yield Bench(browsers, trackers, addresses)


def _serve(owner: OwnerPages, script: str, mark: str) -> str:
    tags = "".join(
        f'<script type="text/plain" '
        f"{mark.format(key=key, category=category, address=f'{_HELD}/{key}.js')}></script>"
        for key, category in _SERVICES.items()
    )
    path = f"/{len(owner.pages)}"
    owner.pages[path] = (_PAGE.format(script=script, text=_TEXT, tags=tags), {})
    return f"{owner.url}{path}"


def _press(page: Page, address: str, action: str) -> float:
    page.goto(address)
    button = page.locator(f"consent-notice button[data-consent-action={action}]").last
    page.locator("consent-notice section[role=dialog]").wait_for(state="visible")
    if action == "save":
        page.locator("consent-notice button[data-consent-action=settings]").last.click()
    box = button.bounding_box()
    assert box is not None
    session = page.context.new_cdp_session(page)
    session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWED})
    page.wait_for_timeout(300)  # what the page did before is over
    page.evaluate(_WATCH)
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_timeout(100)
    page.mouse.down()
    page.mouse.up()
    page.locator("consent-notice section[role=dialog]").wait_for(state="detached")
    granted = action == "accept_all"
    page.wait_for_function("all => (window.ran || 0) === all", arg=len(_SERVICES) * granted)
    page.wait_for_timeout(200)  # entries are told after the picture
    return max(float(page.evaluate("window.__longest")), LEAST_MS)


def main(rounds: int) -> None:
    """Measure and print."""
    with (
        tempfile.TemporaryDirectory() as data,
        Trackers() as trackers,
        sync_playwright() as playwright,
    ):
        server = RunningServer(Path(data), settings={"CONSENT_DECISIONS_PER_MINUTE": "1000"})
        server.start()
        browsers = Browsers(playwright, trackers)
        try:
            with prepared(server, browsers, trackers) as bench:
                found = bench.run(rounds)
        finally:
            browsers.close()
            server.stop()
    sys.stdout.write(f"INP at CPU x{SLOWED}, medians of {rounds} runs each, side by side\n")
    for action, times in found.items():
        ours, by_hand = (statistics.median(times[which]) for which in (WIDGET, BY_HAND))
        sys.stdout.write(
            f"{action:10}  {ours:4.0f} ms, by hand {by_hand:4.0f} ms: {ratio(times):.2f} times\n"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 15)
