"""Forms of the notice: equal answers in every language, in reach at 400 %, never in the way."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Page

from consent_server.languages import LANGUAGES

from .conftest import NewProfile
from .legible import assert_equal_answers
from .shown import NOTICE, PREFERENCES, show

WIDTHS = {320: 640, 768: 1024, 1280: 800}
#: Shortest and longest words, other letters, right to left; the others are shown by -m soak.
_LANGUAGES_OFTEN = {"en", "fi", "sv", "de", "el", "ar"}
IN_ALL_LANGUAGES = [
    language if language in _LANGUAGES_OFTEN else pytest.param(language, marks=pytest.mark.soak)
    for language in LANGUAGES
]
FORMS = [
    ("box", "bottom_left"),
    ("box", "bottom_right"),
    ("bar", "bottom"),
    ("bar", "top"),
    ("banner", "bottom"),
    ("banner", "top"),
    ("centred", "bottom_left"),
]

# Whether the focused element is in sight, and not behind us; what the page puts over it is its own.
_IS_SEEN = """() => {
  const one = document.activeElement, { x, y, width, height } = one.getBoundingClientRect();
  const there = document.elementFromPoint(x + width / 2, y + height / 2);
  return !!there && there.localName !== 'consent-notice';
}"""


@pytest.fixture(params=["chromium"])
def browser_name(request: pytest.FixtureRequest) -> str:
    """Looks are measured in one browser; what differs between them is tested elsewhere."""
    name: str = request.param
    return name


def _violations(page: Page) -> list[tuple[str, list[str]]]:
    found: Any = Axe().run(page).response["violations"]
    return [(one["id"], [node["html"] for node in one["nodes"]]) for one in found]


@pytest.mark.parametrize("language", IN_ALL_LANGUAGES)
def test_L4_both_answers_are_equal_at_every_width_light_and_dark_and_axe_finds_nothing(  # noqa: N802
    new_profile: NewProfile, language: str
) -> None:
    order = "reject_first" if LANGUAGES.index(language) % 2 else "accept_first"
    page = show(new_profile(), language, order=order)
    for layer in ("notice", "preferences"):
        if layer == "preferences":
            page.locator(f"{NOTICE} [data-consent-action=settings]").last.click()
            page.locator(PREFERENCES).wait_for(state="visible")
            for summary in page.locator(f"{PREFERENCES} summary").all()[::-1]:
                summary.click()
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            for width, height in WIDTHS.items():
                page.set_viewport_size({"width": width, "height": height})
                assert_equal_answers(page, f"{language} {layer} {scheme} {width}")
            assert _violations(page) == [], (language, layer, scheme)


@pytest.mark.parametrize(("form", "position"), FORMS)
def test_L4_both_answers_are_equal_in_every_form(  # noqa: N802
    new_profile: NewProfile, form: str, position: str
) -> None:
    page = show(new_profile(), "fi", form, position)
    for width, height in WIDTHS.items():
        page.set_viewport_size({"width": width, "height": height})
        assert_equal_answers(page, f"{form} {position} {width}")
    assert _violations(page) == []


@pytest.mark.parametrize(("form", "position"), FORMS)
def test_L16_at_400_percent_everything_is_reached_and_nothing_is_lost(  # noqa: N802
    new_profile: NewProfile, form: str, position: str
) -> None:
    page = show(new_profile(viewport={"width": 320, "height": 256}), "fi", form, position)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    for layer in (NOTICE, PREFERENCES):
        for one in page.locator(f"{layer} :is(h2, h3, p, li, button, a, input)").all():
            if not one.is_visible():
                continue
            one.scroll_into_view_if_needed()
            box = one.bounding_box()
            assert box is not None
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= 320, one.inner_text()
            assert box["y"] < 256
            assert box["y"] + box["height"] > 0
        if layer == NOTICE:
            page.locator(f"{NOTICE} [data-consent-action=settings]").last.click()
            page.locator(PREFERENCES).wait_for(state="visible")
    page.locator(f"{PREFERENCES} [data-consent-action=reject_all]").click()
    page.locator(NOTICE).wait_for(state="detached")


@pytest.mark.parametrize(("form", "position"), FORMS)
@pytest.mark.parametrize("height", [256, 500, 800])
def test_wcag_2_4_11_what_has_the_focus_is_never_behind_the_notice(
    new_profile: NewProfile, form: str, position: str, height: int
) -> None:
    fixed = '<a href="#end" style="position:fixed;bottom:4px;left:24px">A link at the edge</a>'
    words = "".join(f"<p><a href='#{n}'>Link {n} of the page</a></p>" for n in range(30))
    page = show(
        new_profile(viewport={"width": 320, "height": height}),
        "en",
        form,
        position,
        body=words + fixed,
    )
    for link in page.locator("body > p > a, body > a").all():
        link.evaluate("one => one.focus()")
        page.wait_for_timeout(30)
        assert page.evaluate(_IS_SEEN), (link.inner_text(), height)
    assert page.locator(NOTICE).is_visible()


def test_the_page_keeps_its_place_while_it_is_asked(new_profile: NewProfile) -> None:
    page = show(new_profile(), "en", "banner", "top")
    assert page.evaluate("getComputedStyle(document.body).overflow") == "visible"
    page.mouse.wheel(0, 400)
    page.wait_for_function("scrollY > 0")
    shifts = page.evaluate(
        """() => new Promise((done) => {
          let sum = 0;
          const add = (list) => { for (const one of list.getEntries()) sum += one.value; };
          new PerformanceObserver(add).observe({ type: 'layout-shift', buffered: true });
          setTimeout(() => done(sum), 200);
        })"""
    )
    assert shifts == 0
