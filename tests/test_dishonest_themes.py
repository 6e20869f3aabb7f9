"""Dishonest themes: each is refused, by command and by API, with the law that it breaks."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import tomli_w
from click.testing import CliRunner
from flask.testing import FlaskClient

from consent_server.cli import main
from consent_server.sites import find_site
from consent_server.store.database import Database
from tests.conftest import ReadSite
from tests.test_site_form import change


class Dishonest(NamedTuple):
    """What an owner writes, where it is refused, and the law that is named there."""

    path: str
    value: Any
    law: str
    #: Where the fault is told, when elsewhere.
    told: str = ""


_PLANET49 = "C-673/17"
_TASKFORCE = "EDPB Cookie Banner Taskforce 2023, type"
_PATTERNS = "EDPB Guidelines 03/2022"
_CONSENT = "EDPB Guidelines 05/2020"
_ENTRY = "“{entry}”"

THEMES = {
    "taskforce type A: no refusal on the first layer": Dishonest(
        "theme.hide_reject", True, f"{_TASKFORCE} A"
    ),
    "taskforce type A: the refusal comes with a delay": Dishonest(
        "theme.reject_delay", 5, f"{_TASKFORCE} A"
    ),
    "Planet49: a category that is on from the start": Dishonest(
        "categories.1.default", "on", _PLANET49
    ),
    "Planet49: a service that is ticked from the start": Dishonest(
        "services.0.checked", True, _PLANET49
    ),
    "taskforce type C: refusing is a link": Dishonest(
        "theme.reject_style", "link", "types C, D and E"
    ),
    "taskforce type D: refusing is grey": Dishonest(
        "theme.reject_color", "#dddddd", "types C, D and E"
    ),
    "taskforce type E: accepting stands out": Dishonest(
        "theme.primaryButton", "accept", "types C, D and E"
    ),
    "taskforce type H: legitimate interest instead of consent": Dishonest(
        "services.0.legal_basis", "legitimate_interest", "ePrivacy article 5(3)"
    ),
    "taskforce type I: marketing that is called necessary": Dishonest(
        "services.4.category",
        "necessary",
        "ePrivacy article 5(3)",
        told="services.4.justification",
    ),
    "taskforce type I: an optional category by the name of necessary": Dishonest(
        "categories.2.name", {"en": "Essential cookies"}, f"{_TASKFORCE} I", "categories.2.name.en"
    ),
    "taskforce type I: words that deny what is asked": Dishonest(
        "texts",
        {"en": {"body": f"{{controller}} uses only necessary cookies. See {_ENTRY}."}},
        f"{_TASKFORCE} I",
        "texts.en.body",
    ),
    "taskforce type K: no way back": Dishonest("theme.entry", "none", f"{_TASKFORCE} K"),
    "taskforce type K: the way back is switched off": Dishonest(
        "theme.floating_button", False, f"{_TASKFORCE} K"
    ),
    "GDPR 7(3): nobody is told of withdrawal": Dishonest(
        "texts", {"en": {"body": "{controller} asks."}}, "GDPR article 7(3)", "texts.en.body"
    ),
    "GDPR 13(1)(a): nobody is told who asks": Dishonest(
        "texts", {"en": {"body": f"See {_ENTRY}."}}, "GDPR article 13(1)(a)", "texts.en.body"
    ),
    "GDPR 4(11): going on is taken for consent": Dishonest(
        "texts",
        {"sv": {"body": f"Genom att fortsätta godkänner du {{controller}}, se {_ENTRY}."}},
        f"{_CONSENT}, paragraph 86",
        "texts.sv.body",
    ),
    "GDPR 4(11): scrolling grants": Dishonest(
        "accept_on_scroll", True, f"{_CONSENT}, paragraph 86"
    ),
    "GDPR 4(11): waiting grants": Dishonest("auto_accept", 30, f"{_CONSENT}, paragraph 86"),
    "GDPR 4(11): closing grants": Dishonest(
        "theme.close_grants", True, f"{_CONSENT}, paragraph 86"
    ),
    "GDPR 7(4): the page is locked until one answers": Dishonest(
        "theme.scroll_lock", True, "GDPR article 7(4)"
    ),
    "GDPR 7(4): words that make consent a duty": Dishonest(
        "texts", {"fi": {"heading": "Sinun täytyy hyväksyä evästeet"}}, "7(4)", "texts.fi.heading"
    ),
    "EDPB 03/2022 emotional steering": Dishonest(
        "texts",
        {"en": {"heading": "Are you sure? You will miss out"}},
        _PATTERNS,
        "texts.en.heading",
    ),
    "EDPB 03/2022 overloading: words without end": Dishonest(
        "texts",
        {"en": {"body": f"{{controller}} asks. See {_ENTRY}. " + "Read on. " * 60}},
        f"{_PATTERNS}, overloading",
        "texts.en.body",
    ),
    "EDPB 03/2022 ambiguous wording: a refusal by another name": Dishonest(
        "texts", {"en": {"reject_all": "Maybe later"}}, _PATTERNS, "texts.en.reject_all"
    ),
    "EDPB 03/2022 ambiguous wording: a consent by another name": Dishonest(
        "texts", {"en": {"accept_all": "Continue"}}, _PATTERNS, "texts.en.accept_all"
    ),
    "EDPB 03/2022 hidden in plain sight: small print": Dishonest(
        "theme.text_size", 10, f"{_PATTERNS}, hidden in plain sight"
    ),
    "EDPB 03/2022 hidden in plain sight: styles of one's own": Dishonest(
        "theme.css", "[data-consent-action=reject_all]{display:none}", _PATTERNS
    ),
    "EDPB 03/2022 hidden in plain sight: off the screen": Dishonest(
        "theme.offset", -9999, f"{_PATTERNS}, hidden in plain sight"
    ),
    "EDPB 03/2022 hidden in plain sight: a place that nobody sees": Dishonest(
        "theme.position", "outside", f"{_PATTERNS}, hidden in plain sight"
    ),
    "EDPB 03/2022 hidden in plain sight: a notice of no size": Dishonest(
        "theme.max_height", 0, f"{_PATTERNS}, hidden in plain sight"
    ),
    "EDPB 03/2022 continuous prompting: a refusal of a month": Dishonest(
        "valid_days", 30, f"{_PATTERNS}, continuous prompting"
    ),
    "EDPB 03/2022 continuous prompting: a refusal ends sooner": Dishonest(
        "reject_valid_days", 7, f"{_PATTERNS}, continuous prompting"
    ),
    "EDPB 05/2020: a consent of two years": Dishonest(
        "valid_days", 730, f"{_CONSENT}, paragraph 110"
    ),
    "WCAG 1.4.3: pale words": Dishonest("theme.text", "#8a8f98", "WCAG 2.2, 1.4.3"),
    "WCAG 1.4.3: pale buttons": Dishonest("theme.accent", "#7fb2ff", "WCAG 2.2, 1.4.3"),
    "WCAG 1.4.3: words that the dark hides": Dishonest(
        "theme.text_dark", "#3a4150", "WCAG 2.2, 1.4.3"
    ),
    "WCAG 1.4.11: buttons without an edge": Dishonest("theme.border", "#f0f0f0", "1.4.11"),
}

Apply = Callable[[dict[str, Any]], tuple[bool, dict[str, list[str]]]]


@pytest.fixture(params=["by command", "by API"])
def apply(
    request: pytest.FixtureRequest, runner: CliRunner, admin: FlaskClient, tmp_path: Path
) -> Apply:
    """Publishes a site; whether it was taken, and what was said of which field."""

    def by_command(site: dict[str, Any]) -> tuple[bool, dict[str, list[str]]]:
        file = tmp_path / "site.toml"
        file.write_text(tomli_w.dumps(site), encoding="utf-8")
        done = runner.invoke(main, ["site", "apply", str(file), "--yes"])
        said: dict[str, list[str]] = {}
        for line in done.output.splitlines()[1:]:
            path, _, message = line.strip().partition(": ")
            said.setdefault(path, []).append(message)
        return done.exit_code == 0, said

    def by_api(site: dict[str, Any]) -> tuple[bool, dict[str, list[str]]]:
        answer = admin.put("/api/v1/sites/smilee", json=site)
        return answer.status_code == 200, json.loads(answer.text).get("errors", {})

    return by_command if request.param == "by command" else by_api


@pytest.mark.parametrize("name", THEMES)
def test_it_is_refused_with_the_law_it_breaks(
    name: str, apply: Apply, read_site: ReadSite, database: Database
) -> None:
    theme = THEMES[name]
    taken, said = apply(change(read_site("smilee"), theme.path, theme.value))
    assert not taken
    assert theme.law in " ".join(said[theme.told or theme.path])
    with database.read() as session:
        assert find_site(session, "smilee").current_version == 1


def test_there_are_at_least_twenty() -> None:
    assert len({(theme.path, str(theme.value)) for theme in THEMES.values()}) >= 20


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("theme.form", "banner"),
        ("theme.text_size", 24),
        ("theme.order", "reject_first"),
        ("theme.accent", "#5a2a82"),
        ("theme.border", "#767676"),
        ("valid_days", 390),
        (
            "texts",
            {
                "en": {
                    "heading": "May we measure visits and show videos?",
                    "body": f"{{controller}} asks. Withdraw at any time under {_ENTRY}.",
                }
            },
        ),
    ],
)
def test_what_is_honest_is_taken(path: str, value: Any, apply: Apply, read_site: ReadSite) -> None:
    site = change(read_site("smilee"), path, value)
    if value == "banner":
        site["theme"]["position"] = "top"
    assert apply(site)[0]
