"""Withdrawal: two clicks, and what was allowed is over."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from .conftest import NewProfile
from .own_site import describe_service, publish_site
from .owner_pages import OwnerPages
from .running_server import RunningServer
from .sites import DemoSite
from .tracker_answers import Answer
from .trackers import Trackers
from .visit import Visit, wait_until_settled, watch_silence

_COUNTER = "https://counter.example.com/count.js"
_SERVICE = describe_service(
    "counter",
    (
        ("cookie", "_count*"),
        ("indexed_db", "counter-*"),
        ("cache_storage", "counter-*"),
        ("local_storage", "counter"),
        ("session_storage", "counter_*_s"),
    ),
)
_PLACES = ["/", "/deep", "/deep/er", "/deep/er/", "/deep/er/page"]
_DOMAINS = ["", "www.shop.example.com", "shop.example.com", "example.com"]
#: Stores in every place of a page, keeps its connection to the database, and says when it is done.
_STORE = """(async () => {
  for (const path of %s)
    for (const domain of %s)
      document.cookie = '_count' + (domain && '_d') + '=1;max-age=9999;path=' + path
        + (domain && ';domain=' + domain);
  localStorage.counter = sessionStorage.counter_1_s = 1;
  localStorage.counters = sessionStorage.counter_s = 1;
  const open = indexedDB.open('counter-store');
  await new Promise((done) => { open.onsuccess = done; });
  window.connection = open.result;
  await (await caches.open('counter-pages')).put('/kept', new Response('kept'));
  await caches.open('pages');
  window.__stored = true;
})();"""


@pytest.fixture(scope="module")
def patient_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server that takes many decisions a minute from one address."""
    settings = {"CONSENT_DECISIONS_PER_MINUTE": "1000"}
    running = RunningServer(tmp_path_factory.mktemp("patient-server"), settings=settings)
    running.start()
    yield running
    running.stop()


def _page(tag: str) -> str:
    return (
        f'<!doctype html><html lang="en">{tag}<title>Shop</title>'
        '<script type="text/plain" data-consent="analytics" '
        f'data-consent-src="{_COUNTER}"></script>'
    )


def _withdraw(visit: Visit) -> None:
    """Withdraw where a script ran, and see the page come again."""
    visit.page.evaluate("window.__old = true")
    visit.reopen_preferences()
    visit.choose("withdraw")
    visit.page.wait_for_function("window.__old === undefined && document.readyState === 'complete'")


def test_two_clicks_withdraw_and_no_tag_runs_again_nor_stays_anything_behind(
    new_profile: NewProfile, site: DemoSite, server: RunningServer, trackers: Trackers
) -> None:
    visit = Visit(new_profile().new_page(), site, server)
    visit.go()
    visit.wait_for_notice()
    visit.decide("accept_all")
    wait_until_settled(visit.page, trackers)
    assert trackers.runs, "something ran that there is to withdraw"
    left = visit.first_party_names()
    assert left - {site.cookie_name}, "the services stored something"

    visit.reopen_preferences()
    visit.choose("withdraw")

    visit.wait_for(visit.is_refused, "the withdrawal is kept")
    visit.wait_for_delivery()
    # The page may reload itself to stop what runs; nothing of it counts as running again.
    visit.page.wait_for_load_state("load")
    wait_until_settled(visit.page, trackers)
    trackers.clear()
    for name in ("", "contact", "privacy"):
        visit.go(name)
        watch_silence(visit.page, trackers, 1.0)
        assert not visit.notice_is_shown
        assert visit.first_party_names() == {site.cookie_name}
        assert visit.storage() == {}
    methods = [receipt["method"] for receipt in visit.receipts()]
    assert methods == ["withdraw", "accept_all"]


