"""Pages: what the server shows of itself is as legible as the notice, in every state."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Page

from .browsers import Browsers
from .legible import illegible
from .running_server import RunningServer
from .sites import SITES
from .visit import Visit

SMILEE = SITES["smilee"]
_SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
#: Name -> address, for a visitor who decided.
_PAGES = {
    "start": "/",
    "demo": "/demo/smilee/contact",
    "record": "/demo/smilee/record",
    "choose": "/w/smilee/choose?language={}",
    "me": "/w/smilee/me?language={}",
    "archive": "/w/smilee/versions?language={}",
    "version": "/w/smilee/versions/1?language={}",
    "nowhere": "/w/nobody/me?language={}",
}

#: The server's own; the demo's pages stand for those of owners.
_OURS = ("choose", "me", "archive", "version", "nowhere")


@pytest.fixture(scope="module")
def decided(browsers: Browsers, server: RunningServer) -> Iterator[Visit]:
    """A visitor who allowed Google Analytics, on a small screen."""
    small = {"width": 320, "height": 640}
    context = browsers.new_profile("chromium", browsers.sink, viewport=small)
    context.set_default_timeout(20_000)
    visit = Visit(context.new_page(), SMILEE, server)
    visit.go()
    visit.wait_for_notice()
    visit.open_preferences()
    visit.toggle_service("google-analytics")
    visit.decide("save")
    visit.wait_for_delivery()
    yield visit
    context.close()


def _violations(page: Page) -> list[tuple[str, list[str]]]:
    found: Any = Axe().run(page).response["violations"]
    return [(one["id"], [node["html"] for node in one["nodes"]]) for one in found]


def _assert_accessible(page: Page) -> None:
    for (width, height), scheme in zip(((320, 256), (1280, 800)), _SCHEMES, strict=True):
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=scheme)
        assert _violations(page) == [], (width, scheme)
        assert illegible(page) == [], (width, height)


@pytest.mark.parametrize(
    "language", ["en", *(pytest.param(one, marks=pytest.mark.soak) for one in ("fi", "sv"))]
)
@pytest.mark.parametrize("name", _PAGES)
def test_axe_finds_nothing_on_a_page_and_nothing_is_cut_off(
    decided: Visit, name: str, language: str
) -> None:
    decided.page.goto(decided.server.url + _PAGES[name].format(language))
    _assert_accessible(decided.page)


_ENLARGE = """() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync('html { font-size: 200% }');
  document.adoptedStyleSheets = [sheet];
}"""

# Text in pixels, which a reader's own size of text leaves as it is (WCAG 2.2, 1.4.4).
_SIZES_OF_TEXT = """() => [...document.querySelectorAll('body *')].filter((one) =>
  [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim()))
  .map((one) => [one.outerHTML.slice(0, 80), parseFloat(getComputedStyle(one).fontSize)])"""


@pytest.mark.parametrize("name", _OURS)
def test_text_of_twice_the_size_grows_and_fits(decided: Visit, name: str) -> None:
    page = decided.page
    page.set_viewport_size({"width": 320, "height": 640})
    page.goto(decided.server.url + _PAGES[name].format("fi"))
    before = page.evaluate(_SIZES_OF_TEXT)
    page.evaluate(_ENLARGE)
    for (told, usual), (_, large) in zip(before, page.evaluate(_SIZES_OF_TEXT), strict=True):
        # A heading, which is large already, keeps to the screen.
        assert large >= (1.5 if told.startswith("<h1") else 1.99) * usual, told
    assert illegible(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


# Each text fainter on white paper than it may be (WCAG 2.2, 1.4.3), with its colour; ours in
# shadow roots even where the demo leaves it out on paper.
_FAINT = """() => {
  const part = (one) => one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4;
  const roots = [document, ...[...document.querySelectorAll('*')].map((one) => one.shadowRoot)];
  return roots.filter(Boolean).flatMap((root) => [...root.querySelectorAll('*')]).filter((one) =>
    (one.getRootNode() !== document || one.checkVisibility()) &&
    !one.matches('.button, button, .primary') &&
    [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim())).map((one) => {
      const colour = getComputedStyle(one).color;
      const [red, green, blue] = colour.match(/[\\d.]+/g).slice(0, 3).map((x) => part(x / 255));
      return [1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05), colour, one.innerText];
    }).filter(([contrast]) => contrast < 4.5);
}"""


@pytest.mark.parametrize("name", _PAGES)
def test_a_page_that_is_printed_from_a_dark_screen_can_be_read(decided: Visit, name: str) -> None:
    page = decided.page
    page.goto(decided.server.url + _PAGES[name].format("en"))
    page.emulate_media(color_scheme="dark", media="print")
    try:
        assert page.evaluate(_FAINT) == []
    finally:
        page.emulate_media(media="screen")


def test_what_stands_in_place_of_a_held_frame_can_be_read_on_paper(
    browsers: Browsers, server: RunningServer
) -> None:
    site = SITES["getjenny"]
    context = browsers.new_profile("chromium", browsers.sink, color_scheme="dark")
    visit = Visit(context.new_page(), site, server)
    visit.go("contact")
    visit.wait_for_notice()
    visit.decide("reject_all")
    page = visit.page
    page.emulate_media(color_scheme="dark", media="print")
    assert page.evaluate(_FAINT) == []
    context.close()


def test_the_answers_of_the_form_without_javascript_are_alike_and_their_words_stay_whole(
    decided: Visit,
) -> None:
    page = decided.page
    page.set_viewport_size({"width": 320, "height": 640})
    page.goto(decided.server.url + _PAGES["choose"].format("en"))
    for words in (
        ("Alle akzeptieren", "Alle ablehnen"),
        ("OK", "A refusal of many words"),
    ):
        sizes = []
        for button, text in zip(page.locator(".answers button").all(), words * 2, strict=True):
            button.evaluate("(one, text) => one.textContent = text", text)
        for button in page.locator(".answers button").all():
            box = button.bounding_box()
            assert box is not None
            sizes.append((round(box["width"]), round(box["height"])))
        assert sizes[0] == sizes[1], words
        assert illegible(page) == [], words


# Each word of a cell that stands on more than one line.
_BROKEN_IN_CELLS = """() => {
  const found = [];
  for (const cell of document.querySelectorAll('th, td strong')) {
    const node = cell.firstChild, range = document.createRange();
    for (const { index, 0: word } of node.data.matchAll(/\\S+/g)) {
      range.setStart(node, index);
      range.setEnd(node, index + word.length);
      if (new Set([...range.getClientRects()].map(({ top }) => top)).size > 1) found.push(word);
    }
  }
  return found;
}"""


def test_the_receipt_to_read_is_as_legible_as_the_page(decided: Visit, tmp_path: Path) -> None:
    page = decided.page
    page.goto(f"{decided.server.url}/w/smilee/me?language=en")
    with page.expect_download() as download:
        page.locator("form:has(input[value=receipt]) button").first.click()
    file = tmp_path / "receipt.html"
    download.value.save_as(file)
    page.goto(file.as_uri())
    _assert_accessible(page)
    for width in (320, 600, 1280):
        page.set_viewport_size({"width": width, "height": 640})
        assert page.evaluate(_BROKEN_IN_CELLS) == [], width


def test_buttons_are_written_in_the_letters_of_the_page(decided: Visit) -> None:
    of = "one => getComputedStyle(one).fontFamily + getComputedStyle(one).fontSize"
    page = decided.page
    for name in ("start", "choose", "me"):
        page.goto(decided.server.url + _PAGES[name].format("en"))
        body = page.locator("body").evaluate(of)
        buttons = page.locator("button").all()
        assert buttons, name
        assert {button.evaluate(of) for button in buttons} == {body}, name


def test_axe_finds_nothing_on_what_a_visitor_is_told_who_saves_and_erases(decided: Visit) -> None:
    page = decided.page
    page.goto(f"{decided.server.url}/w/smilee/me?language=en")
    for pressed in ("save", "erase", "erase_now"):
        page.locator(f"form:has(input[value={pressed}]) button").click()
        _assert_accessible(page)
