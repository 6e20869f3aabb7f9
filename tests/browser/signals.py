"""Signals: browsers that ask for GPC or DNT, by Firefox's own settings or as extensions do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import BrowserContext

from .browsers import Browsers, launch_options
from .trackers import Trackers

Signalling = Callable[..., BrowserContext]

#: What about:preferences sets, beside what makes the setting do something.
_FIREFOX: dict[str, dict[str, bool]] = {
    "gpc": {
        "privacy.globalprivacycontrol.enabled": True,
        "privacy.globalprivacycontrol.functionality.enabled": True,
        "privacy.globalprivacycontrol.pbmode.enabled": True,
    },
    "dnt": {"privacy.donottrackheader.enabled": True},
}
_HEADERS = {"gpc": {"Sec-GPC": "1"}, "dnt": {"DNT": "1"}}
_PROPERTIES = {
    "gpc": "Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', {get: () => true})",
    "dnt": "Object.defineProperty(Navigator.prototype, 'doNotTrack', {get: () => '1'})",
}


@contextmanager
def signalling(browsers: Browsers, name: str, trackers: Trackers) -> Iterator[Signalling]:
    """Give what makes a profile that sends a signal, or none."""
    opened: list[Any] = []

    def new(signal: str = "", *, region: str = "", url: str = "", **options: Any) -> BrowserContext:
        if name == "firefox" and signal:
            launch = launch_options(name, trackers)
            launch["firefox_user_prefs"] |= _FIREFOX[signal]
            browser = browsers.playwright.firefox.launch(**launch)
            opened.append(browser)
            context = browser.new_context(ignore_https_errors=True, **options)
        else:
            if signal:
                options["extra_http_headers"] = _HEADERS[signal]
            context = browsers.new_profile(name, trackers, **options)
            if signal:
                context.add_init_script(_PROPERTIES[signal])
        context.set_default_timeout(20_000)
        if region:  # the switch of the demo stands in for the proxy
            context.add_cookies([{"name": "demo_region", "value": region, "url": url}])
        opened.append(context)
        return context

    yield new
    for one in reversed(opened):
        one.close()


def property_of(signal: str) -> str:
    """The script that makes a page see a signal, as extensions do."""
    return _PROPERTIES[signal]


class SwitchedSignal:
    """GPC that a visitor turns on and off between two pages, as an extension lets them."""

    _COOKIE = "test_signal"

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.context, self.url = context, url
        condition = f"document.cookie.includes('{self._COOKIE}=on')"
        context.add_init_script(_PROPERTIES["gpc"].replace("true", condition))

    def turn(self, *, on: bool) -> None:
        """From the next page on."""
        value = "on" if on else "off"
        self.context.add_cookies([{"name": self._COOKIE, "value": value, "url": self.url}])
