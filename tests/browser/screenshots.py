"""Screenshots: every face of the product, into a folder, for people to look at.

Run from the project's root: python -m tests.browser.screenshots FOLDER
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import Page, sync_playwright

from .browsers import Browsers
from .running_server import RunningServer
from .sites import SITES, DemoSite
from .trackers import Trackers
from .visit import Visit, serve_in_language

WIDTHS = {320: 700, 768: 1024, 1280: 800}
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
LANGUAGES = ("en", "fi", "sv")
SMILEE = SITES["smilee"]


class Camera:
    """Opens visitors and keeps what they see."""

    def __init__(self, browsers: Browsers, trackers: Trackers, server: RunningServer, folder: Path):
        self.browsers, self.trackers, self.server = browsers, trackers, server
        self.folder = folder

    @contextmanager
    def visit(self, site: DemoSite, width: int = 1280, **options: Any) -> Iterator[Visit]:
        """A fresh visitor of that width."""
        viewport = {"width": width, "height": WIDTHS[width]}
        context = self.browsers.new_profile(
            "chromium", self.trackers, viewport=viewport, reduced_motion="reduce", **options
        )
        yield Visit(context.new_page(), site, self.server)
        context.close()

    def take(self, page: Page, name: str, full_page: bool = False) -> None:
        """One picture."""
        page.screenshot(path=self.folder / f"{name}.png", full_page=full_page)


def layers(camera: Camera) -> None:
    """Notice and preferences in every language, width and colour scheme."""
    for language in LANGUAGES:
        for scheme in SCHEMES:
            for width in WIDTHS:
                with camera.visit(SMILEE, width, color_scheme=scheme) as visit:
                    serve_in_language(visit.page, visit.address(), language)
                    visit.go()
                    visit.wait_for_notice()
                    camera.take(visit.page, f"notice-{language}-{scheme}-{width}")
                    visit.open_preferences()
                    camera.take(visit.page, f"preferences-{language}-{scheme}-{width}")
                    visit.open_every_detail()
                    camera.take(visit.page, f"services-{language}-{scheme}-{width}")


def sites(camera: Camera) -> None:
    """Each site's home with its notice, its contact page with placeholders, the way back."""
    for site in SITES.values():
        for width in (320, 1280):
            with camera.visit(site, width) as visit:
                visit.go()
                visit.wait_for_notice()
                camera.take(visit.page, f"site-{site.key}-{width}")
                visit.decide("reject_all")
                visit.wait_for_delivery()
                camera.take(visit.page, f"entry-{site.key}-{width}")
                visit.go("contact")
                camera.take(visit.page, f"placeholder-{site.key}-{width}", full_page=True)
                visit.reopen_preferences()
                camera.take(visit.page, f"decided-{site.key}-{width}")
                visit.go("record")
                camera.take(visit.page, f"record-{site.key}-{width}", full_page=True)
                visit.go("privacy")
                camera.take(visit.page, f"privacy-{site.key}-{width}")


def focus(camera: Camera) -> None:
    """Where the keyboard is: one picture for each of the first stops."""
    with camera.visit(SMILEE) as visit:
        visit.go()
        visit.wait_for_notice()
        for stop in range(1, 7):
            visit.page.keyboard.press("Tab")
            camera.take(visit.page, f"focus-{stop}")


def right_to_left(camera: Camera) -> None:
    """The page's direction turned round; the words stay."""
    for width in (320, 1280):
        with camera.visit(SMILEE, width) as visit:
            serve_in_language(visit.page, visit.address(), "en", direction="rtl")
            visit.go()
            visit.wait_for_notice()
            camera.take(visit.page, f"rtl-notice-{width}")
            visit.open_preferences()
            camera.take(visit.page, f"rtl-preferences-{width}")


def server_pages(camera: Camera) -> None:
    """Start page and version page."""
    for scheme in SCHEMES:
        for width in (320, 1280):
            with camera.visit(SMILEE, width, color_scheme=scheme) as visit:
                visit.page.goto(f"{camera.server.url}/")
                camera.take(visit.page, f"start-{scheme}-{width}", full_page=True)
                visit.page.goto(f"{camera.server.url}/w/smilee/versions/1?language=fi")
                camera.take(visit.page, f"version-{scheme}-{width}", full_page=True)


def main(folder: Path) -> None:
    """All of them."""
    folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as data,
        Trackers() as trackers,
        sync_playwright() as playwright,
    ):
        server = RunningServer(Path(data))
        server.start()
        browsers = Browsers(playwright, trackers)
        try:
            camera = Camera(browsers, trackers, server, folder)
            for part in (server_pages, sites, focus, right_to_left, layers):
                part(camera)
        finally:
            browsers.close()
            server.stop()
    sys.stdout.write(f"{len(list(folder.glob('*.png')))} screenshots in {folder}\n")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("usage: python -m tests.browser.screenshots FOLDER")
    main(Path(sys.argv[1]))
