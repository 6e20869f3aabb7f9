"""WebKit: WebKitGTK's MiniBrowser, driven by WebDriver on a display of its own."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selenium.common.exceptions import (
    InvalidSessionIdException,
    NoSuchWindowException,
    WebDriverException,
)
from selenium.webdriver import WebKitGTK
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.remote_connection import RemoteConnection
from selenium.webdriver.webkitgtk.options import Options
from selenium.webdriver.webkitgtk.service import Service
from urllib3.exceptions import HTTPError

from ..trackers import Trackers
from .tabs import STORAGE, VisitorLost

_DRIVER = "/usr/bin/WebKitWebDriver"
_SECONDS = 20
#: More than the longest of the browser's own waits: what takes longer has ended, and says nothing.
_PATIENCE = 3 * _SECONDS


def _browser() -> str:
    found = sorted(Path("/usr/lib").glob("*/webkit2gtk-4.*/MiniBrowser"))
    assert found, "no WebKitGTK here: python -m tests.install webkit"
    return str(found[-1])


@contextmanager
def running_display() -> Iterator[str]:
    """A virtual display for the length of a with block; the display finds its own number."""
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1280x900x24"]
    command += ["-nolisten", "tcp"]
    display = subprocess.Popen(command, pass_fds=[writing], stderr=subprocess.DEVNULL)
    os.close(writing)
    try:
        with os.fdopen(reading) as numbers:
            yield f":{numbers.readline().strip()}"
    finally:
        display.terminate()
        display.wait(10)


class WebKitTab:
    """A MiniBrowser of its own: it has no other way to be a fresh visitor."""

    def __init__(self, driver: WebKitGTK) -> None:
        self._driver = driver

    async def _ask(self, call: Callable[..., Any], *args: str) -> Any:
        try:
            return await asyncio.to_thread(call, *args)
        except (HTTPError, InvalidSessionIdException, NoSuchWindowException) as error:
            raise VisitorLost(str(error)) from error

    async def go(self, url: str) -> None:
        """Open a page; one that never finishes loading is looked at all the same."""
        with contextlib.suppress(WebDriverException):
            await self._ask(self._driver.get, url)

    async def run(self, function: str) -> Any:
        """What a function answers in the page."""
        script = (
            "const tell = arguments[arguments.length - 1];"
            f"Promise.resolve(({function})()).then(tell, () => tell(null))"
        )
        return await self._ask(self._driver.execute_async_script, script)

    async def press(self, selector: str) -> None:
        """Click as a visitor would."""

        def click() -> None:
            self._driver.find_element(By.CSS_SELECTOR, selector).click()

        await self._ask(click)

    async def said(self) -> list[str]:
        """What code said since the last time; what it said on a page that is gone is gone."""
        code = "() => { const said = window.__said || []; window.__said = []; return said; }"
        return await self.run(code) or []

    async def stored(self) -> list[str]:
        """Names of cookies and storage items of the page's own origin."""
        cookies = await self._ask(self._driver.get_cookies)
        return [*(f"cookie:{one['name']}" for one in cookies), *(await self.run(STORAGE) or [])]

    async def close(self) -> None:
        """End the visitor's session."""
        with contextlib.suppress(WebDriverException, HTTPError):
            await asyncio.to_thread(self._driver.quit)


async def webkit_tab(trackers: Trackers, display: str) -> WebKitTab:
    """A fresh visitor whose traffic goes to these trackers."""
    options = Options()
    options.binary_location = _browser()
    options.add_argument("--automation")
    options.set_capability("acceptInsecureCerts", True)
    # The proxy capability is read and not followed; GLib follows the environment.
    proxy = f"http://127.0.0.1:{trackers.proxy_port}"
    environment = {
        **os.environ,
        "DISPLAY": display,
        "http_proxy": proxy,
        "https_proxy": proxy,
        "no_proxy": "127.0.0.1,localhost",
    }

    def start() -> WebKitGTK:
        driver = WebKitGTK(options=options, service=Service(_DRIVER, env=environment))
        assert isinstance(driver.command_executor, RemoteConnection)
        driver.command_executor.client_config.timeout = _PATIENCE
        driver.set_page_load_timeout(_SECONDS)
        driver.set_script_timeout(_SECONDS)
        return driver

    return WebKitTab(await asyncio.to_thread(start))
