"""What a site may not mean: every finding names its field and the reason."""

from __future__ import annotations

from typing import Any

import pytest

from consent_server.errors import InvalidSite
from consent_server.site_check import check_site
from consent_server.site_form import load_site_form
from tests.conftest import ReadSite
from tests.test_site_form import OWN_SERVICE, change

SITES = ["getjenny", "jackbot", "jiminny", "smilee", "ujet"]
PURPOSE = {"sv": "Chattar.", "fi": "Chat.", "en": "Chats."}
ITEM = {"name": "own", "lifetime": "1y", "purpose": PURPOSE}
OWN = {**OWN_SERVICE, "purpose": PURPOSE, "items": [ITEM]}


@pytest.fixture
def site(read_site: ReadSite) -> dict[str, Any]:
    """The Smilee file with an own service as its sixth."""
    found = read_site("smilee")
    return {**found, "services": [*found["services"], OWN]}


def findings(site: dict[str, Any]) -> dict[str, list[str]]:
    with pytest.raises(InvalidSite) as refused:
        check_site(load_site_form(site))
    assert refused.value.errors is not None
    return refused.value.errors


@pytest.mark.parametrize("key", SITES)
def test_the_files_that_ship_can_be_published(read_site: ReadSite, key: str) -> None:
    check_site(load_site_form(read_site(key)))


@pytest.mark.parametrize(
    ("path", "value", "found", "reason"),
    [
        ("languages", ["sv", "ja"], "languages.1", "No interface texts in 'ja'"),
        ("languages", ["sv", "pt-BR"], "languages.1", "Write 'pt': visitors of every region"),
        ("languages", ["sv", "no"], "languages.1", "Write 'nb'"),
        ("services.0.purpose", {"se": "Visar."}, "services.0.purpose.se", "not shown"),
        ("services.5.items.0.purpose", {"sv": "x"}, "services.5.items.0.purpose.fi", "other lang"),
        (
            "services.5.items.0.purpose",
            {**PURPOSE, "de": "x"},
            "services.5.items.0.purpose.de",
            "not shown",
        ),
        ("categories.1.name", {"de": "x"}, "categories.1.name.de", "not shown"),
        ("languages", ["sv", "fi", "sv"], "languages", "listed twice"),
        ("hand_over", ["https://other.example"], "hand_over.0", "not among the site's `origins`"),
        ("hand_over", ["http://127.0.0.1:8000"] * 2, "hand_over", "listed twice"),
        ("links.policy", {"sv": "/sv", "fi": "/fi"}, "links.policy.en", "article 13"),
        ("links.policy", {"": "/all", "de": "/de"}, "links.policy.de", "not shown"),
        ("categories.1.key", "functional", "categories.1.key", "stands twice"),
        ("categories.2.key", "games", "categories.2.name.sv", "own category"),
        ("services.1.use", "smilee-chat", "services.1", "stands twice"),
        ("services.5.key", "analytics", "services.5", "category already"),
        ("services.5.key", "necessary", "services.5", "category already"),
        ("services.5.key", "asked", "services.5", "Take another key"),
        ("services.5.key", "asked-any", "services.5", "Take another key"),
        ("categories.2.key", "asked", "categories.2.key", "Take another key"),
        ("services.0.use", "consent-record", "services.0", "added by itself"),
        ("services.0.use", "smilee-chatt", "services.0.use", "smilee-chat"),
        ("keep_records", "5mo", "keep_records", "180 days"),
        ("keep_records", "179d", "keep_records", "article 7(1)"),
        ("services.0.category", "games", "services.0.category", "no category 'games'"),
        ("services.0.legal_basis", "legitimate_interest", "services.0.legal_basis", "5(3)"),
        ("services.0.legal_basis", "contract", "services.0.legal_basis", "needs consent"),
        ("services.0.category", "necessary", "services.0.justification", "infringement"),
        ("services.5.name", "", "services.5.name", "catalogue"),
        ("services.5.purpose", {"sv": "Chattar."}, "services.5.purpose.fi", "what it is for"),
        ("texts", {"de": {"heading": "x"}}, "texts.de", "not shown"),
        ("texts", {"sv": {"reject_all": "Kanske"}}, "texts.sv.reject_all", "cannot be replaced"),
        ("texts", {"sv": {"accept_all": "Ja!"}}, "texts.sv.accept_all", "cannot be replaced"),
        ("texts", {"sv": {"__proto__": "x"}}, "texts.sv.__proto__", "cannot be replaced"),
        ("theme.text", "#bbbbbb", "theme.text", "WCAG"),
        ("theme.accent", "#ffffff", "theme.accent", "1.0:1"),
        ("theme.text_dark", "#131c2e", "theme.text_dark", "surface_dark"),
        ("theme.accent_dark", "#222222", "theme.accent_dark", "4.5:1"),
        ("theme.border_dark", "#222222", "theme.border_dark", "3:1"),
        ("theme.position", "top", "theme.position", "bar or banner"),
        ("categories.0.description", {"en": "x" * 301}, "categories.0.description.en", "12(1)"),
        ("services.0.purpose", {"en": "x" * 401}, "services.0.purpose.en", "at most 400"),
    ],
)
def test_a_finding_names_its_field_and_the_reason(
    site: dict[str, Any], path: str, value: Any, found: str, reason: str
) -> None:
    errors = findings(change(site, path, value))
    assert found in errors
    assert reason in " ".join(errors[found])


@pytest.mark.parametrize("field", ["key", "name", "category", "provider"])
def test_an_own_service_must_be_described_in_full(site: dict[str, Any], field: str) -> None:
    own = {name: value for name, value in OWN.items() if name != field}
    assert f"services.5.{field}" in findings(change(site, "services.5", own))


def test_a_site_with_nothing_to_ask_needs_no_notice(site: dict[str, Any]) -> None:
    site["categories"] = [{"key": "necessary"}]
    site["services"] = []
    assert list(findings(site)) == ["categories"]


def test_necessary_with_a_justification_is_taken(site: dict[str, Any]) -> None:
    changed = change(site, "services.5.category", "necessary")
    changed["services"][5]["justification"] = "Visitors ask for the chat themselves."
    changed["services"][5]["legal_basis"] = "contract"
    check_site(load_site_form(changed))


def test_an_own_category_with_its_texts_is_taken(site: dict[str, Any]) -> None:
    words = {"sv": "Spel", "fi": "Pelit", "en": "Games"}
    site["categories"] = [
        *site["categories"],
        {"key": "games", "name": words, "description": words},
    ]
    check_site(load_site_form(site))


def test_every_finding_is_told_at_once(site: dict[str, Any]) -> None:
    changed = change(site, "services.0.category", "games")
    changed = change(changed, "theme.text", "#ffffff")
    assert set(findings(changed)) == {"services.0.category", "theme.text"}


@pytest.mark.parametrize(
    ("origin", "inside"),
    [
        ("https://example.com", True),
        ("https://www.example.com", True),
        ("https://a.b.example.com:8443", True),
        ("http://127.0.0.1:9000", True),
        ("http://localhost", True),
        ("https://example.fi", False),
        ("https://notexample.com", False),
        ("https://example.com.evil.example", False),
    ],
)
def test_every_origin_must_be_inside_the_cookie_domain(
    site: dict[str, Any], origin: str, inside: bool
) -> None:
    site["cookie_domain"], site["origins"] = "example.com", ["https://example.com", origin]
    if inside:
        check_site(load_site_form(site))
    else:
        assert "browsers refuse the cookie" in findings(site)["origins.1"][0]
