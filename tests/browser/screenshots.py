"""Screenshots: every face of the product, into a folder, for people to look at.

Run from the project's root: python -m tests.browser.screenshots FOLDER [PART ...]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import Page, sync_playwright

from .browsers import Browsers
from .contact_sheets import take_sheets
from .own_site import describe_service, publish_site
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
    """Start page, version page, and what an address that leads nowhere shows."""
    for scheme in SCHEMES:
        for width in (320, 1280):
            with camera.visit(SMILEE, width, color_scheme=scheme) as visit:
                visit.page.goto(f"{camera.server.url}/")
                camera.take(visit.page, f"start-{scheme}-{width}", full_page=True)
                visit.page.goto(f"{camera.server.url}/w/smilee/versions/1?language=fi")
                camera.take(visit.page, f"version-{scheme}-{width}", full_page=True)
                visit.page.goto(f"{camera.server.url}/w/nobody/me?language=fi")
                camera.take(visit.page, f"nowhere-{scheme}-{width}", full_page=True)


def own_pages(camera: Camera) -> None:
    """The visitor's own page in each state, in every language, width and colour scheme."""
    for language in LANGUAGES:
        for scheme in SCHEMES:
            for width in WIDTHS:
                with camera.visit(SMILEE, width, color_scheme=scheme) as visit:
                    _own_page(camera, visit, language, f"{language}-{scheme}-{width}")


def _own_page(camera: Camera, visit: Visit, language: str, name: str) -> None:
    page, address = visit.page, f"{camera.server.url}/w/smilee/me?language={language}"
    page.goto(address)
    camera.take(page, f"me-ask-{name}", full_page=True)
    visit.go()
    visit.wait_for_notice()
    visit.open_preferences()
    visit.toggle_service("google-analytics")
    visit.decide("save")
    visit.wait_for_delivery()
    page.goto(address)
    camera.take(page, f"me-record-{name}", full_page=True)
    page.locator("form:has(input[value=save]) button").click()
    camera.take(page, f"me-saved-{name}", full_page=True)
    page.locator("form:has(input[value=erase]) button").click()
    camera.take(page, f"me-erase-{name}", full_page=True)
    page.locator("form:has(input[value=erase_now]) button").click()
    camera.take(page, f"me-erased-{name}", full_page=True)


def archive(camera: Camera) -> None:
    """A shop that published three times, and announces a change: archive, notice and bar."""
    services = [describe_service("counter", (("cookie", "_count"),))]
    languages = {"languages": list(LANGUAGES)}
    words = {"purpose": dict.fromkeys(LANGUAGES, "Tells how the shop is used.")}
    services = [{**one, **words} for one in services]
    origin, server = camera.server.url, camera.server
    site = publish_site(server, origin, "shop", services, **languages)
    publish_site(server, origin, "shop", services, **languages, theme={"form": "bar"})
    with camera.visit(site) as visit:
        _decide_on(visit)
        kept: Any = visit.page.context.cookies()
    day = (datetime.now(UTC) + timedelta(days=10)).date().isoformat()
    told = dict.fromkeys(LANGUAGES, "From next month another company runs our chat.")
    services += [{**describe_service("heatmap", ()), **words}]
    publish_site(
        server, origin, "shop", services, **languages, announcement={"date": day, "text": told}
    )
    for language in LANGUAGES:
        for scheme in SCHEMES:
            for width in WIDTHS:
                with camera.visit(site, width, color_scheme=scheme) as visit:
                    name, page = f"{language}-{scheme}-{width}", visit.page
                    for place in ("versions", "versions/3"):
                        page.goto(f"{origin}/w/shop/{place}?language={language}")
                        kind = place.replace("/", "-")
                        camera.take(page, f"{kind}-{name}", full_page=place == "versions")
                    page.context.add_cookies(kept)
                    _open_shop(visit, language)
                    visit.wait_for_notice()
                    camera.take(page, f"asked-again-{name}")


def _open_shop(visit: Visit, language: str) -> None:
    """A page of the shop's, on the server's own origin."""
    address = f"{visit.server.url}/demo/smilee/"
    tag = f'<script src="/w/shop.js?{language}"></script>'
    body = f'<!doctype html><html lang="{language}">{tag}<title>Shop</title><h1>Shop</h1>'
    visit.page.route(address, lambda route: route.fulfill(body=body, content_type="text/html"))
    visit.page.goto(address)


def _decide_on(visit: Visit) -> None:
    _open_shop(visit, "en")
    visit.wait_for_notice()
    visit.decide("accept_all")
    visit.wait_for_delivery()


def banner(camera: Camera) -> None:
    """Every state of the wide form in six languages, on contact sheets."""
    take_sheets(camera.browsers, camera.trackers, camera.folder, "banner")


def bar(camera: Camera) -> None:
    """Likewise of the low form."""
    take_sheets(camera.browsers, camera.trackers, camera.folder, "bar")


def box(camera: Camera) -> None:
    """Likewise of the form in a corner."""
    take_sheets(camera.browsers, camera.trackers, camera.folder, "box")


def centred(camera: Camera) -> None:
    """Likewise of the form in the middle."""
    take_sheets(camera.browsers, camera.trackers, camera.folder, "centred")


_PARTS = (server_pages, own_pages, archive, sites, focus, right_to_left, layers)
#: By the names of these functions some can be asked for; forms take a quarter of an hour each.
PARTS = {part.__name__: part for part in (*_PARTS, banner, bar, box, centred)}


def main(folder: Path, *names: str) -> None:
    """All of them, or those parts."""
    folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as data,
        Trackers() as trackers,
        sync_playwright() as playwright,
    ):
        server = RunningServer(Path(data), settings={"CONSENT_DECISIONS_PER_MINUTE": "1000"})
        server.start()
        browsers = Browsers(playwright, trackers)
        try:
            camera = Camera(browsers, trackers, server, folder)
            for name in names or PARTS:
                PARTS[name](camera)
        finally:
            browsers.close()
            server.stop()
    sys.stdout.write(f"{len(list(folder.glob('*.png')))} screenshots in {folder}\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.browser.screenshots")
    parser.add_argument("folder", type=Path, help="where the pictures go")
    parser.add_argument("parts", nargs="*", help=f"some of {', '.join(PARTS)}; else all")
    given = parser.parse_args()
    if not PARTS.keys() >= set(given.parts):
        parser.error(f"parts are some of {', '.join(PARTS)}")
    main(given.folder, *given.parts)
