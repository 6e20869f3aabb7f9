"""Asking again: what was decided holds until the new answer, what is new waits for it."""

from __future__ import annotations

import json
import secrets
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from consent_server.rules.times import parse_time

from .conftest import NewProfile
from .own_site import describe_service, describe_site
from .owner_pages import OwnerPages
from .running_server import RunningServer
from .sites import DemoSite
from .trackers import Trackers
from .visit import Visit, wait_until_settled, watch_silence

_TOKEN = "publishing-token-of-at-least-32-characters"
_CATEGORIES = [
    {"key": "analytics"},
    {"key": "marketing"},
]
_PICTURES = {
    "old": "service:counter",
    "other": "service:adverts",
    "new": "service:heatmap",
    "category": "analytics",
    "refused": "!service:heatmap",
}


@pytest.fixture(params=["chromium"])
def browser_name(request: pytest.FixtureRequest) -> str:
    """Nothing here depends on the browser; the state itself is tested in both elsewhere."""
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server that takes sites over HTTP: what is published is served at once."""
    settings = {"CONSENT_API_TOKEN": _TOKEN}
    running = RunningServer(tmp_path_factory.mktemp("publishing-server"), settings=settings)
    running.start()
    yield running
    running.stop()


@dataclass
class Shop:
    """A shop that publishes again while a visitor knows it."""

    visit: Visit
    owner: OwnerPages
    trackers: Trackers
    services: list[dict[str, Any]]

    def publish(self, **fields: Any) -> None:
        """Publish the next version, and let the page ask for a script that no cache holds."""
        fields = {"categories": _CATEGORIES, **fields}
        site = describe_site(self.owner.url, "shop", self.services, **fields)
        request = urllib.request.Request(
            f"{self.visit.server.url}/api/v1/sites/shop",
            json.dumps(site).encode(),
            {"Authorization": f"Bearer {_TOKEN}", "Content-Type": "application/json"},
            method="PUT",
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            number = json.load(answer)["number"]
        tag = f'<script src="{self.visit.server.url}/w/shop.js?{number}"></script>'
        pictures = "".join(
            f'<img alt="" data-consent="{condition}" '
            f'data-consent-src="https://held.example.com/{name}.gif">'
            for name, condition in _PICTURES.items()
        )
        head = f'<!doctype html><html lang="en">{tag}<title>Shop</title>'
        self.owner.pages["/"] = (head + pictures, {})

    def go(self) -> None:
        """Open the page anew and wait until nothing more is asked for."""
        self.trackers.clear()
        self.visit.page.goto(f"{self.owner.url}/")
        self.visit.page.wait_for_function("window.consent !== undefined")
        wait_until_settled(self.visit.page, self.trackers)

    def asked(self) -> list[str]:
        """What the page loaded of what it holds."""
        return sorted(one.path.strip("/").removesuffix(".gif") for one in self.trackers.requests)


@pytest.fixture
def shop(
    new_profile: NewProfile, server: RunningServer, owner: OwnerPages, trackers: Trackers
) -> Shop:
    """The shop in its first version, where the visitor allowed the counter and no adverts."""
    services = [
        describe_service("counter", (), hosts=["counter.example"]),
        describe_service("adverts", (), hosts=["adverts.example"], category="marketing"),
    ]
    visit = Visit(new_profile().new_page(), DemoSite("shop"), server)
    found = Shop(visit, owner, trackers, services)
    found.publish(ask_again=secrets.token_hex(8))
    found.publish()
    found.go()
    visit.wait_for_notice()
    visit.open_preferences()
    visit.toggle_service("counter")
    visit.decide("save")
    visit.wait_for_delivery()
    return found


def _add_heatmap(shop: Shop) -> None:
    shop.services.append(describe_service("heatmap", (), hosts=["heatmap.example"]))
    shop.publish()


def test_until_the_new_answer_the_old_one_holds_and_what_is_new_waits(shop: Shop) -> None:
    _add_heatmap(shop)
    shop.go()
    visit = shop.visit
    visit.wait_for_notice()
    assert shop.asked() == ["old"], "the category now holds a service that nobody allowed"
    assert "Heatmap" in visit.notice.inner_text()
    assert "Counter" not in visit.notice.inner_text()
    assert visit.page.evaluate("consent.decided") is False
    assert visit.page.evaluate("({...consent.grants})") == {
        "consent-record": True,
        "necessary": True,
        "counter": True,
        "adverts": False,
        "marketing": False,
    }
    visit.open_preferences()
    assert visit.preferences.locator("#switch-counter").is_checked()
    assert not visit.preferences.locator("#switch-heatmap").is_checked()
    assert not visit.preferences.locator("#switch-adverts").is_checked()


@pytest.mark.parametrize("mark", ["~!asked", "~!asked~!asked-any"])
def test_of_what_only_ran_elsewhere_nothing_holds_and_nothing_is_new(shop: Shop, mark: str) -> None:
    visit = shop.visit
    name = visit.site.cookie_name
    value = visit.cookies()[name] + mark
    visit.page.context.add_cookies([{"name": name, "value": value, "url": shop.owner.url}])
    for is_changed in (False, True):
        if is_changed:
            _add_heatmap(shop)
        shop.go()
        visit.wait_for_notice()
        assert shop.asked() == []
        assert "Heatmap" not in visit.notice.inner_text(), "all is asked"
        assert visit.page.evaluate("consent.decided") is False
        assert visit.page.evaluate("consent.grants.counter") is not True


def test_the_new_answer_replaces_the_old_one(shop: Shop) -> None:
    _add_heatmap(shop)
    shop.go()
    visit = shop.visit
    visit.wait_for_notice()
    visit.open_preferences()
    visit.toggle_service("heatmap")
    visit.decide("save")
    visit.wait_for(lambda: shop.asked() == ["category", "new", "old"], "all that was allowed")
    visit.wait_for_delivery()
    last, first = visit.receipts()
    assert (last["kind"], last["version"]) == ("changed", first["version"] + 1)
    assert last["grants"]["counter"]
    assert last["grants"]["heatmap"]
    shop.go()
    assert not visit.notice_is_shown


def test_a_refusal_of_what_is_new_takes_the_old_yes_back(shop: Shop) -> None:
    _add_heatmap(shop)
    shop.go()
    visit = shop.visit
    visit.wait_for_notice()
    visit.choose("reject_all")
    visit.wait_for(visit.is_refused, "refused")
    visit.wait_for_delivery()
    shop.go()
    assert shop.asked() == ["refused"]
    assert visit.receipts()[0]["kind"] == "withdrawn"


def test_a_service_with_a_new_recipient_is_held_again(shop: Shop) -> None:
    shop.services[0]["provider"] = {**shop.services[0]["provider"], "transfers": ["US"]}
    shop.publish()
    shop.go()
    shop.visit.wait_for_notice()
    watch_silence(shop.visit.page, shop.trackers, 0.5)
    assert "Counter" in shop.visit.notice.inner_text()


def test_an_editorial_change_asks_nobody(shop: Shop) -> None:
    shop.publish(texts={"en": {"heading": "Another heading"}}, theme={"form": "bar"})
    shop.go()
    assert not shop.visit.notice_is_shown
    assert shop.visit.page.evaluate("consent.decided") is True
    assert shop.asked() == ["category", "old"]


def test_where_all_is_asked_anew_nothing_is_carried_over(shop: Shop) -> None:
    shop.publish(ask_again="1")
    shop.go()
    visit = shop.visit
    visit.wait_for_notice()
    watch_silence(visit.page, shop.trackers, 0.5)
    assert "since your last choice" not in visit.notice.inner_text()


@pytest.mark.parametrize("days", [180, 390])
def test_a_choice_that_has_run_out_is_asked_again_and_its_end_is_in_the_record(
    shop: Shop, days: int
) -> None:
    shop.publish(valid_days=days, ask_again="now")
    visit = shop.visit
    shop.go()
    visit.wait_for_notice()
    visit.decide("reject_all")
    visit.wait_for_delivery()
    visit.page.clock.set_system_time(datetime.now(UTC) + timedelta(days=days - 1))
    visit.page.goto(f"{shop.owner.url}/")
    assert visit.page.evaluate("consent.decided") is True
    visit.page.clock.set_system_time(datetime.now(UTC) + timedelta(days=days + 1))
    visit.page.goto(f"{shop.owner.url}/")
    visit.wait_for_notice()
    assert visit.page.evaluate("consent.decided") is False
    receipt = visit.receipts()[0]
    lives = parse_time(receipt["valid_until"]) - parse_time(receipt["received_at"])
    assert lives == timedelta(days=days)
