"""Release: after a yes each tag runs once, in document order, without a reload."""

from __future__ import annotations

from playwright.sync_api import Page

from consent_server.catalogue import get_service

from .conftest import NewProfile, Profile
from .demo_pages import Tag, pages_with, tags_of
from .running_server import RunningServer
from .sites import DemoSite, belongs_to
from .trackers import Seen, Trackers
from .visit import Visit, wait_until_settled

PAGES = ("", "contact")
# The first tag of the page is answered last: whoever starts code by arrival gets the order wrong.
DELAY_STEP = 0.06


def _times_asked(requests: list[Seen], tag: Tag) -> int:
    return sum(one.full_url.startswith(tag.prefix) for one in requests)


def _wait_until_asked(visit: Visit, trackers: Trackers, tag: Tag) -> None:
    visit.wait_for(lambda: _times_asked(trackers.requests, tag) > 0, f"{tag} is requested")


def _answer_first_tag_last(trackers: Trackers, tags: list[Tag]) -> None:
    for place, tag in enumerate(reversed(tags)):
        trackers.delays.setdefault(tag.prefix, place * DELAY_STEP)


# A script that runs when it arrives starts when its element enters the page: how soon the browser
# then asks for it is the browser's own affair (Firefox lets known trackers wait).
_NOTE_SCRIPTS = """() => {
  window.__inserted = [];
  new MutationObserver((records) => {
    for (const { addedNodes } of records)
      for (const node of addedNodes)
        if (node.tagName === 'SCRIPT' && node.src) window.__inserted.push(node.src);
  }).observe(document, { childList: true, subtree: true });
}"""


def _first_places(started: list[str], tags: list[Tag]) -> list[int]:
    return [
        next((n for n, url in enumerate(started) if url.startswith(tag.prefix)), -1) for tag in tags
    ]


def test_accept_all_runs_each_tag_once_in_document_order_without_a_reload(
    new_profile: NewProfile, site: DemoSite, server: RunningServer, trackers: Trackers
) -> None:
    for name in PAGES:
        context = new_profile()
        visit = Visit(context.new_page(), site, server)
        tags = tags_of(site.key, name)
        assert tags, "the page has tags"
        _answer_first_tag_last(trackers, tags)
        visit.go(name)
        visit.wait_for_notice()
        visit.page.evaluate("window.__still_here = true")
        trackers.clear()
        visit.page.evaluate(_NOTE_SCRIPTS)
        visit.decide("accept_all")
        for tag in tags:
            _wait_until_asked(visit, trackers, tag)
        requests = wait_until_settled(visit.page, trackers)
        assert {tag: _times_asked(requests, tag) for tag in tags} == dict.fromkeys(tags, 1)
        inserted = visit.page.evaluate("window.__inserted")
        _assert_document_order(trackers, inserted, tags)
        assert visit.page.evaluate("window.__still_here") is True
        allowed = [get_service(key) for key in site.optional_services]
        strange = [o.url for o in requests if not any(belongs_to(o.url, s) for s in allowed)]
        assert strange == []
        context.close()


def _assert_document_order(trackers: Trackers, inserted: list[str], tags: list[Tag]) -> None:
    scripts = [tag for tag in tags if tag.kind != "embed"]
    _assert_ascending(scripts, _first_places(inserted, scripts))
    in_order = [tag for tag in tags if tag.kind == "script"]
    ran = [run.url for run in trackers.runs]
    _assert_ascending(in_order, _first_places(ran, in_order))


def _assert_ascending(tags: list[Tag], places: list[int]) -> None:
    found = dict(zip(tags, places, strict=True))
    assert -1 not in places, found
    assert places == sorted(places), found


def test_allowing_one_service_asks_only_the_hosts_of_that_service(
    new_profile: NewProfile, site: DemoSite, server: RunningServer, trackers: Trackers
) -> None:
    for key in site.optional_services:
        context = new_profile()
        visit = Visit(context.new_page(), site, server)
        name = pages_with(site.key, key)[0]
        trackers.clear()
        visit.go(name)
        visit.wait_for_notice()
        visit.open_preferences()
        visit.toggle_service(key)
        visit.decide("save")
        decision = visit.decision()
        assert decision is not None
        assert decision.grants == site.expected_grants(key)
        own = [tag for tag in tags_of(site.key, name) if tag.service == key]
        for tag in own:
            _wait_until_asked(visit, trackers, tag)
        requests = wait_until_settled(visit.page, trackers)
        assert {tag: _times_asked(requests, tag) for tag in own} == dict.fromkeys(own, 1)
        _assert_only(key, trackers)
        context.close()


def _assert_only(key: str, trackers: Trackers) -> None:
    service = get_service(key)
    assert [one.url for one in trackers.requests if not belongs_to(one.url, service)] == []
    reached = {one.host for one in trackers.requests}
    assert trackers.hosts() <= reached, "not even a connection to another host"


def test_the_choice_holds_on_the_next_page_in_a_new_tab_and_after_a_restart(
    profile: Profile, site: DemoSite, server: RunningServer, trackers: Trackers
) -> None:
    context = profile.open()
    visit = Visit(context.new_page(), site, server)
    key = next(k for k in site.optional_services if set(PAGES) <= set(pages_with(site.key, k)))
    visit.go()
    visit.wait_for_notice()
    visit.open_preferences()
    visit.toggle_service(key)
    visit.decide("save")
    decision = visit.decision()
    visit.wait_for_delivery()
    wait_until_settled(visit.page, trackers)
    _assert_holds(visit, key, trackers, "contact")
    _assert_holds(Visit(context.new_page(), site, server), key, trackers, "")
    again = Visit(profile.restart().new_page(), site, server)
    _assert_holds(again, key, trackers, "")
    assert again.decision() == decision


def _assert_holds(visit: Visit, key: str, trackers: Trackers, name: str) -> None:
    trackers.clear()
    visit.go(name)
    own = [tag for tag in tags_of(visit.site.key, name) if tag.service == key]
    for tag in own:
        _wait_until_asked(visit, trackers, tag)
    requests = wait_until_settled(visit.page, trackers)
    assert {tag: _times_asked(requests, tag) for tag in own} == dict.fromkeys(own, 1)
    _assert_only(key, trackers)
    assert not visit.notice_is_shown


def test_the_button_of_a_placeholder_loads_that_embed_and_nothing_else(
    page: Page, site: DemoSite, server: RunningServer, trackers: Trackers
) -> None:
    visit = Visit(page, site, server)
    visit.go("contact")
    visit.wait_for_notice()
    embed = next(tag for tag in tags_of(site.key, "contact") if tag.kind == "embed")
    visit.placeholder_of(embed.service).locator("[data-consent-action=allow_service]").click()
    _wait_until_asked(visit, trackers, embed)
    requests = wait_until_settled(page, trackers)
    assert _times_asked(requests, embed) == 1
    _assert_only(embed.service, trackers)
    decision = visit.decision()
    assert decision is not None
    assert decision.grants == site.expected_grants(embed.service)
