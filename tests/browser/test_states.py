"""States: whatever the notice has to say, everybody can read it and answer."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import BrowserContext, Page

from consent_server.languages import LANGUAGES

from .browsers import Browsers
from .legible import assert_equal_answers, illegible
from .states import STATES, Look, show_state

_SIZES = {320: 640, 1280: 800}
_SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
#: Shortest and longest words, other letters, right to left; all but the first with -m soak.
_LANGUAGES = ("en", "ar", "fi", "sv", "de", "el")
_FORMS = ("banner", "bar", "box", "centred")

# What a reader's own style sheet may set (WCAG 2.2, 1.4.12).
_SPACING = """() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`* { line-height: 1.5 !important; letter-spacing: 0.12em !important;
    word-spacing: 0.16em !important } p { margin-bottom: 2em !important }`);
  const roots = [...document.querySelectorAll('consent-notice, consent-placeholder')];
  for (const { shadowRoot } of roots)
    shadowRoot.adoptedStyleSheets = [...shadowRoot.adoptedStyleSheets, sheet];
  document.adoptedStyleSheets = [sheet];
}"""

_MOVES = """() => {
  const hosts = [...document.querySelectorAll('consent-notice, consent-placeholder')];
  const all = hosts.flatMap(({ shadowRoot }) => [...shadowRoot.querySelectorAll('*')]);
  return all.filter((one) => {
    const { animationName, transitionDuration } = getComputedStyle(one);
    return animationName !== 'none' || parseFloat(transitionDuration);
  }).map((one) => one.outerHTML.slice(0, 80)).concat(document.getAnimations().map(String));
}"""

# Every control in front that shows no edge, or no ring when it has the focus, once backgrounds and
# colours are taken away.
_UNSEEN = """() => {
  const hosts = [...document.querySelectorAll('consent-notice, consent-placeholder')];
  const roots = hosts.map((host) => host.shadowRoot);
  const dialogs = roots.flatMap((root) => [...root.querySelectorAll('dialog')]);
  const found = [];
  for (const layer of dialogs.length ? dialogs : roots)
    for (const one of layer.querySelectorAll('button, input, a, summary')) {
      if (!one.checkVisibility()) continue;
      const style = getComputedStyle(one), told = one.outerHTML.slice(0, 120);
      const surface = one.parentElement?.closest('section, dialog, div') ?? one;
      const behind = getComputedStyle(surface).backgroundColor;
      const hasBorder = style.borderTopStyle === 'solid' && parseFloat(style.borderTopWidth) >= 1
        && style.borderTopColor !== behind;
      const hasLine = style.textDecorationLine === 'underline' || one.localName === 'summary';
      if (!hasBorder && !hasLine) found.push('no edge: ' + told);
      one.focus();
      const isRinged = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
      if (!isRinged || style.outlineColor === behind) found.push('no ring: ' + told);
    }
  return found;
}"""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every state in English; in the other languages with -m soak, in all of them for axe."""
    if "shown" not in metafunc.fixturenames:
        return
    is_axe = metafunc.function is test_axe_finds_nothing_in_any_state
    looks = [
        pytest.param(
            (state, language),
            id=f"{state}-{language}",
            marks=[pytest.mark.soak] if language != "en" else [],
        )
        for language in (LANGUAGES if is_axe else _LANGUAGES)
        for state in STATES
    ]
    metafunc.parametrize("shown", looks, indirect=True, scope="module")


def _some(all_of_them: Iterable[str], *often: str) -> list[Any]:
    """These always, the others with -m soak."""
    rarely = pytest.mark.soak
    return [one if one in often else pytest.param(one, marks=rarely) for one in all_of_them]


@pytest.fixture(scope="module")
def shown(request: pytest.FixtureRequest, browsers: Browsers) -> Iterator[Page]:
    """A page with one state on screen; tests of the same state share it."""
    state, language = request.param
    context = _visitor(browsers)
    yield show_state(context, state, Look(language))
    context.close()


@pytest.fixture
def visitor(browsers: Browsers) -> Iterator[BrowserContext]:
    """A fresh visitor with a small screen."""
    context = _visitor(browsers)
    yield context
    context.close()


def _visitor(browsers: Browsers) -> BrowserContext:
    """Looks are measured in one browser; what differs between them is tested elsewhere."""
    small = {"width": 320, "height": 640}
    context = browsers.new_profile(
        "chromium", browsers.sink, viewport=small, reduced_motion="reduce"
    )
    context.set_default_timeout(20_000)
    return context


def _resize(page: Page, width: int, height: int) -> None:
    """Until the page has followed."""
    page.set_viewport_size({"width": width, "height": height})
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")


def _violations(page: Page) -> list[tuple[str, list[str]]]:
    found: Any = Axe().run(page).response["violations"]
    return [(one["id"], [node["html"] for node in one["nodes"]]) for one in found]


_WORDS_OUT_OF_REACH = """() =>
  [...document.querySelectorAll('consent-placeholder')]
    .map((one) => one.shadowRoot.querySelector('.held'))
    .filter((held) => held.scrollHeight > held.clientHeight)
    .map((held) => {
      held.scrollTop = 0;
      const begin = held.querySelector('p').getBoundingClientRect().top;
      return begin - held.getBoundingClientRect().top;
    })"""


