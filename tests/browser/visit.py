"""A visit: what a visitor does with the notice, and what the browser holds afterwards."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from playwright.sync_api import Locator, Page, Route

from .running_server import RunningServer
from .sites import DemoSite
from .trackers import Seen, Trackers

_STORAGE = """async () => ({
  local_storage: Object.keys(localStorage),
  session_storage: Object.keys(sessionStorage),
  indexed_db: (await indexedDB.databases()).map((one) => one.name),
  cache_storage: 'caches' in window ? await caches.keys() : [],
})"""


@dataclass(frozen=True)
class DecisionCookie:
    """Our own cookie, taken apart."""

    version: int
    subject_id: str
    grants: dict[str, bool]
    signal: str = ""


@dataclass
class Visit:
    """One tab on one demo site."""

    page: Page
    site: DemoSite
    server: RunningServer

    def go(self, name: str = "") -> None:
        """Open a page of the site: "" home, "contact", "privacy", "record"."""
        self.page.goto(self.address(name))

    def address(self, name: str = "") -> str:
        """Full address of a page of the site."""
        return f"{self.server.url}/demo/{self.site.key}/{name}"

    @property
    def notice(self) -> Locator:
        """First layer."""
        return self.page.locator("consent-notice section[role=dialog]")

    @property
    def preferences(self) -> Locator:
        """Second layer, in front of everything while it is open."""
        return self.page.locator("consent-notice dialog")

    def button(self, action: str) -> Locator:
        """The button with that action in the layer that is in front."""
        layer = self.preferences if self.preferences.count() else self.notice
        return layer.locator(f'button[data-consent-action="{action}"]').last

    def choose(self, action: str) -> None:
        """Click it as a visitor would."""
        self.button(action).click()

    def wait_for_notice(self) -> None:
        """Until the visitor is asked."""
        self.notice.wait_for(state="visible")

    @property
    def notice_is_shown(self) -> bool:
        """Whether the visitor is being asked."""
        return self.notice.is_visible()

    def decide(self, action: str) -> None:
        """Answer, and see both layers go."""
        self.choose(action)
        self.preferences.wait_for(state="detached")
        self.notice.wait_for(state="detached")

    def wait_for_delivery(self) -> None:
        """Until the server has confirmed every decision of this browser."""
        self.page.wait_for_function(
            "key => localStorage.getItem(key) === null", arg=self.site.outbox_key
        )

    def open_preferences(self) -> None:
        """From the notice, one click."""
        self.choose("settings")
        self.preferences.wait_for(state="visible")

    def reopen_preferences(self) -> None:
        """After a decision, one click: the owner's own link, or the round button."""
        own = self.page.locator("[data-consent-open]:visible")
        entry = self.page.locator("consent-notice > button[data-consent-action=settings]")
        (own.first if own.count() else entry).click()
        self.preferences.wait_for(state="visible")

    def open_every_detail(self) -> None:
        """Open the list of services of each category."""
        for summary in self.preferences.locator("details:not([open]) > summary").all()[::-1]:
            summary.click()

    def toggle_service(self, key: str) -> None:
        """Move the switch of one service, its list opened first."""
        switch = self.preferences.locator(f"#switch-{key}")
        if not switch.is_visible():
            self.preferences.locator(f"details:has(#switch-{key}) > summary").click()
        switch.click()

    def placeholder_of(self, key: str) -> Locator:
        """What stands in the place of a held embed of that service."""
        held = f"[data-consent~='service:{key}']"
        return self.page.locator(f"consent-placeholder:has(+ {held})").first

    def cookies(self) -> dict[str, str]:
        """Every cookie that the browser keeps, of any host."""
        cookies = self.page.context.cookies()
        return {cookie.get("name", ""): cookie.get("value", "") for cookie in cookies}

    def storage(self) -> dict[str, list[str]]:
        """Names of everything that the page's origin keeps, cookies apart."""
        found: dict[str, list[str]] = self.page.evaluate(_STORAGE)
        return {kind: sorted(names) for kind, names in found.items() if names}

    def decision(self) -> DecisionCookie | None:
        """The decision as the browser keeps it."""
        value = self.cookies().get(self.site.cookie_name)
        if value is None:
            return None
        leading, version, _decided_at, subject_id, rest = value.split(".", 4)
        assert leading == "1"
        keys, _, signal = rest.partition(".")
        grants = {key.removeprefix("!"): not key.startswith("!") for key in keys.split("~")}
        return DecisionCookie(int(version), subject_id, grants, signal)

    def is_refused(self) -> bool:
        """Whether the browser keeps a decision that allows nothing."""
        decision = self.decision()
        return decision is not None and not any(decision.grants.values())

    def first_party_names(self) -> set[str]:
        """Names of the cookies of the page's own host."""
        cookies = self.page.context.cookies(self.server.url)
        return {cookie.get("name", "") for cookie in cookies}

    def receipts(self) -> list[dict[str, Any]]:
        """The visitor's own records as the server gives them back, newest first; perhaps none."""
        decision = self.decision()
        assert decision is not None
        request = urllib.request.Request(
            f"{self.server.url}/w/{self.site.key}/decisions",
            headers={"Authorization": f"Bearer {decision.subject_id}"},
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                records: list[dict[str, Any]] = json.load(answer)["decisions"]
        except urllib.error.HTTPError as error:
            if error.code != HTTPStatus.NOT_FOUND:
                raise
            return []
        return records

    def wait_for(self, condition: Callable[[], bool], what: str, seconds: float = 30) -> None:
        """Until the condition holds; the page keeps running meanwhile."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"never: {what}"
            self.page.wait_for_timeout(25)


def watch_silence(page: Page, trackers: Trackers, seconds: float) -> None:
    """Fail as soon as anything reaches a tracker within that time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert [(one.method, one.full_url) for one in trackers.seen] == []
        page.wait_for_timeout(50)


def wait_until_settled(page: Page, trackers: Trackers, quiet: float = 0.6) -> list[Seen]:
    """Everything that the trackers got, once nothing new has come for a while."""
    last_count, since = -1, time.monotonic()
    while time.monotonic() - since < quiet:
        count = len(trackers.seen)
        if count != last_count:
            last_count, since = count, time.monotonic()
        page.wait_for_timeout(50)
    return trackers.requests


def serve_in_language(page: Page, address: str, language: str, direction: str = "ltr") -> None:
    """Let the document arrive with another <html lang>; everything else stays as served."""

    def rewrite(route: Route) -> None:
        answer = route.fetch()
        head, tag, rest = answer.text().partition("<html")
        attributes, end, body = rest.partition(">")
        kept = [word for word in attributes.split() if not word.startswith(("lang=", "dir="))]
        opened = " ".join(["", f'lang="{language}" dir="{direction}"', *kept])
        route.fulfill(response=answer, body=f"{head}{tag}{opened}{end}{body}")

    page.route(address, rewrite)
