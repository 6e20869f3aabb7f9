"""The panel of the diagnosis: readable for everybody, beside the notice, gone with one key."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Locator, Page

from .browsers import Browsers
from .conftest import NewProfile
from .diagnose_pages import GA, Diagnosed, publish
from .owner_pages import OwnerPages, running_owner_pages
from .running_server import RunningServer
from .sites import SITES, DemoSite
from .visit import Visit

QUERY = "?consent-debug"
#: Something in each of the sections that are open at first.
BODY = f"""<script src="{GA}/library.js" async></script>
<script type="text/plain" data-consent="analitycs">0</script>
<aside><textarea aria-label="Pasted"></textarea></aside>"""

_FOCUSED = """() => {
  const host = document.activeElement;
  return host && host.shadowRoot && host.shadowRoot.activeElement
    ? host.localName + ' ' + host.shadowRoot.activeElement.textContent : '';
}"""


@pytest.fixture(scope="module")
def owner() -> Iterator[OwnerPages]:
    """The owner's own web server."""
    with running_owner_pages() as running:
        yield running


@pytest.fixture(scope="module")
def site(server: RunningServer, owner: OwnerPages) -> DemoSite:
    """The owner's site."""
    return publish(server, owner, "panel")


@pytest.fixture
def shop(page: Page, owner: OwnerPages, server: RunningServer, site: DemoSite) -> Diagnosed:
    """The owner's page."""
    return Diagnosed(page, owner, server, site)


def _panel(page: Page) -> Locator:
    return page.locator("consent-diagnosis section")


def _open(shop: Diagnosed, language: str = "en") -> Locator:
    shop.open(BODY, query=QUERY, language=language)
    panel = _panel(shop.page)
    panel.wait_for(state="visible")
    return panel


@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "fi", "sv"])
def test_axe_finds_nothing_with_every_section_open(
    new_profile: NewProfile,
    owner: OwnerPages,
    server: RunningServer,
    site: DemoSite,
    language: str,
    scheme: str,
    width: int,
) -> None:
    context = new_profile(color_scheme=scheme, viewport={"width": width, "height": 800})
    shop = Diagnosed(context.new_page(), owner, server, site)
    panel = _open(shop, language)
    Visit(shop.page, site, server).decide("reject_all")
    for summary in panel.locator("details:not([open]) > summary").all()[::-1]:
        summary.click()
    found: Any = Axe().run(shop.page).response["violations"]
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []
    wide = "document.documentElement.scrollWidth <= innerWidth"
    assert shop.page.evaluate(wide), "nothing scrolls sideways"


@pytest.mark.parametrize(
    ("language", "title", "leaked"),
    [
        ("en", "Consent diagnosis", "Leaked without consent"),
        ("fi", "Suostumusten tarkistus", "Vuotanut ilman suostumusta"),
        ("sv", "Kontroll av samtycke", "Har läckt utan samtycke"),
    ],
)
def test_it_speaks_the_language_of_the_page(
    shop: Diagnosed, language: str, title: str, leaked: str
) -> None:
    panel = _open(shop, language)
    assert panel.locator("h2").inner_text() == title
    assert leaked in panel.inner_text()
    assert f"{GA}/library.js" in panel.inner_text()


def test_the_keyboard_reaches_it_and_escape_closes_it(shop: Diagnosed) -> None:
    panel = _open(shop)
    assert shop.page.evaluate(_FOCUSED) == "", "the panel does not steal the focus"
    for _ in range(20):
        shop.page.keyboard.press("Tab")
        if shop.page.evaluate(_FOCUSED) == "consent-diagnosis Close":
            break
    else:
        raise AssertionError("the keyboard never reached the panel")
    shop.page.keyboard.press("Escape")
    panel.wait_for(state="detached")
    Visit(shop.page, shop.site, shop.server).decide("reject_all")
    shop.report()
    assert panel.count() == 0, "what was closed stays closed on this page"


@pytest.mark.parametrize("width", [320, 768, 1280])
@pytest.mark.parametrize("form", ["banner", "bar", "box", "centred"])
def test_every_answer_of_the_notice_stays_in_reach(
    new_profile: NewProfile, owner: OwnerPages, server: RunningServer, form: str, width: int
) -> None:
    theme = {**SITES["smilee"].file["theme"], "form": form}
    shop_site = publish(server, owner, f"form-{form}", theme=theme)
    context = new_profile(viewport={"width": width, "height": 700})
    shop = Diagnosed(context.new_page(), owner, server, shop_site)
    panel = _open(shop)
    visit = Visit(shop.page, shop_site, server)
    for action in ("accept_all", "settings", "reject_all"):
        assert visit.notice.locator(f"[data-consent-action={action}]").first.evaluate(
            """one => {
              const { left, top, width, height } = one.getBoundingClientRect();
              return one.getRootNode().elementFromPoint(left + width / 2, top + height / 2) === one;
            }"""
        ), action
    visit.decide("reject_all")
    panel.locator(".body").wait_for(state="visible")


