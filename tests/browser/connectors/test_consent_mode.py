"""Google Consent Mode: what the data layer holds, entry by entry, on every kind of visit."""

from __future__ import annotations

import pytest

from tests.browser.conftest import NewProfile
from tests.browser.running_server import RunningServer
from tests.browser.sites import DemoSite
from tests.browser.trackers import Trackers
from tests.browser.visit import Visit, watch_silence

from .conftest import MakeShop, held
from .data_layer import (
    ALL,
    CONFIG,
    GTAG,
    JS,
    LIBRARY,
    READ,
    REDACT,
    SERVICES,
    TYPES,
    layer_of,
    told,
    wait_for_layer,
)

_GTM = """(function(w,d,s,l,i){w[l]=w[l]||[];w[l].push({'gtm.start':
1,event:'gtm.js'});var f=d.getElementsByTagName(s)[0],
j=d.createElement(s),dl=l!='dataLayer'?'&l='+l:'';j.async=true;j.src=
'https://www.googletagmanager.com/gtm.js?id='+i+dl;f.parentNode.insertBefore(j,f);
})(window,document,'script','dataLayer','GTM-ABC');"""

_DEFAULT = [told("default"), REDACT]


@pytest.fixture(scope="module")
def shop(make_shop: MakeShop) -> tuple[DemoSite, str]:
    return make_shop(SERVICES, held("google-analytics", LIBRARY) + held("google-analytics", GTAG))


@pytest.fixture
def visit(new_profile: NewProfile, shop: tuple[DemoSite, str], server: RunningServer) -> Visit:
    """A first visit."""
    site, address = shop
    visit = Visit(new_profile().new_page(), site, server)
    visit.page.goto(address)
    visit.wait_for_notice()
    return visit


def test_a_first_visit_is_denied_everything_and_asks_google_nothing(
    visit: Visit, trackers: Trackers
) -> None:
    watch_silence(visit.page, trackers, 0.5)
    assert layer_of(visit.page) == _DEFAULT
    assert visit.page.evaluate("window['ga-disable-G-ABC123']") is True


def test_accept_is_one_update_before_the_tag(visit: Visit, trackers: Trackers) -> None:
    visit.decide("accept_all")
    wait_for_layer(visit, [*_DEFAULT, told("update", *ALL), JS, CONFIG])
    assert visit.page.evaluate("window['ga-disable-G-ABC123']") is False
    assert [one.url for one in trackers.requests] == [LIBRARY.partition("?")[0]]


def test_reject_is_one_update_and_no_tag(visit: Visit, trackers: Trackers) -> None:
    visit.decide("reject_all")
    watch_silence(visit.page, trackers, 0.5)
    assert layer_of(visit.page) == [*_DEFAULT, told("update")]


@pytest.mark.parametrize(
    ("switches", "granted"),
    [
        (["google-analytics"], ["google-analytics"]),
        (["google-ads"], ["google-ads"]),
        (["hotjar"], []),
        (["smilee-chat"], ["functional"]),
    ],
)
def test_a_partial_yes_grants_what_it_names(
    visit: Visit, switches: list[str], granted: list[str]
) -> None:
    visit.open_preferences()
    for switch in switches:
        visit.toggle_service(switch)
    visit.decide("save")
    tag = [JS, CONFIG] if "google-analytics" in granted else []
    wait_for_layer(visit, [*_DEFAULT, told("update", *granted), *tag])


def test_a_visitor_who_comes_back_has_default_and_update_before_any_tag(
    visit: Visit, shop: tuple[DemoSite, str]
) -> None:
    visit.decide("accept_all")
    visit.page.goto(shop[1])
    wait_for_layer(visit, [*_DEFAULT, told("update", *ALL), JS, CONFIG])
    visit.reopen_preferences()
    visit.toggle_service("hotjar")
    visit.decide("save")  # the services of Google's stay as they were: told once more, all the same
    wait_for_layer(
        visit,
        [*_DEFAULT, told("update", *ALL), JS, CONFIG, told("update", *ALL)],
    )


def test_a_visitor_who_refused_and_comes_back_is_denied_twice(
    visit: Visit, shop: tuple[DemoSite, str]
) -> None:
    visit.decide("reject_all")
    visit.page.goto(shop[1])
    wait_for_layer(visit, [*_DEFAULT, told("update")])


