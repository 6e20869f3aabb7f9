"""Checks of the diagnosis: each mistake of an owner's page is named, and a good page has none."""

from __future__ import annotations

import hashlib
import urllib.request
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from .diagnose_pages import FIRST_TAG, GA, TAG, Diagnosed, checks, diagnose, publish
from .owner_pages import OwnerPages, running_owner_pages
from .running_server import RunningServer
from .sites import SITES, DemoSite
from .tracker_answers import Answer
from .trackers import Trackers
from .visit import Visit

_HELD = f'<img alt="" data-consent="service:google-analytics" data-consent-src="{GA}/a.gif">'


@pytest.fixture(scope="module")
def owner() -> Iterator[OwnerPages]:
    """The owner's own web server."""
    with running_owner_pages() as running:
        yield running


@pytest.fixture(scope="module")
def declared(server: RunningServer, owner: OwnerPages) -> DemoSite:
    """The owner's site, whose tags are marked."""
    return publish(server, owner, "declared")


@pytest.fixture(scope="module")
def gated(server: RunningServer, owner: OwnerPages) -> DemoSite:
    """The owner's site with the gate."""
    return publish(server, owner, "with-gate", blocking="gate")


def _fetch(address: str) -> bytes:
    with urllib.request.urlopen(address, timeout=10) as answer:
        body: bytes = answer.read()
    return body


@pytest.fixture
def shop(page: Page, owner: OwnerPages, server: RunningServer, declared: DemoSite) -> Diagnosed:
    """A page with declared mark-up."""
    return Diagnosed(page, owner, server, declared)


@pytest.fixture
def gate(page: Page, owner: OwnerPages, server: RunningServer, gated: DemoSite) -> Diagnosed:
    """A page with the gate."""
    return Diagnosed(page, owner, server, gated)


def test_a_page_without_a_mistake_has_no_finding(shop: Diagnosed) -> None:
    shop.open(_HELD)
    assert shop.report()["checks"] == []


def test_a_gated_page_without_a_mistake_has_no_finding(gate: Diagnosed) -> None:
    gate.open(f"<script>new Image().src = '{GA}/a.gif'</script>", head=FIRST_TAG)
    assert gate.report()["checks"] == []


def test_the_demo_pages_have_no_finding(page: Page, site: DemoSite, server: RunningServer) -> None:
    visit = Visit(page, site, server)
    for name in ("", "contact"):
        visit.go(name)
        assert checks(diagnose(page)) == []


@pytest.mark.parametrize(
    ("check", "body", "detail"),
    [
        (
            "unknown_keys",
            '<script type="text/plain" data-consent="analitycs"></script>',
            "analitycs (analytics?): body > script",
        ),
        (
            "held_too_late",
            f'<iframe title="a" data-consent="analytics" src="{GA}/a"></iframe>',
            "body > iframe",
        ),
        ("held_too_late", '<script data-consent="analytics">0</script>', "body > script"),
        (
            "open_template",
            '<template data-consent="analytics"><img alt="" src="/a.gif"></template>',
            "body > template",
        ),
        (
            "foreign_markup",
            '<script type="text/plain" data-cookieconsent="statistics"></script>',
            "body > script",
        ),
        ("tag_twice", TAG, "head > script"),
        ("other_manager", "<script>window.Cookiebot = {}</script>", "Cookiebot"),
    ],
)
def test_a_mistake_in_the_mark_up_is_named_with_its_place(
    shop: Diagnosed, check: str, body: str, detail: str
) -> None:
    body = body.replace("{server}", shop.server.url).replace("{site}", shop.site.key)
    shop.open(body)
    assert shop.details(check)[0] == detail
    assert checks(shop.report()) == [check]


def test_a_key_that_is_like_none_is_named_alone(shop: Diagnosed) -> None:
    shop.open('<script type="text/plain" data-consent="service:hotjar"></script>')
    assert shop.details("unknown_keys") == ["hotjar: body > script"]


def test_a_tag_that_was_taken_away_is_missed(shop: Diagnosed) -> None:
    shop.open("<script>document.querySelector('script').remove()</script>", head=FIRST_TAG)
    assert shop.details("tag_missing") == []


def test_a_tag_that_the_page_waits_for_without_need_is_told(shop: Diagnosed) -> None:
    shop.open(head=FIRST_TAG)
    assert shop.details("tag_waits") == ["head > script"]


def test_the_gate_must_not_come_late(gate: Diagnosed) -> None:
    gate.open()
    assert gate.details("tag_late") == ["head > script"]


def test_nothing_may_run_before_the_gate(gate: Diagnosed) -> None:
    data = '<script type="application/json">{}</script>'
    gate.open(head=data + "<script>window.early = 1</script>" + FIRST_TAG)
    assert gate.details("tag_not_first") == ["head > script:nth-of-type(2)"]


