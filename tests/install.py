"""Install the programs that the tests drive, where they do not start yet.

Run as `python -m tests.install` (`make test` does it once), or with the names of some.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence

from playwright.sync_api import Error, sync_playwright
from selenium.common.exceptions import WebDriverException

from tests.browser.browsers import BROWSER_NAMES, Browsers
from tests.browser.bundles import FOLDERS, ROOT, WIDGET, install_packages
from tests.browser.matrix.webkit import running_display, webkit_tab
from tests.browser.trackers import running_trackers
from tests.cli.nginx import running_nginx
from tests.store.postgresql import running_postgresql

#: A download that has not ended by then has no way out of this network.
_SECONDS = 600
#: What is needed, and its package on Debian.
PACKAGES = {
    "caddy": ["caddy"],
    "chromium": ["chromium"],
    "firefox": ["firefox-esr"],
    "nginx": ["nginx"],
    "php": ["php-cli"],
    "postgresql": ["postgresql"],
    "strace": ["strace"],
    "webkit": ["webkit2gtk-driver", "xvfb"],
}
#: WebKit is driven by the whole matrix only (`-m matrix`); it is installed when named.
_ALWAYS = ("caddy", "chromium", "firefox", "nginx", "php", "postgresql", "strace")

Commands = list[list[str]]


def starts(name: str) -> bool:
    """Tell whether the tests could start this program now."""
    if name in BROWSER_NAMES:
        return _browser_starts(name)
    if name in {"caddy", "php", "strace"}:
        return shutil.which(name) is not None
    return {"nginx": _nginx_starts, "webkit": _webkit_starts}.get(name, _postgresql_starts)()


def _browser_starts(name: str) -> bool:
    with running_trackers() as sink, sync_playwright() as playwright:
        browsers = Browsers(playwright, sink)
        try:
            browsers.launched(name)
        except Error:
            return False
        browsers.close()
    return True


def _webkit_starts() -> bool:
    async def start() -> None:
        with running_trackers() as sink, running_display() as display:
            await (await webkit_tab(sink, display)).close()

    try:
        asyncio.run(start())
    except (AssertionError, OSError, WebDriverException):
        return False
    return True


def _nginx_starts() -> bool:
    try:
        with running_nginx("server { listen 127.0.0.1:%d; }"):
            return True
    except (AssertionError, OSError):
        return False


def _postgresql_starts() -> bool:
    try:
        with running_postgresql():
            return True
    except (AssertionError, OSError, RuntimeError):
        return False


def _ways(names: Sequence[str]) -> Iterator[Commands]:
    """Yield what may help, the least intrusive first: each a list of commands."""
    playwright = [sys.executable, "-m", "playwright"]
    browsers = [name for name in names if name in BROWSER_NAMES]
    if browsers:
        yield [[*playwright, "install", *browsers]]
    root = _root()
    if root is None or not shutil.which("apt-get"):
        return
    quiet = [*root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "--quiet", "--yes"]
    yield [[*quiet, "update"], *([*quiet, "install", *PACKAGES[name]] for name in names)]
    if browsers:
        yield [[*root, *playwright, "install-deps", *browsers]]


def _root() -> list[str] | None:
    """Return what makes a command root's, or None where nobody may."""
    if os.geteuid() == 0:
        return []
    return ["sudo", "--non-interactive"] if shutil.which("sudo") else None


def _try(commands: Iterable[list[str]]) -> None:
    for command in commands:
        print("+", *command, flush=True)  # noqa: T201 (a command that speaks)
        try:
            subprocess.run(command, check=False, timeout=_SECONDS)
        except subprocess.TimeoutExpired:
            return


def main() -> None:
    """Try one way after the other until everything starts."""
    if shutil.which("npm"):
        for folder in (WIDGET, *FOLDERS, ROOT / "tests" / "gpp"):
            install_packages(folder)
    wanted: Sequence[str] = sys.argv[1:] or _ALWAYS
    missing = [name for name in wanted if not starts(name)]
    for commands in _ways(missing) if missing else ():
        _try(commands)
        missing = [name for name in missing if not starts(name)]
        if not missing:
            break
    if missing:
        packages = " ".join(one for name in missing for one in PACKAGES[name])
        sys.exit(
            f"The tests drive {', '.join(missing)}, and this machine cannot start them. "
            f"Install them (on Debian: apt-get install {packages}) and run the command again."
        )


if __name__ == "__main__":
    main()