def test_a_withdrawal_denies_before_the_page_goes(visit: Visit, shop: tuple[DemoSite, str]) -> None:
    visit.decide("accept_all")
    wait_for_layer(visit, [*_DEFAULT, told("update", *ALL), JS, CONFIG])
    visit.page.evaluate(
        f"addEventListener('pagehide', () => {{ sessionStorage.layer = JSON.stringify({READ}); }})"
    )
    visit.reopen_preferences()
    visit.choose("withdraw")
    visit.page.wait_for_function("sessionStorage.layer")
    left = visit.page.evaluate("JSON.parse(sessionStorage.layer)")
    assert left == [*_DEFAULT, told("update", *ALL), JS, CONFIG, told("update")]
    wait_for_layer(visit, [*_DEFAULT, told("update")])


def test_another_tab_hears_of_a_decision_once(visit: Visit, shop: tuple[DemoSite, str]) -> None:
    other = Visit(visit.page.context.new_page(), visit.site, visit.server)
    other.page.goto(shop[1])
    other.wait_for_notice()
    visit.decide("reject_all")
    wait_for_layer(other, [*_DEFAULT, told("update")])


def test_a_page_that_began_before_an_async_script_of_ours_is_denied_first(
    new_profile: NewProfile, server: RunningServer, make_shop: MakeShop
) -> None:
    site, address = make_shop(
        ["google-analytics"],
        held("google-analytics", LIBRARY),
        before=f"<script>{GTAG}</script>",
        load=" async",
    )
    visit = Visit(new_profile().new_page(), site, server)
    visit.page.goto(address)
    visit.wait_for_notice()
    first, *rest = layer_of(visit.page)
    assert first[:2] == ["consent", "default"]
    assert rest == [JS, CONFIG]


def test_tag_manager_has_an_event_for_its_triggers(
    new_profile: NewProfile, server: RunningServer, make_shop: MakeShop
) -> None:
    site, address = make_shop(
        ["google-tag-manager", "hotjar"],
        held("google-tag-manager", _GTM),
        consent_mode={"types": {"ad_storage": "hotjar"}, "url_passthrough": True},
    )
    visit = Visit(new_profile().new_page(), site, server)
    visit.page.goto(address)
    visit.wait_for_notice()
    before = [entry[:2] for entry in layer_of(visit.page)]
    assert before == [
        ["consent", "default"],
        ["set", "ads_data_redaction"],
        ["set", "url_passthrough"],
    ]
    visit.decide("accept_all")
    visit.wait_for(lambda: len(layer_of(visit.page)) == 6, "the container")
    _, _, _, update, event, start = layer_of(visit.page)
    assert update[2]["ad_storage"] == update[2]["analytics_storage"] == "granted"
    assert event["event"]["event"] == "consent_update"
    assert event["event"]["consent"]["google-tag-manager"] is True
    assert event["event"]["consent"]["marketing"] is True
    assert start["event"]["event"] == "gtm.js"


def test_advanced_mode_holds_nothing_of_googles_and_denies_first(
    new_profile: NewProfile, server: RunningServer, make_shop: MakeShop, trackers: Trackers
) -> None:
    site, address = make_shop(
        [{"use": "google-analytics", "ids": ["G-ABC123"]}, "meta-pixel"],
        f'<script async src="{LIBRARY}"></script><script>{GTAG}</script>',
        consent_mode={"mode": "advanced"},
    )
    visit = Visit(new_profile().new_page(), site, server)
    visit.page.goto(address)
    visit.wait_for_notice()
    default, js, config = layer_of(visit.page)
    assert default[2]["wait_for_update"] == 500
    assert {default[2][name] for name in TYPES} == {"denied"}
    assert [js, config] == [JS, CONFIG]
    assert visit.page.evaluate("window['ga-disable-G-ABC123']") is None
    visit.wait_for(lambda: len(trackers.requests) == 1, "the tag")
    visit.page.evaluate("window.__stays = true")
    visit.decide("accept_all")
    visit.reopen_preferences()
    visit.decide("withdraw")
    commands = [entry[:2] for entry in layer_of(visit.page)]
    assert commands[3:] == [["consent", "update"]] * 2
    assert visit.page.evaluate("window.__stays") is True


def test_a_site_without_google_tells_nobody_unless_it_asks(
    new_profile: NewProfile, server: RunningServer, make_shop: MakeShop
) -> None:
    site, address = make_shop(["hotjar"], "")
    visit = Visit(new_profile().new_page(), site, server)
    visit.page.goto(address)
    visit.wait_for_notice()
    visit.decide("accept_all")
    assert visit.page.evaluate("window.dataLayer === undefined")
    site, address = make_shop(["hotjar"], "", signals=["google_consent_mode", "data_layer"])
    visit = Visit(new_profile().new_page(), site, server)
    visit.page.goto(address)
    visit.wait_for_notice()
    visit.decide("accept_all")
    kinds = [entry[1] if isinstance(entry, list) else "event" for entry in layer_of(visit.page)]
    assert kinds == ["default", "ads_data_redaction", "update", "event"]
