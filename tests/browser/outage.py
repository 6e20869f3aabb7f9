"""Outage: visitors who choose while the server is away, and come again once it is back.

The pages are an owner's own, and are served all the while. The visitor's clock moves on by as much
as the server is away; it is right either when they choose or when they come again.
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import BrowserContext, Page

from .own_site import describe_service, publish_site
from .owner_pages import OwnerPages
from .running_server import RunningServer
from .sites import DemoSite
from .visit import Visit

KEY = "away"
A_DAY = 86_400
#: How long the server is away for a visitor, in seconds.
AWAY = (30, 300, A_DAY)
#: What a visitor chooses: the services that they allow.
CHOICES: dict[str, tuple[str, ...]] = {
    "accept_all": ("stats", "ads"),
    "reject_all": (),
    "save": ("stats",),
}
_CATEGORIES = {"stats": "analytics", "ads": "marketing"}
_DELIVERY_MS = 120_000
_PAGE = """<!doctype html>
<html lang="en"><head><script async src="{script}"></script><meta charset="utf-8">
<title>Shop</title><script>ran = []</script></head><body><main><h1>Shop</h1>{text}</main>{tags}
</body></html>
"""
_TEXT = "<p>What a page has: some words, again and again, so that there is something.</p>" * 40
_TAG = '<script type="text/plain" data-consent="service:{key}">ran.push("{key}")</script>'
#: The clock that tests move takes the page's own `performance` away.
_KEEP_PERFORMANCE = "window.__performance = performance"
_LOADED = """() => {
  const [{ loadEventStart, domContentLoadedEventStart }] =
    window.__performance.getEntriesByType("navigation");
  return [domContentLoadedEventStart, loadEventStart];
}"""


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


@dataclass
class Times:
    """When a page's two events came, in milliseconds, by what was there."""

    ready: dict[str, list[float]] = field(default_factory=dict)
    loaded: dict[str, list[float]] = field(default_factory=dict)

    def note(self, what: str, page: Page) -> None:
        """Take the times of a page that has loaded."""
        ready, loaded = page.evaluate(_LOADED)
        self.ready.setdefault(what, []).append(ready)
        self.loaded.setdefault(what, []).append(loaded)


