"""Tabs: a fresh visitor of Chromium or Firefox, as the matrix drives it."""

from __future__ import annotations

import contextlib
from typing import Any, Protocol

from playwright.async_api import Browser, ConsoleMessage, Error, Page

from ..trackers import Trackers

#: Names of everything that the page's origin keeps, cookies apart.
STORAGE = """async () => [
  ...Object.keys(localStorage).map((name) => 'local:' + name),
  ...Object.keys(sessionStorage).map((name) => 'session:' + name),
  ...(await indexedDB.databases()).map(({ name }) => 'indexed:' + name),
  ...('caches' in window ? await caches.keys() : []).map((name) => 'cache:' + name),
]"""
_WAIT = 20_000  # ms
_TRIES = 2


class VisitorLost(RuntimeError):
    """The browser is gone, or answers no more; what it showed until then says nothing."""


class Tab(Protocol):
    """What a case needs of a browser, whichever it is."""

    async def go(self, url: str) -> None:
        """Open a page and wait until it is loaded."""

    async def run(self, function: str) -> Any:
        """What a function answers in the page."""

    async def press(self, selector: str) -> None:
        """Click as a visitor would."""

    async def said(self) -> list[str]:
        """What code said since the last time."""

    async def stored(self) -> list[str]:
        """Names of cookies and storage items of the page's own origin."""

    async def close(self) -> None:
        """End the visitor's session."""


class PlaywrightTab:
    """A page in a context of its own."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._said: list[str] = []
        page.on("console", self._listen)

    @classmethod
    async def open(cls, browser: Browser, trackers: Trackers) -> PlaywrightTab:
        """A fresh visitor whose traffic goes to these trackers."""
        proxy: Any = {
            "server": f"http://127.0.0.1:{trackers.proxy_port}",
            "bypass": "127.0.0.1,localhost",
        }
        context = await browser.new_context(ignore_https_errors=True, proxy=proxy)
        context.set_default_timeout(_WAIT)
        return cls(await context.new_page())

    def _listen(self, message: ConsoleMessage) -> None:
        if message.text.startswith(("ran ", "mark ")):
            self._said.append(message.text)

    async def go(self, url: str) -> None:
        """Open a page; one that never finishes loading is looked at all the same."""
        with contextlib.suppress(Error):
            await self._page.goto(url, wait_until="load")

    async def run(self, function: str) -> Any:
        """What a function answers in the page, also where a page is just being loaded again."""
        for _ in range(_TRIES):
            try:
                return await self._page.evaluate(function)
            except Error as error:
                if "context was destroyed" not in error.message:
                    raise
                await self._page.wait_for_load_state()
        return await self._page.evaluate(function)

    async def press(self, selector: str) -> None:
        """Click as a visitor would."""
        await self._page.click(selector, no_wait_after=True)

    async def said(self) -> list[str]:
        """What code said since the last time."""
        said, self._said = self._said, []
        return said

    async def stored(self) -> list[str]:
        """Names of cookies and storage items of the page's own origin."""
        cookies = await self._page.context.cookies(self._page.url)
        names = [f"cookie:{one.get('name', '')}" for one in cookies]
        return [*names, *await self.run(STORAGE)]

    async def close(self) -> None:
        """End the visitor's session."""
        await self._page.context.close()
