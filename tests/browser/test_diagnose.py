"""The diagnosis: what is held by which rule, what leaked, what to write; visitors never load it."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page

from consent_server.site_form import load_site_form
from consent_server.snapshot import build_snapshot

from .diagnose_pages import FIRST_TAG, GA, TAG, Diagnosed, diagnose, publish
from .own_site import describe_service, publish_site
from .owner_pages import OwnerPages, running_owner_pages
from .running_server import RunningServer
from .sites import SITES, DemoSite
from .trackers import Trackers
from .visit import Visit, wait_until_settled, watch_silence

UNLISTED = "https://cdn.unlisted-tracker.com"
#: Loaded as vendors' instructions say, with nothing marked.
UNMARKED = f"""<script src="{GA}/library.js?id=secret-1" async></script>
<script>/* inline */ new Image().src = 'https://www.facebook.com/tr?id=secret-2';</script>
<iframe title="Chat" width="300" height="200" src="https://saas.smilee.io/chat.html"></iframe>
<img alt="" src="https://www.google-analytics.com/pixel.gif" srcset="{GA}/large.gif 2x">
<link rel="stylesheet" href="https://saas.smilee.io/chat.css">
"""


@pytest.fixture(scope="module")
def owner() -> Iterator[OwnerPages]:
    """The owner's own web server."""
    with running_owner_pages() as running:
        yield running


@pytest.fixture(scope="module")
def sites(server: RunningServer, owner: OwnerPages) -> dict[str, DemoSite]:
    """The owner's site on each level."""
    levels = ("declared", "gate", "strict")
    return {level: publish(server, owner, f"on-{level}", blocking=level) for level in levels}


@pytest.fixture
def shop(
    page: Page, owner: OwnerPages, server: RunningServer, sites: dict[str, DemoSite]
) -> Diagnosed:
    """A page with declared mark-up."""
    return Diagnosed(page, owner, server, sites["declared"])


@pytest.fixture(params=["gate", "strict"])
def gate(
    request: pytest.FixtureRequest,
    page: Page,
    owner: OwnerPages,
    server: RunningServer,
    sites: dict[str, DemoSite],
) -> Diagnosed:
    """A page with the gate, and with the strict one."""
    return Diagnosed(page, owner, server, sites[request.param])


def _named(entries: list[dict[str, Any]], kind: str = "") -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in entries if not kind or one["kind"] == kind}


