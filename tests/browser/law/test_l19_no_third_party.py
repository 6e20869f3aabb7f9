"""L19: no third party: widget, pages and records speak with the site's own server alone."""

from __future__ import annotations

from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext

from ..conftest import NewProfile
from ..running_server import RunningServer
from ..sites import DemoSite
from ..trackers import Trackers
from ..visit import Visit


def _listen(context: BrowserContext) -> list[str]:
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    return asked


def _others(asked: list[str], server: RunningServer) -> list[str]:
    own = urlsplit(server.url).netloc
    return [one for one in asked if urlsplit(one).netloc not in {own, ""}]


def test_l19_question_refusal_and_records_are_served_by_one_server(
    new_profile: NewProfile, site: DemoSite, server: RunningServer, trackers: Trackers
) -> None:
    context = new_profile()
    asked = _listen(context)
    visit = Visit(context.new_page(), site, server)
    visit.go()
    visit.wait_for_notice()
    visit.open_preferences()
    visit.open_every_detail()
    visit.decide("reject_all")
    visit.wait_for_delivery()
    visit.reopen_preferences()
    for path in ("me", "versions", "versions/1"):
        visit.page.goto(f"{server.url}/w/{site.key}/{path}")
    assert any("/decisions" in one for one in asked), "it was listened"
    assert _others(asked, server) == []
    assert trackers.seen == [], "nor outside of any page"


def test_l19_the_widget_is_one_response_without_fonts_styles_or_reports(
    new_profile: NewProfile, site: DemoSite, server: RunningServer
) -> None:
    context = new_profile()
    asked = _listen(context)
    visit = Visit(context.new_page(), site, server)
    visit.go()
    visit.wait_for_notice()
    visit.open_preferences()
    ours = [urlsplit(one).path for one in asked if "/w/" in one]
    assert ours == [f"/w/{site.key}.js"]
