"""Photographs: how a version looks in a real browser, kept for auditors."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from itertools import groupby
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from consent_server.bundle.pictures import View
from consent_server.cli.opening import now
from consent_server.errors import ConfigError
from consent_server.sites import find_site, find_version, read_config
from consent_server.store.database import Database
from consent_server.store.models import Site, SiteScript, VersionPicture

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

VIEWPORTS: dict[str, dict[str, Any]] = {
    "mobile": {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True},
    "desktop": {"viewport": {"width": 1280, "height": 800}},
}
_NAMES = ("chromium", "chromium-browser", "google-chrome")
_ARGUMENTS = (
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-color-profile=srgb",
)
_NOTICE = "consent-notice section[role=dialog]"
_PREFERENCES = "consent-notice dialog"
#: What stands behind the notice is not what is documented: a page without a word.
_PAGE = """<!doctype html>
<html lang="{language}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{site}</title><script src="{script}"></script></head>
<body style="margin: 0; background: #eceff1"></body></html>"""
_SCRIPT = "/script.js"


@dataclass(frozen=True, slots=True)
class _Shown:
    """A version as visitors were shown it."""

    site: str
    address: str
    script: bytes


def take_pictures(
    database: Database,
    site_key: str,
    views: Iterable[View],
    tell: Callable[[View], None] = lambda _: None,
) -> int:
    """Photograph each view and keep the pictures; return how many.

    Raises ConfigError when there is no browser or nothing to drive one.
    """
    taken = 0
    with _browser() as browser:
        by_script = sorted(views, key=lambda view: (view.version, view.regime))
        for (number, regime), of_script in groupby(by_script, lambda v: (v.version, v.regime)):
            with database.read() as session:
                shown = _read(session, find_site(session, site_key), number, regime)
            pictures = list(_photograph(browser, shown, of_script, tell))
            with database.write() as session:
                site = find_site(session, site_key)
                session.add_all(_row(site, view, body) for view, body in pictures)
            taken += len(pictures)
    return taken


@contextmanager
def _browser() -> Iterator[Browser]:
    """Launch the machine's Chromium, or the one that Playwright brought."""
    try:
        from playwright.sync_api import Error, sync_playwright  # noqa: PLC0415 (an extra)
    except ImportError as error:
        raise ConfigError(
            "Screenshots need one more package: pip install 'consent-server[screenshots]'"
        ) from error
    found = next((path for name in _NAMES if (path := shutil.which(name))), None)
    # Chromium's sandbox refuses root, whom containers often run as.
    sandbox = ["--no-sandbox"] if os.name == "posix" and os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(
                executable_path=found, args=[*_ARGUMENTS, *sandbox]
            )
        except Error as error:
            raise ConfigError(
                "No Chromium could be started. Install the package chromium, or run: "
                f"playwright install chromium\n{error.message.splitlines()[0]}"
            ) from error
        try:
            yield browser
        finally:
            browser.close()


def _read(session: Session, site: Site, number: int, regime: str) -> _Shown:
    config = read_config(find_version(session, site, number))
    # The newest core: what visitors of this version are shown now, or were last.
    script = session.scalars(
        select(SiteScript)
        .where(
            SiteScript.site_id == site.id,
            SiteScript.version == number,
            SiteScript.regime == regime,
            SiteScript.signal == "",
        )
        .order_by(SiteScript.first_served_at.desc(), SiteScript.script_hash)
        .limit(1)
    ).one()
    return _Shown(config["name"], f"{config['origins'][0]}/", script.body)


def _photograph(
    browser: Browser, shown: _Shown, views: Iterable[View], tell: Callable[[View], None]
) -> Iterator[tuple[View, bytes]]:
    """Open one page for each language and size, and look at both layers."""
    by_page = sorted(views, key=lambda view: (view.language, view.viewport, view.part))
    for (language, viewport), parts in groupby(by_page, lambda one: (one.language, one.viewport)):
        context = browser.new_context(
            **VIEWPORTS[viewport], locale=language, reduced_motion="reduce", color_scheme="light"
        )
        try:
            page = _open(context.new_page(), shown, language)
            for view in parts:
                if view.part == "preferences":
                    page.locator(f"{_NOTICE} [data-consent-action=settings]").first.click()
                    page.locator(_PREFERENCES).wait_for(state="visible")
                yield view, page.screenshot(animations="disabled")
                tell(view)
        finally:
            context.close()


def _open(page: Page, shown: _Shown, language: str) -> Page:
    """Show a page of the site's own address that exists in this browser only."""
    html = _PAGE.format(language=escape(language), site=escape(shown.site), script=_SCRIPT)

    def answer(route: Route) -> None:
        path = route.request.url.removeprefix(shown.address.rstrip("/"))
        if path == "/":
            route.fulfill(body=html, content_type="text/html; charset=utf-8")
        elif path == _SCRIPT:
            route.fulfill(body=shown.script, content_type="text/javascript; charset=utf-8")
        else:
            # Nothing leaves the machine.
            route.abort()

    page.route("**/*", answer)
    page.goto(shown.address)
    page.locator(_NOTICE).wait_for(state="visible")
    return page


def _row(site: Site, view: View, body: bytes) -> VersionPicture:
    return VersionPicture(
        site_id=site.id,
        **view._asdict(),
        sha256=hashlib.sha256(body).hexdigest(),
        body=body,
        taken_at=now(),
    )