@dataclass
class Visitor:
    """One person with a browser of their own; the number says what they do."""

    number: int
    context: BrowserContext
    site: DemoSite
    server: RunningServer
    address: str
    times: Times
    #: Whether the server is there all the while: a visitor to compare with.
    is_served: bool = False
    #: What waited in the browser's storage after the choice.
    message: dict[str, Any] = field(default_factory=dict)
    #: By this machine's clock.
    arrived: dt.datetime = field(default_factory=_now)
    left: dt.datetime = field(default_factory=_now)

    @property
    def away(self) -> int:
        """For how many seconds the server is away."""
        return AWAY[self.number % len(AWAY)]

    @property
    def method(self) -> str:
        """What they choose."""
        return list(CHOICES)[(self.number + self.number // len(AWAY)) % len(CHOICES)]

    @property
    def allowed(self) -> list[str]:
        """The services that they allow, in the order of the page."""
        return list(CHOICES[self.method])

    @property
    def keeps_tab(self) -> bool:
        """Whether the page on which they chose stays open: two tabs then have the same to send."""
        return self.number % 2 == 1

    @property
    def is_late(self) -> bool:
        """Whether their clock is right when they choose, and ahead when they come again."""
        return self.number // 2 % 2 == 1

    @property
    def grants(self) -> dict[str, bool]:
        """Everything that they said."""
        said = {key: key in self.allowed for key in _CATEGORIES}
        return said | {_CATEGORIES[key]: allowed for key, allowed in said.items()}

    def arrive(self) -> None:
        """Open the first page, and be asked."""
        early = dt.timedelta(seconds=0 if self.is_late else self.away)
        self.context.add_init_script(_KEEP_PERFORMANCE)
        self.context.clock.install(time=self.arrived - early)
        self._open(self.context.new_page()).wait_for_notice()

    def choose(self) -> None:
        """Choose: that holds at once, and without the server it waits to be sent."""
        first = Visit(self.context.pages[0], self.site, self.server)
        before = first.page.evaluate("() => Date.now()")
        if self.method == "save":
            first.open_preferences()
            first.toggle_service("stats")
        first.decide(self.method)
        self._holds(first)
        if not self.is_served:
            self._take_message(first, before)

    def _take_message(self, first: Visit, before: int) -> None:
        """Look at what waits: one decision, of the moment in which it was made."""
        [self.message] = json.loads(
            first.page.evaluate("key => localStorage.getItem(key)", self.site.outbox_key)
        )
        after = first.page.evaluate("() => Date.now()")
        decided = dt.datetime.fromisoformat(self.message["decided_at"]).timestamp() * 1000
        assert before <= decided <= after
        assert (self.message["method"], self.message["grants"]) == (self.method, self.grants)

    def go_on(self) -> None:
        """See another page while the script is still in the browser's memory."""
        second = self._open(self.context.new_page() if self.keeps_tab else self._tab)
        if not self.keeps_tab:  # a new tab takes longer by itself
            self._note("kept", second)
        self._holds(second)

    def pass_time(self) -> None:
        """Let the visitor's clock move on; after a day the browser has the script no more."""
        self.context.clock.fast_forward(self.away * 1000)
        if self._loses_script:
            self._lose_script()
            third = self._open(self._tab)
            self._note("gone", third)
            if self.is_served:
                self._holds(third)
                return
            assert third.page.locator("h1").is_visible()
            assert third.page.evaluate("() => [ran, typeof window.consent]") == [[], "undefined"]

    def come_again(self) -> None:
        """Visit once it is back: what waited is sent, and nobody is asked again."""
        again = self._open(self._tab)
        self._holds(again)
        again.page.wait_for_function(
            "key => localStorage.getItem(key) === null",
            arg=self.site.outbox_key,
            timeout=_DELIVERY_MS,
        )
        assert not again.notice_is_shown
        for page in self.context.pages:
            assert page.evaluate("() => ran") == self.allowed
        self.left = _now()
        self.context.close()

    def _note(self, script: str, visit: Visit) -> None:
        where = "there" if self.is_served else "away"
        self.times.note(f"{where}, script {script}", visit.page)

    @property
    def _loses_script(self) -> bool:
        browser = self.context.browser
        chromium = browser is not None and browser.browser_type.name == "chromium"
        return chromium and self.away == A_DAY  # only there can it be taken away

    def _lose_script(self) -> None:
        self.context.new_cdp_session(self._tab).send("Network.clearBrowserCache")

    @property
    def _tab(self) -> Page:
        return self.context.pages[-1]

    def _open(self, tab: Page) -> Visit:
        tab.goto(self.address)
        return Visit(tab, self.site, self.server)

    def _holds(self, visit: Visit) -> None:
        """What they allowed runs, nothing else does, and the browser keeps both."""
        visit.page.wait_for_function("many => ran.length >= many", arg=len(self.allowed))
        assert visit.page.evaluate("() => ran") == self.allowed
        decision = visit.decision()
        assert decision is not None
        assert decision.grants == self.grants
        assert not visit.notice_is_shown


def publish_page(server: RunningServer, owner: OwnerPages) -> DemoSite:
    """Publish the site of the page that every visitor sees."""
    tags = "".join(_TAG.format(key=key) for key in _CATEGORIES)
    script = f"{server.url}/w/{KEY}.js"
    owner.pages["/"] = (_PAGE.format(script=script, text=_TEXT, tags=tags), {})
    return publish_site(
        server,
        owner.url,
        KEY,
        [
            describe_service(key, (("cookie", f"_{key}"),), category=category)
            for key, category in _CATEGORIES.items()
        ],
        categories=[{"key": category} for category in _CATEGORIES.values()],
    )
