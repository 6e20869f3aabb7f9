"""L11: the notice speaks the language of the page, and only that one."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from ..conftest import NewProfile
from ..running_server import RunningServer
from ..sites import SITES
from ..visit import Visit, serve_in_language

#: Everything that is written in the notice and the preferences, labels included.
_WORDS = """layer => {
  const found = [];
  const walk = (node) => {
    for (const child of node.childNodes) {
      if (child.nodeType === Node.TEXT_NODE && child.data.trim()) found.push(child.data.trim());
      else if (child.nodeType === Node.ELEMENT_NODE) {
        for (const name of ['aria-label', 'title', 'placeholder', 'alt'])
          if (child.getAttribute(name)) found.push(child.getAttribute(name));
        if (child.tagName !== 'CODE') walk(child);
      }
    }
  };
  walk(layer);
  return found;
}"""


@pytest.fixture(params=["chromium"])
def browser_name(request: pytest.FixtureRequest) -> str:
    """The choice of words does not depend on the browser."""
    return str(request.param)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from _strings(part)
    elif isinstance(value, list):
        for part in value:
            yield from _strings(part)


def _texts(server: RunningServer) -> dict[str, set[str]]:
    """Every text of the site by language, from its published version."""
    with urllib.request.urlopen(f"{server.url}/w/smilee/versions", timeout=10) as answer:
        number = json.load(answer)["versions"][0]["version"]
    with urllib.request.urlopen(f"{server.url}/w/smilee/versions/{number}", timeout=10) as answer:
        texts = json.load(answer)["config"]["texts"]
    return {language: set(_strings(words)) for language, words in texts.items()}


def _shown(visit: Visit) -> list[str]:
    visit.wait_for_notice()
    words: list[str] = visit.notice.evaluate(_WORDS)
    visit.open_preferences()
    words += visit.preferences.evaluate(_WORDS)
    assert len(words) > 60
    return words


def _assert_one_language(words: list[str], language: str, texts: dict[str, set[str]]) -> None:
    assert sum(one in texts[language] for one in words) > 40, "they are that language's"
    for other in texts.keys() - {language}:
        foreign = texts[other] - texts[language]
        assert [one for one in words if one in foreign] == [], other


def _visit(new_profile: NewProfile, server: RunningServer, page: str, browser: str) -> Visit:
    visit = Visit(new_profile(locale=browser).new_page(), SITES["smilee"], server)
    serve_in_language(visit.page, visit.address(), page)
    visit.go()
    return visit


@pytest.mark.parametrize("language", ["en", "fi", "sv"])
def test_l11_the_notice_speaks_the_pages_language_without_a_word_of_another(
    new_profile: NewProfile, server: RunningServer, language: str
) -> None:
    browser = "fi-FI" if language != "fi" else "sv-SE"
    visit = _visit(new_profile, server, language, browser)
    _assert_one_language(_shown(visit), language, _texts(server))
    assert visit.page.locator("consent-notice").get_attribute("lang") == language


@pytest.mark.parametrize(
    ("page", "browser", "spoken"),
    [("sv-FI", "en-GB", "sv"), ("tlh", "fi-FI", "fi"), ("tlh", "tlh", "sv")],
    ids=["a region of it", "the browser's, where the page's is missing", "the site's first"],
)
def test_l11_a_missing_language_is_replaced_as_a_whole(
    new_profile: NewProfile, server: RunningServer, page: str, browser: str, spoken: str
) -> None:
    visit = _visit(new_profile, server, page, browser)
    _assert_one_language(_shown(visit), spoken, _texts(server))


@pytest.mark.parametrize("language", ["en", "fi", "sv"])
def test_l11_the_record_says_in_which_language_the_words_were(
    new_profile: NewProfile, server: RunningServer, language: str
) -> None:
    visit = _visit(new_profile, server, language, "fi-FI")
    visit.wait_for_notice()
    visit.decide("reject_all")
    visit.wait_for_delivery()
    assert visit.receipts()[0]["language"] == language
