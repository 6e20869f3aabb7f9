"""Corner: pages of a site whose one tracker is a stand-in, and what leaves them."""

from __future__ import annotations

from playwright.sync_api import Page

from .own_site import describe_service
from .owner_pages import OwnerPages
from .running_server import RunningServer
from .sites import DemoSite
from .trackers import Trackers
from .visit import Visit, watch_silence

STATS = "https://stats.example.com"
CATEGORIES = [{"key": "functional"}, {"key": "analytics"}]
SERVICES = [
    describe_service(
        "stats",
        (("cookie", "_stats"), ("local_storage", "stats_l"), ("session_storage", "stats_s")),
        hosts=["stats.example.com"],
    ),
    describe_service("maps", (), category="functional", hosts=["maps.example.com"]),
]


class Corner:
    """Opens pages of one site and counts what leaves."""

    def __init__(
        self, page: Page, owner: OwnerPages, server: RunningServer, trackers: Trackers
    ) -> None:
        self.page, self._owner, self._server, self._trackers = page, owner, server, trackers
        self.errors: list[str] = []
        #: The content security policy of the pages.
        self.policy = ""
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def open(self, site: DemoSite, body: str = "", head: str = "", tag: str = "") -> Visit:
        """Open a page of the site whose tag has these attributes."""
        script = f'<script {tag} src="{self._server.url}/w/{site.key}.js"></script>'
        text = f'<!doctype html><html lang="en">{script}{head}<title>Shop</title><body>{body}'
        self._owner.pages["/"] = (text, {"Content-Security-Policy": self.policy})
        self.page.goto(f"{self._owner.url}/")
        return Visit(self.page, site, self._server)

    def stays_silent(self, seconds: float) -> None:
        """Watch for so long that no tracker is asked for anything."""
        watch_silence(self.page, self._trackers, seconds)

    @property
    def asked(self) -> list[str]:
        """What trackers were asked for."""
        return [one.full_url.removeprefix(STATS) for one in self._trackers.requests]