def test_the_words_of_a_small_placeholder_can_be_scrolled_to_their_beginning(
    visitor: BrowserContext,
) -> None:
    page = show_state(visitor, "placeholder", Look("de"))
    _resize(page, 768, 900)
    begins = page.evaluate(_WORDS_OUT_OF_REACH)
    assert begins, "one of them scrolls"
    assert min(begins) >= 0


def test_axe_finds_nothing_in_any_state(shown: Page) -> None:
    for (width, height), scheme in zip(_SIZES.items(), _SCHEMES, strict=True):
        _resize(shown, width, height)
        shown.emulate_media(color_scheme=scheme)
        assert _violations(shown) == [], (width, scheme)


@pytest.mark.soak
def test_axe_finds_nothing_in_any_state_the_other_way_round(shown: Page) -> None:
    for (width, height), scheme in zip(_SIZES.items(), _SCHEMES[::-1], strict=True):
        _resize(shown, width, height)
        shown.emulate_media(color_scheme=scheme)
        assert _violations(shown) == [], (width, scheme)


def test_nothing_is_cut_off_or_out_of_reach_in_any_state_nor_does_it_move(shown: Page) -> None:
    """Down to 400 % zoom of 1280 by 1024 pixels (WCAG 2.2, 1.4.10)."""
    for width, height in ((1280, 800), (320, 640), (320, 256)):
        _resize(shown, width, height)
        assert illegible(shown) == [], (width, height)
    assert shown.evaluate(_MOVES) == []


def test_forced_colours_leave_every_control_its_edge_and_its_ring(shown: Page) -> None:
    _resize(shown, 320, 640)
    shown.emulate_media(forced_colors="active")
    try:
        assert shown.evaluate("matchMedia('(forced-colors: active)').matches")
        shown.keyboard.press("Tab")  # who presses keys is shown where the focus is
        assert shown.evaluate(_UNSEEN) == []
    finally:
        shown.emulate_media(forced_colors="none")


def test_forced_colours_show_a_switch_that_is_off_on_or_mixed(visitor: BrowserContext) -> None:
    page = show_state(visitor, "preferences", Look())
    page.emulate_media(forced_colors="active")
    category, service = (page.locator(f"#switch-{key}") for key in ("analytics", "counter"))
    off = category.screenshot()
    service.click()
    mixed = category.screenshot()
    category.click()
    page.keyboard.press("Tab")  # the ring of the focus is no state
    on = category.screenshot()
    assert len({off, mixed, on}) == 3


def test_z_what_readers_space_out_stays_legible(shown: Page) -> None:
    """The last one on a page, which it leaves spaced."""
    _resize(shown, 320, 640)
    shown.evaluate(_SPACING)
    assert illegible(shown) == []


def stretch(text: str) -> str:
    """Return a text of 1.6 times its length; labels in one word, as a German compound is.

    What stands in braces is filled in later, and stays.
    """
    words = [f"{word}{word[:-1]}"[: math.ceil(len(word) * 1.6)] for word in text.split()]
    kept = [old if "{" in old else new for old, new in zip(text.split(), words, strict=True)]
    return ("" if len(kept) < 4 and "{" not in text else " ").join(kept)


#: Where both answers are in front.
_ASKING = ("notice", "decided", "preferences", "announcement", "news", "exempt")
_LONG_STATES = (*_ASKING, "placeholder", "opt_out", "opt_out_entry", "gpc")


@pytest.mark.parametrize("form", _FORMS)
@pytest.mark.parametrize("state", _some(_LONG_STATES, "notice"))
def test_words_that_are_much_longer_than_ours_fit_into_a_small_screen(
    visitor: BrowserContext, form: str, state: str
) -> None:
    page = show_state(visitor, state, Look("en", form, reword=stretch))
    for width, height in ((320, 640), (768, 1024), (1280, 800)):
        _resize(page, width, height)
        assert illegible(page) == [], (width, height)
        if state in _ASKING:
            assert_equal_answers(page, f"{form} {state} {width}")


# How far what begins and what ends each row of the layer in front stands from the layer's edges.
_EDGES_IN_ROWS = """() => {
  const root = document.querySelector('consent-notice').shadowRoot;
  const layer = root.querySelector('dialog') ?? root.querySelector('section');
  const box = layer.getBoundingClientRect(), isLeft = getComputedStyle(layer).direction === 'ltr';
  const from = (one) => {
    const { left, right } = one.getBoundingClientRect();
    const gaps = [left - box.left, box.right - right];
    return isLeft ? gaps : gaps.reverse();
  };
  const starts = ['h2', 'h3', 'li', 'dt', 'summary', '.links > *'];
  const ends = ['[data-consent-action=close]', 'input'];
  const gap = (side) => (one) => {
    const found = layer.querySelector(one);
    return found && [one, Math.round(from(found)[side])];
  };
  return [...starts.map(gap(0)), ...ends.map(gap(1))];
}"""


@pytest.mark.parametrize("form", _some(_FORMS, "bar"))
def test_right_to_left_is_the_mirror_of_left_to_right(visitor: BrowserContext, form: str) -> None:
    for state in ("notice", "preferences"):
        mirrored, found = (_rows(visitor, state, Look(language, form)) for language in ("ar", "en"))
        assert mirrored == found, state
        assert any(found[0])


def _rows(visitor: BrowserContext, state: str, look: Look) -> list[Any]:
    page = show_state(visitor, state, look)
    found = []
    for width in (320, 1280):
        _resize(page, width, 640)
        assert illegible(page) == []
        found.append(page.evaluate(_EDGES_IN_ROWS))
    page.close()
    return found
