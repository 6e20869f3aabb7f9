"""Corners of pages without the gate: marked elements, other tabs, damaged storage, odd answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, Route

from .corner import CATEGORIES, SERVICES, STATS, Corner
from .own_site import describe_service, publish_site
from .owner_pages import PAUSE, OwnerPages, running_owner_pages
from .running_server import RunningServer
from .sites import DemoSite
from .trackers import Trackers
from .visit import Visit

_CHROMIUM = pytest.mark.parametrize("browser_name", ["chromium"], indirect=True)
#: Cookiebot's cookie of somebody who allowed everything.
_SAID = "necessary:true,preferences:true,statistics:true,marketing:true"
_YES = quote(f"{{stamp:'x',{_SAID},method:'explicit',ver:1}}", safe="")


@pytest.fixture(scope="module")
def owner() -> Iterator[OwnerPages]:
    with running_owner_pages() as running:
        yield running


@pytest.fixture(scope="module")
def site(owner: OwnerPages, server: RunningServer) -> DemoSite:
    return publish_site(server, owner.url, "corner", SERVICES, categories=CATEGORIES)


@pytest.fixture(scope="module")
def importing(owner: OwnerPages, server: RunningServer) -> DemoSite:
    """A site that comes from another consent manager."""
    asked = {"compatible": ["cookiebot"], "import_decisions": True}
    return publish_site(
        server, owner.url, "corner-import", SERVICES, categories=CATEGORIES, **asked
    )


@pytest.fixture
def corner(page: Page, owner: OwnerPages, server: RunningServer, trackers: Trackers) -> Corner:
    return Corner(page, owner, server, trackers)


def test_a_script_in_a_template_waits_for_what_it_is_marked_with_itself(
    corner: Corner, site: DemoSite
) -> None:
    marked = '<script data-consent="analytics"'
    visit = corner.open(
        site,
        f'<template data-consent="functional"><p id=shown>Map.</p>{marked}'
        f' data-consent-src="{STATS}/t.js"></script>{marked}>window.ran = 1</script></template>',
    )
    visit.wait_for_notice()
    visit.open_preferences()
    visit.toggle_service("maps")
    visit.decide("save")
    corner.page.locator("#shown").wait_for()
    corner.stays_silent(0.5)
    assert corner.page.evaluate("() => window.ran") is None
    visit.reopen_preferences()
    visit.choose("accept_all")
    corner.page.wait_for_function("() => window.ran === 1")
    assert corner.asked == ["/t.js"]


@_CHROMIUM
def test_marks_that_a_sanitizer_lets_through_make_no_code_of_addresses(
    corner: Corner, site: DemoSite
) -> None:
    code = "javascript:void(sessionStorage.ran=1)"
    marked = "data-consent=necessary data-consent-"
    # What forms bring goes into a frame, or the page would go.
    corner.open(
        site,
        f'<iframe name=sink></iframe><form target=sink><button id=one {marked}formaction="{code}">'
        f'</button></form><form target=sink {marked}action="{code}"><button id=two></button></form>'
        f'<svg><a id=three {marked}xlink:href="{code}"><text y=20>Words</text></a></svg>',
    ).wait_for_notice()
    for name in ("one", "two", "three"):
        corner.page.evaluate(f"() => {{ {name}.dispatchEvent(new MouseEvent('click')); }}")
        corner.page.wait_for_timeout(300)
    assert corner.page.evaluate("() => sessionStorage.ran") is None


@_CHROMIUM
def test_a_released_frame_that_the_page_put_aside_is_not_there_after_a_withdrawal(
    corner: Corner, site: DemoSite
) -> None:
    frame = f'<iframe id=frame data-consent=analytics data-consent-src="{STATS}/frame"></iframe>'
    visit = corner.open(site, frame)
    visit.wait_for_notice()
    visit.decide("accept_all")
    visit.wait_for(lambda: corner.asked == ["/frame"], "the frame")
    corner.page.evaluate("() => { window.put = frame; put.remove(); }")
    corner.page.evaluate("() => { window.here = true; consent.withdraw(); }")
    corner.page.wait_for_function("() => !window.here && window.consent")
    assert visit.is_refused()


def test_a_damaged_outbox_neither_grants_nor_keeps_anybody_from_deciding(
    corner: Corner, site: DemoSite
) -> None:
    visit = corner.open(site)
    visit.wait_for_notice()
    visit.decide("reject_all")
    visit.wait_for_delivery()
    corner.page.evaluate(
        """key => localStorage.setItem(key, JSON.stringify([{
          decision_id: 'x', version: 1, subject_id: 'zz', decided_at: 'nonsense',
          grants: { analytics: true, stats: true } }]))""",
        site.outbox_key,
    )
    corner.page.route("**/decisions?*", lambda route: route.abort())
    visit = corner.open(site)
    corner.page.wait_for_function("() => window.consent")
    assert corner.page.evaluate("() => consent.grants.analytics") is False
    corner.page.evaluate("() => consent.withdraw()")
    corner.page.unroute("**/decisions?*")
    visit.wait_for(lambda: len(visit.receipts()) == 2, "the record")
    assert corner.errors == []


@_CHROMIUM
def test_a_malformed_cookie_grants_nothing_that_has_no_name(corner: Corner, site: DemoSite) -> None:
    visit = corner.open(site)
    visit.wait_for_notice()
    visit.decide("reject_all")
    corner.page.evaluate(
        "name => document.cookie = document.cookie.match(name + '=[^;]*')[0] + '~'",
        site.cookie_name,
    )
    corner.open(site)
    corner.page.wait_for_function("() => window.consent")
    assert corner.page.evaluate("() => Object.keys(consent.grants).includes('')") is False


def test_a_withdrawal_in_another_tab_cleans_this_one_too(corner: Corner, site: DemoSite) -> None:
    visit = corner.open(site)
    visit.wait_for_notice()
    visit.decide("accept_all")
    visit.wait_for_delivery()
    corner.page.evaluate("() => sessionStorage.setItem('stats_s', '1')")
    other = corner.page.context.new_page()
    other.goto(corner.page.url)
    other.wait_for_function("() => window.consent")
    other.evaluate("() => consent.withdraw()")
    corner.page.wait_for_function("() => !sessionStorage.length")


def test_what_a_gateway_answers_in_json_does_not_end_a_decisions_way(
    corner: Corner, site: DemoSite
) -> None:
    body = json.dumps({"timestamp": "x", "status": 404, "error": "Not Found"})

    def refuse(route: Route) -> None:
        route.fulfill(status=404, content_type="application/json", body=body)

    corner.page.route("**/decisions?*", refuse)
    visit = corner.open(site)
    visit.wait_for_notice()
    with corner.page.expect_response("**/decisions?*"):
        visit.decide("reject_all")
    corner.page.unroute("**/decisions?*")
    corner.page.wait_for_timeout(300)
    corner.page.reload()
    visit.wait_for_delivery()
    assert [one["method"] for one in visit.receipts()] == ["reject_all"]


@_CHROMIUM
def test_the_record_names_the_language_that_stands_there_when_the_page_changes_its_own(
    corner: Corner, owner: OwnerPages, server: RunningServer
) -> None:
    purpose = {"en": "Shows the way.", "fi": "Näyttää tien."}
    services = [describe_service("maps", (), category="functional", purpose=purpose)]
    asked = {"categories": [{"key": "functional"}], "languages": ["fi", "en"]}
    visit = corner.open(publish_site(server, owner.url, "corner-words", services, **asked))
    visit.wait_for_notice()
    shown = visit.notice.locator("h2").inner_text()
    held = '<iframe width=300 height=200 data-consent="service:maps" data-consent-src="https://maps.example.com/">'
    corner.page.evaluate(
        "held => { document.documentElement.lang = 'fi'; document.body.innerHTML += held; }", held
    )
    corner.page.locator("consent-placeholder").wait_for()
    assert visit.notice.locator("h2").inner_text() == shown
    visit.decide("accept_all")
    visit.wait_for_delivery()
    assert [one["language"] for one in visit.receipts()] == ["en"]


@_CHROMIUM
def test_a_second_tag_asks_nothing_where_the_page_has_a_promise_of_its_own(
    corner: Corner, site: DemoSite, server: RunningServer
) -> None:
    own = "<script>window.Promise = class ZoneAwarePromise extends Promise {}</script>"
    again = f'<script src="{server.url}/w/{site.key}.js"></script>'
    corner.open(site, f"{again}<p>Text.", own).wait_for_notice()
    corner.page.wait_for_timeout(300)
    assert corner.page.locator("consent-notice").count() == 1


@_CHROMIUM
def test_a_withdrawal_before_there_is_a_body_throws_nothing(corner: Corner, site: DemoSite) -> None:
    visit = corner.open(site)
    visit.wait_for_notice()
    visit.decide("accept_all")
    visit.wait_for_delivery()
    visit = corner.open(site, head="<script>consent.withdraw()</script>")
    visit.wait_for(visit.is_refused, "the withdrawal")
    assert corner.errors == []


def test_what_lay_hidden_has_its_placeholder_when_it_is_shown(
    corner: Corner, site: DemoSite
) -> None:
    frame = '<iframe data-consent="service:maps" title=Map width=400 height=300></iframe>'
    corner.open(site, f"<div id=tab hidden>{frame}</div>").wait_for_notice()
    corner.page.evaluate("() => { tab.hidden = false; }")
    corner.page.locator("consent-placeholder").wait_for()
    box = corner.page.locator("consent-placeholder").bounding_box()
    assert box is not None
    assert (round(box["width"]), round(box["height"])) == (404, 304)  # with its border


def test_back_gives_the_focus_to_what_opened_the_preferences(
    corner: Corner, site: DemoSite
) -> None:
    visit = corner.open(site, "<button id=own onclick='consent.show()'>Choices</button>")
    visit.wait_for_notice()
    visit.decide("reject_all")
    corner.page.locator("#own").focus()
    corner.page.keyboard.press("Enter")
    visit.preferences.wait_for()
    visit.button("close").focus()
    corner.page.keyboard.press("Enter")
    visit.preferences.wait_for(state="detached")
    assert corner.page.evaluate("() => document.activeElement.id") == "own"


@_CHROMIUM
def test_preferences_that_the_page_opens_at_once_after_a_withdrawal_stay(
    corner: Corner, site: DemoSite
) -> None:
    visit = corner.open(site)
    visit.wait_for_notice()
    visit.open_preferences()
    corner.page.evaluate("() => { consent.withdraw(); consent.show(); }")
    visit.wait_for_delivery()
    assert visit.preferences.is_visible()


def _allow_elsewhere(page: Page, owner: OwnerPages) -> None:
    page.context.add_cookies([{"name": "CookieConsent", "value": _YES, "url": owner.url}])


@_CHROMIUM
def test_what_was_said_to_another_manager_is_taken_over_once(
    corner: Corner, importing: DemoSite, owner: OwnerPages
) -> None:
    _allow_elsewhere(corner.page, owner)
    visit = corner.open(importing)
    visit.wait_for(lambda: visit.decision() is not None, "the import")
    visit.wait_for_delivery()
    corner.page.evaluate("() => consent.withdraw()")
    visit.wait_for_delivery()
    # As when it has run out, or the visitor had the record erased.
    corner.page.context.clear_cookies(name=importing.cookie_name)
    visit = corner.open(importing)
    visit.wait_for_notice()
    assert visit.decision() is None


@_CHROMIUM
def test_an_import_does_not_come_over_a_refusal_that_was_given_meanwhile(
    corner: Corner, importing: DemoSite, owner: OwnerPages, server: RunningServer
) -> None:
    other = corner.page.context.new_page()
    asking = Corner(other, owner, server, Trackers()).open(importing)
    asking.wait_for_notice()
    _allow_elsewhere(corner.page, owner)
    tag = f'<script src="{server.url}/w/{importing.key}.js"></script>'
    owner.pages["/slow"] = (f"<!doctype html>{tag}<script src=/stall.js></script><body>Text.", {})
    owner.pages["/stall.js"] = (f"1;{PAUSE * 14}2", {"Content-Type": "text/javascript"})
    corner.page.goto(f"{owner.url}/slow", wait_until="commit")
    corner.page.wait_for_function("() => window.consent")
    asking.decide("reject_all")
    corner.page.wait_for_load_state("load")
    corner.page.wait_for_timeout(500)
    assert Visit(corner.page, importing, server).is_refused()
