"""Language: the notice speaks that of the page, else that of the browser, and never two."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from consent_server import texts
from consent_server.rules.languages import match_language

from .conftest import NewProfile
from .own_site import describe_service, publish_site
from .owner_pages import OwnerPages, running_owner_pages
from .running_server import RunningServer
from .sites import DemoSite
from .visit import Visit

KNOWN = ("fi", "en", "sv", "nb", "ar")


@pytest.fixture(scope="module")
def owner() -> Iterator[OwnerPages]:
    with running_owner_pages() as pages:
        yield pages


@pytest.fixture(scope="module")
def shop(server: RunningServer, owner: OwnerPages) -> DemoSite:
    words = {"purpose": dict.fromkeys(KNOWN, "Tells how the shop is used.")}
    counter = describe_service("counter", (), **words)
    return publish_site(server, owner.url, "tongues", [counter], languages=list(KNOWN))


def _page(server: RunningServer, root: str, body: str) -> str:
    script = f'<script src="{server.url}/w/tongues.js"></script>'
    return f"<!doctype html><html {root}><head>{script}<title>Shop</title></head>{body}<p>Text."


#: The page's mark-up, the browser's language, and what is read.
PAGES = [
    ('lang="sv"', "<body>", "en-GB", "sv"),
    ('lang="sv-FI"', "<body>", "en-GB", "sv"),
    ('lang="SV"', "<body>", "en-GB", "sv"),
    # A page inside a page of another language, as translated parts of a portal are.
    ('lang="fi"', '<body lang="sv">', "en-GB", "sv"),
    ("", '<body lang="sv">', "en-GB", "sv"),
    # We have none of the page's language: the browser's, whole.
    ('lang="ja"', "<body>", "sv-SE", "sv"),
    ('lang="fil"', "<body>", "sv-SE", "sv"),
    ('lang=""', "<body>", "sv-SE", "sv"),
    ("", "<body>", "sv-SE", "sv"),
    # Norwegian goes by three tags.
    ('lang="no"', "<body>", "en-GB", "nb"),
    ('lang="ja"', "<body>", "nn-NO", "nb"),
    # Neither: the site's first.
    ('lang="ja"', "<body>", "ja-JP", "fi"),
]


@pytest.mark.parametrize(("root", "body", "browser", "expected"), PAGES)
def test_the_notice_speaks_the_language_of_the_page_or_else_of_the_browser(
    new_profile: NewProfile,
    server: RunningServer,
    owner: OwnerPages,
    shop: DemoSite,
    root: str,
    body: str,
    browser: str,
    expected: str,
) -> None:
    owner.pages["/"] = (_page(server, root, body), {})
    page = new_profile(locale=browser).new_page()
    page.goto(f"{owner.url}/")
    visit = Visit(page, shop, server)
    visit.wait_for_notice()
    assert page.locator("consent-notice").get_attribute("lang") == expected
    shown = visit.notice.inner_text()
    for label in ("accept_all", "reject_all", "settings"):
        assert texts.translate(expected, texts.UI_TEXTS[label]) in shown


def test_a_page_in_xml_tells_its_language_by_xml_lang(
    new_profile: NewProfile, server: RunningServer, owner: OwnerPages, shop: DemoSite
) -> None:
    page_text = (
        '<html xmlns="http://www.w3.org/1999/xhtml" xml:lang="sv"><head><title>Shop</title>'
        f'<script src="{server.url}/w/tongues.js"></script></head><body><p>Text.</p></body></html>'
    )
    owner.pages["/"] = (page_text, {"Content-Type": "application/xhtml+xml"})
    page = new_profile(locale="en-GB").new_page()
    page.goto(f"{owner.url}/")
    Visit(page, shop, server).wait_for_notice()
    assert page.locator("consent-notice").get_attribute("lang") == "sv"


@pytest.mark.parametrize("accepted", ["sv-FI,sv;q=0.9,en;q=0.8", "ja,en;q=0.5", "de-AT,fi;q=0.1"])
def test_the_servers_pages_speak_the_language_that_the_notice_would(
    new_profile: NewProfile, server: RunningServer, shop: DemoSite, accepted: str
) -> None:
    wishes = [wish.partition(";")[0] for wish in accepted.split(",")]
    context = new_profile(extra_http_headers={"Accept-Language": accepted})
    page = context.new_page()
    for path in ("versions", "versions/1", "me"):
        page.goto(f"{server.url}/w/{shop.key}/{path}")
        language = page.locator("html").get_attribute("lang")
        assert language == match_language(wishes, KNOWN)


def test_in_arabic_all_runs_from_right_to_left_and_names_stay_as_they_are_written(
    page: Page, server: RunningServer, owner: OwnerPages
) -> None:
    counter = describe_service(
        "counter",
        (("cookie", "_ex_*"),),
        purpose={"ar": "قياس استخدام الموقع."},
        provider={"name": "Counter Inc.", "country": "IE", "policy": "https://c.example/"},
    )
    site = publish_site(server, owner.url, "arabic", [counter], languages=["ar"])
    tag = f'<script src="{server.url}/w/{site.key}.js"></script>'
    owner.pages["/"] = (f'<!doctype html><html lang="ar" dir="rtl">{tag}<title>Shop</title>', {})
    page.goto(f"{owner.url}/")
    visit = Visit(page, site, server)
    visit.wait_for_notice()
    assert page.locator("consent-notice").get_attribute("dir") == "rtl"
    accept, reject = (visit.button(one).bounding_box() for one in ("accept_all", "reject_all"))
    assert accept
    assert reject
    assert accept["x"] > reject["x"]
    visit.choose("settings")
    visit.preferences.locator("summary").last.click()
    # Where each sign stands on the screen, from left to right.
    order = """element => {
      const places = [], texts = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
      while (texts.nextNode()) [...texts.currentNode.data].forEach((sign, at) => {
        const range = new Range();
        range.setStart(texts.currentNode, at);
        range.setEnd(texts.currentNode, at + 1);
        places.push([range.getBoundingClientRect().left, sign]);
      });
      const signs = places.sort(([one], [other]) => one - other).map(([, sign]) => sign);
      return signs.filter((sign) => sign < '\\u2068' || sign > '\\u2069').join('');
    }"""
    assert "_ex_*" in visit.preferences.locator("li code").last.evaluate(order)
    provider = visit.preferences.locator("dd", has_text="Counter Inc.")
    assert "Counter Inc." in provider.evaluate(order)
    page.goto(f"{server.url}/w/{site.key}/versions/1")
    assert page.locator("html").get_attribute("dir") == "rtl"
    assert "_ex_*" in page.locator("td code").last.evaluate(order)
