"""L8: withdrawal stops what ran, removes what it stored, and everybody is told."""

from __future__ import annotations

import pytest

from consent_server.rules.cookie import parse_cookie

from ..own_site import describe_service, publish_site
from ..owner_pages import OwnerPages
from ..running_server import RunningServer
from ..trackers import Trackers
from ..visit import Visit, wait_until_settled, watch_silence


@pytest.fixture
def withdrawn(asked: Visit, trackers: Trackers) -> Visit:
    """A visitor who allowed everything, saw it run, and took it back."""
    asked.decide("accept_all")
    wait_until_settled(asked.page, trackers)
    assert trackers.runs, "something ran that there is to withdraw"
    assert len(asked.first_party_names()) > 1, "something was stored"
    asked.wait_for_delivery()
    asked.reopen_preferences()
    asked.choose("withdraw")
    asked.wait_for(asked.is_refused, "the withdrawal is kept")
    asked.wait_for_delivery()
    asked.page.wait_for_load_state("load")
    wait_until_settled(asked.page, trackers)
    trackers.clear()
    return asked


def test_l08_after_withdrawal_and_reload_no_cookie_is_left_and_nothing_is_sent(
    withdrawn: Visit, trackers: Trackers
) -> None:
    withdrawn.page.reload()
    for name in ("contact", ""):
        withdrawn.go(name)
        watch_silence(withdrawn.page, trackers, 1.0)
        assert withdrawn.first_party_names() == {withdrawn.site.cookie_name}
        assert withdrawn.storage() == {}
        assert not withdrawn.notice_is_shown


def test_l08_the_server_is_told_and_the_sites_own_server_reads_it(withdrawn: Visit) -> None:
    assert [one["kind"] for one in withdrawn.receipts()] == ["withdrawn", "given"]
    stored = parse_cookie(withdrawn.cookies()[withdrawn.site.cookie_name])
    assert stored is not None
    assert not any(stored.grants.values())


@pytest.mark.parametrize(
    ("held", "reloads"),
    [
        ('<img alt="" data-consent="analytics" data-consent-src="{}/pixel.gif">', False),
        (
            '<script type="text/plain" data-consent="analytics" data-consent-src="{}/run.js">'
            "</script>",
            True,
        ),
    ],
    ids=["a picture is taken out", "a script that ran can be stopped by a reload only"],
)
def test_l08_the_page_is_loaded_again_only_where_nothing_else_stops_a_script(
    smilee: Visit,
    owner: OwnerPages,
    server: RunningServer,
    trackers: Trackers,
    held: str,
    reloads: bool,
) -> None:
    visit = smilee
    visit.site = publish_site(server, owner.url, "reloaded", [describe_service("counter", ())])
    tag = f'<script src="{server.url}/w/{visit.site.key}.js"></script>'
    body = held.format("https://held.example.com")
    owner.pages["/"] = (f'<!doctype html><html lang="en">{tag}<title>Shop</title>{body}', {})
    visit.page.goto(f"{owner.url}/")
    visit.wait_for_notice()
    visit.decide("accept_all")
    visit.wait_for(lambda: bool(trackers.requests), "it loads")
    visit.page.wait_for_timeout(200)
    loads: list[str] = []
    visit.page.on("load", lambda page: loads.append(page.url))
    visit.reopen_preferences()
    visit.choose("withdraw")
    visit.wait_for(visit.is_refused, "withdrawn")
    visit.page.wait_for_timeout(1_000)
    assert bool(loads) is reloads
    assert visit.page.locator("img[src]").count() == 0