# Lines on which each word of the heading stands.
_LINES = """heading => [...heading.firstChild.data.matchAll(/\\S+/g)].map(({ index, 0: word }) => {
  const range = document.createRange();
  range.setStart(heading.firstChild, index);
  range.setEnd(heading.firstChild, index + word.length);
  return range.getClientRects().length;
})"""


@pytest.mark.parametrize("language", ["en", "fi", "sv"])
def test_on_a_phone_its_heading_is_whole_and_its_last_button_free(
    new_profile: NewProfile,
    owner: OwnerPages,
    server: RunningServer,
    site: DemoSite,
    language: str,
) -> None:
    context = new_profile(viewport={"width": 320, "height": 700})
    shop = Diagnosed(context.new_page(), owner, server, site)
    panel = _open(shop, language)
    assert set(panel.locator("h2").evaluate(_LINES)) == {1}
    Visit(shop.page, site, server).decide("reject_all")
    shop.page.locator("consent-notice > button.entry").wait_for()
    last = panel.locator(".body > button")
    last.wait_for(state="visible")
    panel.locator(".body").evaluate("body => body.scrollTo(0, body.scrollHeight)")
    assert last.evaluate(
        """one => {
          const { left, right, top, height } = one.getBoundingClientRect();
          return [left + 4, (left + right) / 2, right - 4].every((x) =>
            document.elementFromPoint(x, top + height / 2) === one.getRootNode().host);
        }"""
    )


def test_it_grows_with_the_readers_text(
    browsers: Browsers, owner: OwnerPages, server: RunningServer, site: DemoSite, tmp_path: Path
) -> None:
    (tmp_path / "Default").mkdir()
    size = {"webkit": {"webprefs": {"default_font_size": 32}}}
    (tmp_path / "Default" / "Preferences").write_text(json.dumps(size), encoding="utf-8")
    context = browsers.open_profile("chromium", browsers.sink, tmp_path)
    panel = _open(Diagnosed(context.new_page(), owner, server, site))
    assert panel.evaluate("one => getComputedStyle(one).fontSize") == "28px"
    context.close()


def test_it_follows_the_visitors_answer(shop: Diagnosed) -> None:
    panel = _open(shop)
    assert "The visitor is being asked." in panel.inner_text()
    Visit(shop.page, shop.site, shop.server).decide("accept_all")
    panel.get_by_text("The visitor answered on").wait_for()


def test_what_to_write_can_be_copied(shop: Diagnosed) -> None:
    panel = _open(shop)
    Visit(shop.page, shop.site, shop.server).decide("reject_all")
    code = panel.locator("pre").first.inner_text()
    assert code.startswith('<script type="text/plain" data-consent="service:google-analytics"')
    panel.locator(".code button").first.click()
    # The panel is drawn anew meanwhile.
    shop.page.evaluate("document.dispatchEvent(new Event('consent:change'))")
    panel.get_by_text("Copied", exact=True).wait_for()
    panel.get_by_text("Copied", exact=True).wait_for(state="detached")
    assert panel.locator(".code button").first.inner_text() == "Copy"
    field = shop.page.get_by_label("Pasted")
    field.focus()
    shop.page.keyboard.press("Control+v")
    shop.page.wait_for_function("document.querySelector('textarea').value")
    assert field.input_value() == code


def test_the_styles_of_the_page_do_not_reach_it(shop: Diagnosed) -> None:
    hiding = """<style>body *, html > :not(head):not(body) {
      all: unset !important; display: none !important; color: red !important; opacity: 0 !important;
    }</style>"""
    shop.open(hiding, query=QUERY)
    panel = _panel(shop.page)
    panel.wait_for(state="visible")
    colour = "one => getComputedStyle(one).color + getComputedStyle(one.getRootNode().host).opacity"
    assert panel.evaluate(colour) == "rgb(26, 26, 26)1"


def test_an_address_with_anything_else_opens_no_panel(shop: Diagnosed) -> None:
    shop.open(query="?debug=consent")
    shop.report()
    assert _panel(shop.page).count() == 0


def test_what_no_clipboard_takes_is_shown_and_selected(shop: Diagnosed) -> None:
    panel = _open(shop)
    shop.page.evaluate(
        """() => {
          document.execCommand = () => false;
          navigator.clipboard.writeText = () => Promise.reject(new Error('none'));
        }"""
    )
    for _ in range(2):
        panel.locator(".body > button").click()
    shown = panel.locator(".body > pre")
    shown.wait_for()
    assert shown.count() == 1
    assert json.loads(shown.inner_text())["site"] == shop.site.key
    assert shop.page.evaluate("getSelection().rangeCount") == 1
