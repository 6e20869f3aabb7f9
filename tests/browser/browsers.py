"""Browsers: how Chromium and Firefox are found, launched and sent through the tracker stand-in."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, BrowserType, Playwright

from .trackers import Trackers

BROWSER_NAMES = ("chromium", "firefox")

_CHROMIUM_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",  # QUIC would pass by the proxy
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-features="
    "AutofillServerCommunication,"  # a form on a page makes it ask Google
    # Pages of the browser's own, that nobody sees: half of the processes of each new visitor.
    "WebUIOmniboxAimPopup,WebUIOmniboxPopup",
)

# Playwright sends loopback through the proxy unless told otherwise.
_BYPASS = "127.0.0.1,localhost"


@dataclass
class Browsers:
    """The browsers of one test process: launched when first asked for, then kept."""

    playwright: Playwright
    sink: Trackers  # takes the calls that the browsers make outside of any page
    _launched: dict[tuple[str, bool], Browser] = field(default_factory=dict)

    def launched(self, name: str, dark: bool = False) -> Browser:
        """The running browser of that name."""
        # Firefox has no colour scheme per context (WebDriver BiDi): dark is a browser of its own.
        key = (name, dark and name == "firefox")
        if key not in self._launched:
            options = launch_options(name, self.sink, dark=key[1])
            self._launched[key] = self._type(name).launch(**options)
        return self._launched[key]

    def new_profile(self, name: str, trackers: Trackers, **options: Any) -> BrowserContext:
        """A fresh visitor whose traffic goes to these trackers."""
        dark = options.get("color_scheme") == "dark"
        proxy: Any = {"server": f"http://127.0.0.1:{trackers.proxy_port}", "bypass": _BYPASS}
        return self.launched(name, dark).new_context(
            ignore_https_errors=True, proxy=proxy, **options
        )

    def open_profile(self, name: str, trackers: Trackers, folder: Path) -> BrowserContext:
        """A browser of its own on a profile folder: closing and opening again is a restart."""
        options = launch_options(name, trackers)
        return self._type(name).launch_persistent_context(
            folder, ignore_https_errors=True, **options
        )

    def close(self) -> None:
        """End what was launched."""
        for browser in self._launched.values():
            browser.close()

    def _type(self, name: str) -> BrowserType:
        found: BrowserType = getattr(self.playwright, name)
        return found


def launch_options(name: str, trackers: Trackers, dark: bool = False) -> dict[str, Any]:
    """What a browser of that name is launched with."""
    if name == "chromium":
        proxy = f"--proxy-server=http://127.0.0.1:{trackers.proxy_port}"
        chromium: dict[str, Any] = {"args": [*_CHROMIUM_ARGUMENTS, proxy]}
        found = _on_path("chromium", "chromium-browser", "google-chrome")
        return {**chromium, "executable_path": found} if found else chromium
    firefox: dict[str, Any] = {"firefox_user_prefs": _firefox_preferences(trackers, dark)}
    found = _on_path("firefox-esr", "firefox")
    # An unpatched Firefox is driven through WebDriver BiDi: that is what the channel says.
    return {**firefox, "channel": "moz-firefox", "executable_path": found} if found else firefox


def _firefox_preferences(trackers: Trackers, dark: bool) -> dict[str, str | float | bool]:
    # Playwright's proxy option does not reach persistent profiles over WebDriver BiDi.
    preferences: dict[str, str | float | bool] = {
        "network.proxy.type": 1,
        "network.proxy.http": "127.0.0.1",
        "network.proxy.http_port": trackers.proxy_port,
        "network.proxy.ssl": "127.0.0.1",
        "network.proxy.ssl_port": trackers.proxy_port,
        "network.proxy.allow_hijacking_localhost": False,
    }
    if dark:
        preferences["layout.css.prefers-color-scheme.content-override"] = 0
    return preferences


def _on_path(*names: str) -> str | None:
    return next((found for name in names if (found := shutil.which(name))), None)
