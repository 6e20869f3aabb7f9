"""Record: every decision is in the exports, and its version gives back every word shown."""

from __future__ import annotations

import csv
import io
import json
import re
import urllib.request
from typing import Any

import pytest
from playwright.sync_api import Page

from .conftest import NewProfile
from .running_server import RunningServer
from .sites import SITES, DemoSite
from .visit import Visit, serve_in_language

LANGUAGES = [(site, language) for site in SITES.values() for language in site.languages]

# Everything that a visitor sees or hears: text nodes that are rendered, and labels.
_WORDS = """root => {
  const words = [];
  const take = (text) => {
    const clean = (text || '').replace(/\\s+/g, ' ').trim();
    if (clean) words.push(clean);
  };
  const walk = (node) => {
    if (node.nodeType === Node.TEXT_NODE) return take(node.data);
    if (node.nodeType === Node.ELEMENT_NODE) {
      if (/^(SCRIPT|STYLE|TEMPLATE)$/.test(node.tagName)) return;
      if (!node.checkVisibility({ visibilityProperty: false })) return;
      for (const name of ['aria-label', 'aria-description', 'title', 'alt', 'placeholder'])
        take(node.getAttribute(name));
      if (node.shadowRoot) walk(node.shadowRoot);
    }
    for (const child of node.childNodes) walk(child);
  };
  walk(root);
  return [...new Set(words)];
}"""


def _words_on_screen(page: Page) -> list[str]:
    words: list[str] = page.locator("consent-notice").evaluate(_WORDS)
    return words


def _version(server: RunningServer, site: str, number: int, accept: str, language: str) -> str:
    request = urllib.request.Request(
        f"{server.url}/w/{site}/versions/{number}?language={language}", headers={"Accept": accept}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        text: str = answer.read().decode()
    return text


def _strings(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for item in value.values() for text in _strings(item)]
    if isinstance(value, list):
        return [text for item in value for text in _strings(item)]
    return [" ".join(value.split())] if isinstance(value, str) else []


def _not_covered(words: list[str], known: list[str]) -> list[str]:
    """Texts of the screen that are not put together from texts of the version."""
    pieces = sorted({one for one in known if one}, key=len, reverse=True)
    # {service} and the like were filled in on screen.
    patterns = [re.sub(r"\\{\w+\\}", ".+?", re.escape(piece)) for piece in pieces]
    missing = []
    for text in words:
        if any(re.fullmatch(pattern, text) for pattern in patterns):
            continue
        rest = text
        for pattern in patterns:
            rest = re.sub(rf"(?<!\w){pattern}(?!\w)", " ", rest)
        if re.search(r"\w", rest):
            missing.append(text)
    return missing


@pytest.mark.parametrize(
    ("site", "language"), LANGUAGES, ids=[f"{site.key}-{tongue}" for site, tongue in LANGUAGES]
)
def test_the_version_gives_back_every_word_that_was_on_screen(
    page: Page, server: RunningServer, site: DemoSite, language: str
) -> None:
    visit = Visit(page, site, server)
    for name in ("", "contact"):
        serve_in_language(page, visit.address(name), language)
    visit.go()
    visit.wait_for_notice()
    words = _words_on_screen(page)
    visit.open_preferences()
    visit.open_every_detail()
    words += _words_on_screen(page)
    assert len(words) > 30, "the whole notice was read"
    visit.decide("reject_all")
    visit.wait_for_delivery()
    [receipt] = visit.receipts()
    assert receipt["language"] == language
    visit.go("contact")
    for placeholder in page.locator("consent-placeholder").all():
        words += placeholder.evaluate(_WORDS)

    snapshot = json.loads(
        _version(server, site.key, receipt["version"], "application/json", language)
    )
    of_language = _strings(snapshot)
    assert _not_covered(words, of_language) == []
    page.goto(f"{server.url}/w/{site.key}/versions/{receipt['version']}?language={language}")
    readable = page.locator("body").evaluate(_WORDS)
    assert _not_covered(words, readable) == []


def test_each_decision_is_in_both_exports_with_every_field(
    new_profile: NewProfile, site: DemoSite, server: RunningServer
) -> None:
    visit = Visit(new_profile().new_page(), site, server)
    one_service = next(iter(site.optional_services))
    visit.go()
    visit.wait_for_notice()
    visit.decide("accept_all")
    visit.wait_for_delivery()
    visit.reopen_preferences()
    for key in list(site.optional_services)[1:]:
        visit.toggle_service(key)
    visit.choose("save")
    visit.wait_for(lambda: not visit.page.is_closed() and _saved(visit, one_service), "saved")
    visit.wait_for_delivery()
    visit.page.wait_for_load_state("load")
    visit.reopen_preferences()
    visit.choose("withdraw")
    visit.wait_for(visit.is_refused, "withdrawn")
    visit.wait_for_delivery()

    receipts = visit.receipts()
    assert [(one["method"], one["kind"]) for one in receipts] == [
        ("withdraw", "withdrawn"),
        ("save", "changed"),
        ("accept_all", "given"),
    ]
    lines = [json.loads(line) for line in server.export("jsonl", site.key).splitlines()]
    rows = list(csv.DictReader(io.StringIO(server.export("csv", site.key))))
    for receipt in receipts:
        [line] = [one for one in lines if one.get("event_id") == receipt["event_id"]]
        [row] = [one for one in rows if one["event_id"] == receipt["event_id"]]
        for name, value in receipt.items():
            assert line[name] == value, name
            assert _as_read_from_csv(row[name], value) == value, name


def _saved(visit: Visit, service: str) -> bool:
    decision = visit.decision()
    return decision is not None and decision.grants == visit.site.expected_grants(service)


def _as_read_from_csv(cell: str, like: Any) -> Any:
    """The value of a cell, read as what the receipt holds there."""
    if isinstance(like, str):
        return cell
    return json.loads(cell) if cell else None
