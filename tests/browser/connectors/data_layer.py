"""Data layer: what Google's tags find in it, entry by entry."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page

from tests.browser.visit import Visit

GTAG = """window.dataLayer = window.dataLayer || [];
function gtag(){dataLayer.push(arguments);}
gtag('js', 'now');
gtag('config', 'G-ABC123');"""
LIBRARY = "https://www.googletagmanager.com/gtag/js?id=G-ABC123"
SERVICES = [
    {"use": "google-analytics", "ids": ["G-ABC123"]},
    "hotjar",
    "google-ads",
    "smilee-chat",
]
TYPES = {
    "ad_storage": "google-ads",
    "ad_user_data": "google-ads",
    "ad_personalization": "google-ads",
    "analytics_storage": "google-analytics",
    "functionality_storage": "functional",
    "personalization_storage": "functional",
}
REDACT = ["set", "ads_data_redaction", True]
#: What these services and categories decide, when all of them are granted.
ALL = ("google-ads", "google-analytics", "functional")
JS, CONFIG = ["js", "now"], ["config", "G-ABC123"]
#: Entries as lists; Google reads commands only from `arguments`, so anything else is marked.
READ = """(window.dataLayer || []).map((entry) =>
  toString.call(entry) === '[object Arguments]' ? [...entry] : { event: entry })"""


def told(command: str, *granted: str) -> list[Any]:
    """The entry that tells all types, granted where one of these decides on them."""
    return [
        "consent",
        command,
        {
            **{name: "granted" if key in granted else "denied" for name, key in TYPES.items()},
            "security_storage": "granted",
        },
    ]


def layer_of(page: Page) -> list[Any]:
    """Everything that is in the data layer now."""
    found: list[Any] = page.evaluate(READ)
    return found


def wait_for_layer(visit: Visit, entries: list[Any]) -> None:
    """Until there are as many, and then exactly these."""
    visit.wait_for(lambda: len(layer_of(visit.page)) >= len(entries), f"{entries}")
    visit.page.wait_for_timeout(150)
    assert layer_of(visit.page) == entries
