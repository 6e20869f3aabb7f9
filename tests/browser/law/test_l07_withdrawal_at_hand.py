"""L7: the way back is on every page, two clicks long, and the notice itself tells of it."""

from __future__ import annotations

import pytest

from consent_server import texts
from consent_server.languages import LANGUAGES
from consent_server.site_form import load_site_form
from consent_server.snapshot import build_snapshot
from tests.conftest import ReadSite

from ..conftest import NewProfile
from ..running_server import RunningServer
from ..sites import DemoSite
from ..visit import Visit


def test_l07_from_every_page_two_clicks_withdraw_what_was_given(
    new_profile: NewProfile, site: DemoSite, server: RunningServer
) -> None:
    visit = Visit(new_profile().new_page(), site, server)
    visit.go()
    visit.wait_for_notice()
    visit.decide("accept_all")
    for name in ("", "contact", "privacy"):
        visit.go(name)
        visit.reopen_preferences()  # one click
        assert visit.button("withdraw").is_visible(), name
        assert visit.button("withdraw").bounding_box(), "in sight"
        visit.choose("close")
        visit.preferences.wait_for(state="detached")
    visit.reopen_preferences()
    visit.choose("withdraw")  # the second
    visit.wait_for(visit.is_refused, "withdrawn")
    # The page may load itself again meanwhile.
    visit.page.wait_for_function(
        "keys => window.consent?.decided && keys.every((key) => consent.grants[key] === false)",
        arg=list(site.optional_services),
    )


@pytest.mark.parametrize("key", ["getjenny", "jackbot", "jiminny", "smilee", "ujet"])
def test_l07_the_notice_tells_how_to_withdraw_in_every_language_of_a_site(
    read_site: ReadSite, key: str
) -> None:
    for language, words in build_snapshot(load_site_form(read_site(key)))["texts"].items():
        assert words["ui"]["entry"] in words["ui"]["body"], language


@pytest.mark.parametrize("language", LANGUAGES)
def test_l07_the_words_that_ship_tell_where_the_way_back_is(language: str) -> None:
    assert "{entry}" in texts.translate(language, texts.UI_TEXTS["body"])


def test_l07_the_way_back_has_the_name_that_the_notice_told(
    asked: Visit, server: RunningServer
) -> None:
    told = asked.notice.locator("#body").inner_text()
    asked.decide("reject_all")
    entry = asked.page.locator("consent-notice > button.entry")
    name = entry.get_attribute("aria-label")
    assert name
    assert name in told
    drawn = "one => getComputedStyle(one, '::after').content"
    assert entry.evaluate(drawn) == "none"
    width = entry.evaluate("one => one.offsetWidth")
    entry.hover()
    assert entry.evaluate("one => one.offsetWidth") > 2 * width, "its words, once it is pointed at"
