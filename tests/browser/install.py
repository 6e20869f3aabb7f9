"""Install the browsers that the tests drive, where they do not start yet.

Run as `python -m tests.browser.install` (`make test` does it once).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence

from playwright.sync_api import Error, sync_playwright

from .browsers import BROWSER_NAMES, Browsers
from .trackers import running_trackers

#: A download that has not ended by then has no way out of this network.
_SECONDS = 600
_PACKAGES = {"chromium": "chromium", "firefox": "firefox-esr"}


def starts(name: str) -> bool:
    """Tell whether the tests could start this browser now."""
    with running_trackers() as sink, sync_playwright() as playwright:
        browsers = Browsers(playwright, sink)
        try:
            browsers.launched(name)
        except Error:
            return False
        browsers.close()
    return True


def _missing(names: Iterable[str]) -> list[str]:
    return [name for name in names if not starts(name)]


def _as_root(*command: str) -> list[str] | None:
    """Return the command as root would call it, or None where nobody may."""
    if os.geteuid() == 0:
        return list(command)
    return ["sudo", "--non-interactive", *command] if shutil.which("sudo") else None


def _ways(names: Sequence[str]) -> Iterable[list[list[str]]]:
    """Yield what may help, the least intrusive first: each a list of commands."""
    playwright = [sys.executable, "-m", "playwright"]
    yield [[*playwright, "install", *names]]
    if shutil.which("apt-get"):
        quiet = ("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "--quiet", "--yes")
        update = _as_root(*quiet, "update")
        install = _as_root(*quiet, "install", *(_PACKAGES[name] for name in names))
        if update and install:
            yield [update, install]
        libraries = _as_root(*playwright, "install-deps", *names)
        if libraries:
            yield [libraries]


def _try(commands: Iterable[list[str]]) -> None:
    for command in commands:
        print("+", *command, flush=True)  # noqa: T201 (a command that speaks)
        try:
            subprocess.run(command, check=False, timeout=_SECONDS)
        except subprocess.TimeoutExpired:
            return


def main() -> None:
    """Try one way after the other until every browser starts."""
    missing = _missing(BROWSER_NAMES)
    for commands in _ways(missing) if missing else ():
        _try(commands)
        missing = _missing(missing)
        if not missing:
            break
    if missing:
        packages = " ".join(_PACKAGES[name] for name in missing)
        sys.exit(
            f"The browser tests need {' and '.join(missing)}, and this machine cannot start them. "
            f"Install them (on Debian: apt-get install {packages}) and run the command again."
        )


if __name__ == "__main__":
    main()