def test_visitors_never_load_it_and_an_owner_asks_only_the_own_server(
    page: Page, site: DemoSite, server: RunningServer, trackers: Trackers
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    visit = Visit(page, site, server)
    page.goto(visit.address() + "?consent=debug&q=debug")
    visit.wait_for_notice()
    page.reload()
    visit.wait_for_notice()
    module = f"{server.url}/w/{site.key}/diagnose.js"
    assert module not in asked
    stored = visit.storage(), visit.cookies()
    asked.clear()
    report = diagnose(page)
    assert set(asked) == {module}
    assert (visit.storage(), visit.cookies()) == stored == ({}, {})
    assert page.locator("consent-diagnosis").count() == 0, "the panel is asked for by the address"
    assert report == json.loads(json.dumps(report))
    watch_silence(page, trackers, 0.5)


def test_on_a_page_that_is_marked_all_is_held_and_nothing_leaks(
    page: Page, site: DemoSite, server: RunningServer
) -> None:
    visit = Visit(page, site, server)
    visit.go("contact")
    report = diagnose(page)
    assert report["held"]
    assert {one["rule"] for one in report["held"]} == {"markup"}
    for one in report["held"]:
        assert page.locator(one["element"]).count() == 1
        assert page.locator(one["element"]).get_attribute("data-consent") == one["condition"]
    for name in ("leaked", "to_mark", "released", "unknown_hosts", "unknown_items"):
        assert report[name] == [], name
    assert report["decision"] == {
        "decided": False,
        "asked": True,
        "grants": report["decision"]["grants"],
    }
    assert (report["site"], report["level"]) == (site.key, "declared")


def test_after_consent_it_tells_what_was_released(
    page: Page, server: RunningServer, trackers: Trackers
) -> None:
    visit = Visit(page, SITES["smilee"], server)
    visit.go("contact")
    visit.wait_for_notice()
    held = {one["condition"] for one in diagnose(page)["held"]}
    visit.decide("accept_all")
    wait_until_settled(page, trackers)
    report = diagnose(page)
    assert report["held"] == []
    assert {one["condition"] for one in report["released"]} <= held
    assert report["released_requests"]["google-analytics"] >= 1
    assert report["decision"]["decided"]
    assert report["decision"]["version"] == 1
    assert report["decision"]["grants"]["google-analytics"]


def test_what_leaks_is_named_with_its_service_and_what_to_write(shop: Diagnosed) -> None:
    shop.open(UNMARKED)
    report = shop.report()
    leaked = _named(report["leaked"])
    library = leaked[f"{GA}/library.js"]
    assert library["services"] == ["google-analytics"]
    assert library["pattern"] in {"www.google-analytics.com", "*.google-analytics.com"}
    assert library["element"] == "body > script:nth-of-type(1)"
    assert {"https://www.facebook.com/tr", "https://saas.smilee.io/chat.html"} <= set(leaked)
    written = [one["markup"] for one in report["to_mark"] if "markup" in one]
    assert written[0] == (
        '<script type="text/plain" data-consent="service:google-analytics" '
        f'data-consent-src="{GA}/library.js?id=secret-1" async></script>'
    )
    told = json.dumps([report["leaked"], report["unknown_hosts"], report["page"]])
    assert "secret" not in told, "queries may name a visitor"


def test_what_it_says_to_write_holds_and_is_released(shop: Diagnosed, trackers: Trackers) -> None:
    shop.open(UNMARKED)
    written = [one["markup"] for one in shop.report()["to_mark"]]
    assert len(written) == 5
    wait_until_settled(shop.page, trackers)
    wanted = {one.path for one in trackers.requests if one.path != "/large.gif"}
    shop.page.context.clear_cookies()
    shop.page.goto("about:blank")
    trackers.clear()
    visit = shop.open("\n".join(written))
    watch_silence(shop.page, trackers, 1.0)
    report = shop.report()
    assert (report["leaked"], report["to_mark"], report["checks"]) == ([], [], [])
    visit.decide("accept_all")
    visit.wait_for(lambda: wanted <= {one.path for one in trackers.requests}, "all of them")


def test_a_service_that_the_site_lacks_is_told_with_what_to_add(
    shop: Diagnosed, trackers: Trackers
) -> None:
    shop.open('<script async src="https://static.hotjar.com/c/hotjar-1.js"></script>')
    wait_until_settled(shop.page, trackers)
    report = shop.report()
    leak = _named(report["leaked"])["https://static.hotjar.com/c/hotjar-1.js"]
    assert (leak["services"], leak["in_site"]) == (["hotjar"], False)
    (fix,) = report["to_mark"]
    assert fix["markup"].startswith('<script type="text/plain" data-consent="service:hotjar"')
    added = tomllib.loads(fix["site_file"].replace('retention = ""', 'retention = "1y"'))
    form = {**shop.site_form, "services": [*shop.site_form["services"], *added["services"]]}
    snapshot = build_snapshot(load_site_form(form))
    assert "hotjar" in {service["key"] for service in snapshot["services"]}


def test_what_a_script_asked_for_is_told_without_an_element(shop: Diagnosed) -> None:
    answered = "then((answer) => answer.text()).then(() => document.title = 'asked')"
    code = f"fetch('{GA}/collect?who=me').{answered}"
    shop.open(f'<script src="data:text/javascript,{code}"></script>')
    shop.page.wait_for_function("document.title == 'asked'")
    report = shop.report()
    assert "element" not in _named(report["leaked"])[f"{GA}/collect"]
    assert report["to_mark"] == [{"service": "google-analytics"}]


def test_a_pixel_for_browsers_without_scripts_is_told(shop: Diagnosed) -> None:
    shop.open(f'<noscript><img alt="" src="{GA}/pixel.gif"></noscript>')
    report = shop.report()
    assert [one["kind"] for one in report["leaked"]] == ["noscript"]
    assert report["to_mark"][0]["markup"].startswith('<template data-consent="service:google')


def test_hosts_that_nobody_knows_are_listed(shop: Diagnosed, trackers: Trackers) -> None:
    shop.open(f'<img alt="" src="{UNLISTED}/a.gif"><img alt="" src="{UNLISTED}/b.gif">')
    report = shop.report()
    assert report["unknown_hosts"] == [{"host": "cdn.unlisted-tracker.com", "requests": 2}]
    assert report["leaked"] == []


_STORE = """<script>
document.cookie = '_trail_1=value-1; path=/'; document.cookie = 'own=value-2; path=/';
localStorage.setItem('trail', 'value-3'); sessionStorage.setItem('trail', 'value-4');
const opening = indexedDB.open('trail');
opening.onsuccess = () => caches.open('trail-1').then(() => document.title = 'stored');
</script>"""


def test_what_is_stored_is_told_by_name_and_never_by_value(
    page: Page, owner: OwnerPages, server: RunningServer
) -> None:
    items = (
        ("cookie", "_trail_*"),
        ("local_storage", "trail"),
        ("session_storage", "trail"),
        ("indexed_db", "trail"),
        ("cache_storage", "trail-*"),
    )
    site = publish_site(server, owner.url, "trails", [describe_service("trail", items)])
    shop = Diagnosed(page, owner, server, site)
    shop.open(_STORE)
    page.wait_for_function("document.title == 'stored'")
    report = shop.report()
    assert {one["kind"]: (one["name"], one["pattern"]) for one in report["leaked"]} == {
        "cookie": ("_trail_1", "_trail_*"),
        "local_storage": ("trail", "trail"),
        "session_storage": ("trail", "trail"),
        "indexed_db": ("trail", "trail"),
        "cache_storage": ("trail-1", "trail-*"),
    }
    assert report["unknown_items"] == [{"kind": "cookie", "name": "own"}]
    assert "value-" not in json.dumps(report)


def test_what_left_before_the_answer_is_told_apart(shop: Diagnosed, trackers: Trackers) -> None:
    visit = shop.open(f'<img alt="" src="{GA}/early.gif">')
    visit.decide("reject_all")
    # The answer is kept in whole seconds.
    shop.page.wait_for_function("Date.now() > performance.timeOrigin + 2000")
    visit.reopen_preferences()
    visit.choose("save")
    visit.preferences.wait_for(state="detached")
    shop.page.evaluate(f"fetch('{GA}/late').then((answer) => answer.text())")
    leaked = _named(shop.report()["leaked"])
    assert leaked[f"{GA}/early.gif"]["before_decision"] is True
    assert "before_decision" not in leaked[f"{GA}/late"]


def test_what_the_gate_holds_is_told_with_the_pattern(gate: Diagnosed) -> None:
    body = f"""<div data-consent="analytics">marked</div><script>
for (const address of ['{GA}/by-script.js', '{UNLISTED}/x.js'])
  document.body.append(Object.assign(document.createElement('script'), {{ src: address }}));
fetch('{GA}/collect');
</script>"""
    gate.open(body, head=FIRST_TAG)
    held = {one.get("address", ""): one for one in gate.report()["held"]}
    assert gate.report()["waiting_calls"] == ["google-analytics"]
    known = held[f"{GA}/by-script.js"]
    assert known["rule"] == "gate"
    assert known["because"] in {"www.google-analytics.com", "*.google-analytics.com"}
    assert known["waits_for"] == ["service:google-analytics"]
    assert held[""]["rule"] == "markup"
    is_strict = gate.site.key == "on-strict"
    assert (held.get(f"{UNLISTED}/x.js", {}).get("rule") == "strict") is is_strict
    assert gate.report()["level"] == ("strict" if is_strict else "gate")


def test_what_the_browser_read_ahead_of_the_gate_is_told_with_mark_up(
    gate: Diagnosed, trackers: Trackers
) -> None:
    gate.open(f'<img alt="" src="{GA}/ahead.gif">', head=FIRST_TAG)
    wait_until_settled(gate.page, trackers)
    report = gate.report()
    assert report["held"][0]["rule"] == "gate"
    # Whether a browser reads ahead of a script that it waits for is its own business.
    if f"{GA}/ahead.gif" in _named(report["leaked"]):
        assert "www.google-analytics.com" in trackers.hosts(), "at least a connection was opened"
        assert report["to_mark"][0]["markup"] == (
            f'<img data-consent="service:google-analytics" alt="" '
            f'data-consent-src="{GA}/ahead.gif">'
        )


def test_mark_up_of_another_manager_is_told_by_its_product(
    page: Page, owner: OwnerPages, server: RunningServer
) -> None:
    site = publish(server, owner, "switching", compatible=["cookiebot"])
    switching = Diagnosed(page, owner, server, site)
    switching.open('<script type="text/plain" data-cookieconsent="statistics">0</script>')
    report = switching.report()
    (held,) = report["held"]
    assert (held["rule"], held["because"]) == ("compatible", "cookiebot")
    assert report["compatible"] == ["cookiebot"]
    assert report["checks"] == []


@pytest.mark.parametrize("level", ["declared", "strict"])
def test_it_works_under_a_strict_policy_by_the_nonce_of_the_tag(
    page: Page,
    owner: OwnerPages,
    server: RunningServer,
    sites: dict[str, DemoSite],
    level: str,
) -> None:
    policy = (
        f"default-src 'none'; script-src 'nonce-abc' 'strict-dynamic'; "
        f"connect-src {server.url}; require-trusted-types-for 'script'; trusted-types consent"
    )
    tag = (TAG if level == "declared" else FIRST_TAG).replace("<script", '<script nonce="abc"')
    guarded = Diagnosed(page, owner, server, sites[level])
    guarded.open(head=tag, headers={"Content-Security-Policy": policy}, query="?consent-debug")
    page.locator("consent-diagnosis section").wait_for(state="visible")
    assert guarded.report()["checks"] == []