@pytest.mark.parametrize("next_page_has_our_tag", [False, True], ids=["untagged", "tagged"])
def test_a_withdrawal_that_reloads_is_recorded_once_twenty_times_out_of_twenty(
    new_profile: NewProfile,
    owner: OwnerPages,
    patient_server: RunningServer,
    trackers: Trackers,
    next_page_has_our_tag: bool,
) -> None:
    """Where the next page has no tag of ours, only the page that went can have told the server."""
    site = publish_site(patient_server, owner.url, "withdrawn", [_SERVICE])
    tag = f'<script src="{patient_server.url}/w/{site.key}.js"></script>'
    visit = Visit(new_profile().new_page(), site, patient_server)
    for _ in range(20):
        owner.pages["/"] = (_page(tag), {})
        trackers.clear()
        visit.page.goto(f"{owner.url}/")
        visit.wait_for_notice()
        visit.decide("accept_all")
        visit.wait_for(lambda: len(trackers.runs) == 1, "the script runs")
        if not next_page_has_our_tag:
            visit.wait_for_delivery()
            owner.pages["/"] = (_page(""), {})
        _withdraw(visit)
        if next_page_has_our_tag:
            visit.wait_for_delivery()
        visit.wait_for(lambda: len(visit.receipts()) == 2, "both records")
        assert [receipt["method"] for receipt in visit.receipts()] == ["withdraw", "accept_all"]
        assert visit.is_refused()
        visit.page.context.clear_cookies()


def test_a_withdrawal_cleans_every_place_that_a_script_of_the_page_can_store_in(
    page: Page, server: RunningServer, trackers: Trackers
) -> None:
    origin = "https://www.shop.example.com"
    site = publish_site(server, origin, "cleaned", [_SERVICE])
    address = f"{origin}/deep/er/page"
    with urllib.request.urlopen(f"{server.url}/w/{site.key}.js", timeout=10) as answer:
        script = answer.read()
    trackers.answers = {
        f"{origin}/w/{site.key}.js": Answer(200, "text/javascript", script),
        f"{origin}/": Answer(
            200, "text/html", _page(f'<script src="/w/{site.key}.js"></script>').encode()
        ),
        _COUNTER: Answer(200, "text/javascript", (_STORE % (_PLACES, _DOMAINS)).encode()),
    }
    visit = Visit(page, site, server)
    page.goto(address)
    visit.wait_for_notice()
    visit.decide("accept_all")
    page.wait_for_function("window.__stored === true")
    counted = [one for one in page.context.cookies() if one.get("name", "").startswith("_count")]
    places = {(one.get("domain"), one.get("path")) for one in counted}
    assert len(places) == len(_PLACES) * len(_DOMAINS), "each is a cookie of its own"
    before = visit.storage()
    assert before["indexed_db"] == ["counter-store"]
    assert before["cache_storage"] == ["counter-pages", "pages"]

    _withdraw(visit)

    visit.wait_for(lambda: "indexed_db" not in visit.storage(), "the open database is gone")
    assert set(visit.cookies()) == {site.cookie_name}
    after = visit.storage()
    assert after["cache_storage"] == ["pages"]
    assert after["session_storage"] == ["counter_s"], "only what the pattern covers went"
    assert "counters" in after["local_storage"]
    assert "counter" not in after["local_storage"]


def test_a_database_that_a_withdrawn_page_keeps_open_is_gone_without_a_reload_once_it_is_closed(
    page: Page, owner: OwnerPages, server: RunningServer
) -> None:
    site = publish_site(server, owner.url, "opened", [_SERVICE])
    tag = f'<script src="{server.url}/w/{site.key}.js"></script>'
    owner.pages["/"] = (f'<!doctype html><html lang="en">{tag}<title>Shop</title>', {})
    visit = Visit(page, site, server)
    page.goto(f"{owner.url}/")
    visit.wait_for_notice()
    visit.decide("accept_all")
    page.evaluate(_STORE % ([], []))
    page.wait_for_function("window.__stored === true")
    visit.reopen_preferences()
    visit.choose("withdraw")
    visit.wait_for(lambda: "cache_storage" in visit.storage(), "still the same page")
    assert page.evaluate("window.__stored") is True
    page.evaluate("connection.close()")
    visit.wait_for(lambda: "indexed_db" not in visit.storage(), "the database is gone")
