"""L4: accepting and rejecting weigh the same to the eye, on every screen."""

from __future__ import annotations

from typing import Any

import pytest

from consent_server.errors import ConsentError
from consent_server.rules.contrast import contrast
from consent_server.site_check import check_site
from consent_server.site_form import load_site_form
from consent_server.theme_form import ThemeForm
from tests.conftest import ReadSite
from tests.test_site_form import change

from ..conftest import NewProfile
from ..running_server import RunningServer
from ..sites import SITES
from ..visit import Visit, serve_in_language

ANSWERS = ("accept_all", "reject_all")

_STYLE = """one => {
  const style = getComputedStyle(one), all = {};
  for (const name of style) all[name] = style.getPropertyValue(name);
  return all;
}"""

#: Colours of the text and of the nearest ground behind it, as #rrggbb.
_COLOURS = """one => {
  const hex = (colour) => {
    const [r, g, b, alpha = 1] = colour.match(/[\\d.]+/g).map(Number);
    const digits = [r, g, b].map((part) => part.toString(16).padStart(2, '0'));
    return alpha ? '#' + digits.join('') : '';
  };
  let behind = one, ground = '';
  while (!ground && behind) {
    ground = hex(getComputedStyle(behind).backgroundColor);
    behind = behind.parentElement;
  }
  return [hex(getComputedStyle(one).color), ground];
}"""


def _visit(new_profile: NewProfile, server: RunningServer, width: int, scheme: str) -> Visit:
    context = new_profile(color_scheme=scheme, viewport={"width": width, "height": 568})
    return Visit(context.new_page(), SITES["smilee"], server)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 768, 1280])
def test_l04_both_answers_have_equal_computed_styles_and_enough_contrast(
    new_profile: NewProfile, server: RunningServer, width: int, scheme: str
) -> None:
    visit = _visit(new_profile, server, width, scheme)
    visit.go()
    visit.wait_for_notice()
    for _layer in range(2):
        accept, reject = (visit.button(action) for action in ANSWERS)
        assert accept.evaluate(_STYLE) == reject.evaluate(_STYLE)
        one, other = accept.bounding_box(), reject.bounding_box()
        assert one is not None
        assert other is not None
        assert (one["width"], one["height"]) == (other["width"], other["height"])
        for button in (accept, reject):
            assert contrast(*button.evaluate(_COLOURS)) >= 4.5
        if not visit.preferences.count():
            visit.open_preferences()


@pytest.mark.parametrize("language", ["en", "fi", "sv"])
def test_l04_both_answers_are_in_sight_at_320_pixels_without_scrolling(
    new_profile: NewProfile, server: RunningServer, language: str
) -> None:
    visit = _visit(new_profile, server, 320, "light")
    serve_in_language(visit.page, visit.address(), language)
    visit.go()
    visit.wait_for_notice()
    for action in ANSWERS:
        button = visit.button(action)
        box = button.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 320
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= 568
        on_top = button.evaluate(
            """one => {
              const { x, y, width, height } = one.getBoundingClientRect();
              return one.getRootNode().elementFromPoint(x + width / 2, y + height / 2) === one;
            }"""
        )
        assert on_top, "nothing lies over it, and it is not scrolled away"


def test_l04_no_field_of_a_theme_speaks_of_one_answer_alone() -> None:
    """`order` says which comes first; there is no other word on either in a site file."""
    fields: Any = ThemeForm().fields
    named = {name for name in fields if "accept" in name or "reject" in name}
    assert named == set()
    speaking = {
        name
        for name, field in fields.items()
        for rule in (field.validate if isinstance(field.validate, list) else [field.validate])
        if any("accept" in str(choice) for choice in getattr(rule, "choices", ()))
    }
    assert speaking == {"order"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("theme.reject_background", "#eeeeee"),
        ("theme.css", "[data-consent-action=reject_all] { display: none }"),
        ("theme.accent", "#ffffff"),
        ("theme.text", "#fefefe"),
        ("theme.text_dark", "#222222"),
        ("texts", {"sv": {"reject_all": "Senare"}}),
    ],
)
def test_l04_a_theme_that_would_favour_an_answer_or_hide_the_words_is_refused(
    read_site: ReadSite, field: str, value: Any
) -> None:
    with pytest.raises(ConsentError) as refused:
        check_site(load_site_form(change(read_site("smilee"), field, value)))
    assert refused.value.errors is not None
    assert any(path.startswith(field) for path in refused.value.errors)