def test_a_held_script_without_the_nonce_of_the_tag_is_named(shop: Diagnosed) -> None:
    held = '<script type="text/plain" data-consent="analytics"{}>0</script>'
    tag = TAG.replace("<script", '<script nonce="abc"')
    shop.open(held.format(' nonce="abc"') + held.format(""), head=tag)
    assert shop.details("nonce_missing") == ["body > script:nth-of-type(2)"]


def test_a_policy_that_forbids_to_send_decisions_is_named(shop: Diagnosed) -> None:
    shop.open(headers={"Content-Security-Policy": "connect-src 'none'"})
    assert shop.details("csp_connect") == []
    assert checks(shop.report()) == ["csp_connect"]


def test_what_a_policy_stops_is_named(shop: Diagnosed) -> None:
    policy = {"Content-Security-Policy": "img-src 'self'"}
    shop.open(headers=policy)
    shop.report()  # from here on every browser tells
    shop.page.evaluate("new Image().src = 'https://pictures.example.com/a.gif?who=me'")
    shop.page.wait_for_function(
        "consent.diagnose().then(({ checks }) => checks.some((one) => one.check == 'csp_blocked'))"
    )
    assert shop.details("csp_blocked") == ["img-src: https://pictures.example.com/a.gif"]


def test_a_server_that_cannot_be_reached_is_told(shop: Diagnosed) -> None:
    shop.open()
    shop.report()
    shop.page.context.set_offline(True)
    assert shop.details("server_away") == []


def test_a_page_that_is_not_of_the_site_is_told(
    page: Page, owner: OwnerPages, server: RunningServer
) -> None:
    strange = Diagnosed(page, owner, server, SITES["smilee"])
    strange.open()
    assert strange.details("origin_unknown") == []


def test_a_cookie_domain_that_the_page_does_not_lie_under_is_told(
    page: Page, owner: OwnerPages, server: RunningServer
) -> None:
    site = publish(server, owner, "elsewhere", cookie_domain="shop.example")
    elsewhere = Diagnosed(page, owner, server, site)
    elsewhere.open()
    assert elsewhere.details("cookie_domain") == []


def test_an_answer_that_the_browser_did_not_keep_is_told(shop: Diagnosed) -> None:
    visit = shop.open()
    visit.decide("reject_all")
    visit.wait_for_delivery()
    assert checks(shop.report()) == []
    shop.page.context.clear_cookies()
    assert shop.details("cookies_blocked") == []


def test_a_decision_that_waits_for_the_server_is_told(shop: Diagnosed) -> None:
    visit = shop.open()
    shop.report()
    shop.page.route("**/decisions?*", lambda route: route.abort())
    visit.decide("reject_all")
    assert checks(shop.report()) == [], "it is on its way"
    decided = shop.page.evaluate("Date.now()")
    shop.page.wait_for_function("decided => Date.now() > decided + 3100", arg=decided)
    assert shop.details("unsent") == []


def test_what_is_granted_hides_its_leaks_and_that_is_told(shop: Diagnosed) -> None:
    visit = shop.open(_HELD)
    visit.decide("accept_all")
    assert shop.details("some_granted") == []


def test_a_pinned_tag_of_an_older_version_is_told(
    page: Page, owner: OwnerPages, server: RunningServer, browser_name: str
) -> None:
    key = f"pinned-{browser_name}"
    pinned = Diagnosed(page, owner, server, publish(server, owner, key))
    name = hashlib.sha256(_fetch(f"{server.url}/w/{key}.js")).hexdigest()
    publish(server, owner, key, name="Another name")
    visit = Visit(page, pinned.site, server)
    diagnosis = f"{server.url}/w/{key}/diagnose.js"
    visit.wait_for(lambda: b'"version":2' in _fetch(diagnosis), "the version to be served")
    pinned.open(head=TAG.replace("{site}", f"{key}/{name}"))
    assert pinned.details("old_script") == []
    report = pinned.report()
    assert (report["version"], report["published_version"]) == (1, 2)
    assert "script_hash" not in report


def test_more_requests_than_the_browser_remembers_are_told(shop: Diagnosed) -> None:
    shop.open("".join(f'<img alt="" src="/{number}.gif">' for number in range(260)))
    assert shop.details("list_full") == []


def test_a_page_that_came_unencrypted_is_told(
    page: Page, server: RunningServer, trackers: Trackers, owner: OwnerPages
) -> None:
    publish(server, owner, "open", origins=["https://shop.example"])
    tag = FIRST_TAG.replace("{server}", "http://script.shop.example").replace("{site}", "open")
    text = f"<!doctype html><html lang=en>{tag}<title>Shop</title><p>Text."
    trackers.answers["https://shop.example/"] = Answer(200, "text/html", text.encode())
    for path in ("/w/open.js", "/w/open/diagnose.js"):
        found = Answer(200, "text/javascript", _fetch(server.url + path))
        trackers.answers[f"https://script.shop.example{path}"] = found
    page.goto("http://shop.example/")
    assert "plain_http" in checks(diagnose(page))
