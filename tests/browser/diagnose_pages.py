"""Diagnose pages: an owner's pages with one mistake each, and what the diagnosis says of them."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli_w
from playwright.sync_api import Page

from .owner_pages import OwnerPages
from .running_server import RunningServer
from .sites import SITES, DemoSite
from .visit import Visit

TAG = '<script async src="{server}/w/{site}.js"></script>'
#: As the gate asks for it.
FIRST_TAG = '<script src="{server}/w/{site}.js"></script>'
GA = "https://www.google-analytics.com"

_PAGE = """<!doctype html>
<html lang="{language}"><head>{head}<meta charset="utf-8"><title>A page of the owner</title></head>
<body><main><h1>A page of the owner</h1><p>Text.</p></main>{body}</body></html>
"""


def publish(server: RunningServer, owner: OwnerPages, key: str, **fields: Any) -> DemoSite:
    """Publish the Smilee demo site under another key for the owner's pages."""
    form = {**SITES["smilee"].file, "origins": [owner.url], **fields, "key": key}
    file = Path(server.data_dir, f"{key}.toml")
    file.write_text(tomli_w.dumps(form), "utf-8")
    server.publish(file)
    return DemoSite(key)


@dataclass
class Diagnosed:
    """One page of the owner, opened by a fresh visitor."""

    page: Page
    owner: OwnerPages
    server: RunningServer
    site: DemoSite

    @property
    def site_form(self) -> dict[str, Any]:
        """The site file as it was published."""
        file = Path(self.server.data_dir, f"{self.site.key}.toml")
        return tomllib.loads(file.read_text("utf-8"))

    def open(
        self,
        body: str = "",
        *,
        head: str = TAG,
        headers: dict[str, str] | None = None,
        query: str = "",
        language: str = "en",
        asked: bool = True,
    ) -> Visit:
        """Serve the page and open it, until the visitor is asked."""
        filled = head.replace("{server}", self.server.url).replace("{site}", self.site.key)
        text = _PAGE.format(head=filled, body=body, language=language)
        self.owner.pages[f"/{query}"] = (text, headers or {})
        visit = Visit(self.page, self.site, self.server)
        self.page.goto(f"{self.owner.url}/{query}")
        if asked:
            visit.wait_for_notice()
        return visit

    def report(self) -> dict[str, Any]:
        """What `consent.diagnose()` answers."""
        return diagnose(self.page)

    def details(self, check: str) -> list[str]:
        """What one check found; fails where it found nothing."""
        findings = self.report()["checks"]
        (found,) = [one for one in findings if one["check"] == check]
        assert found["text"] != f"check_{check}", "every finding has its words"
        assert "{" not in found["text"]
        details: list[str] = found["details"]
        return details


def diagnose(page: Page) -> dict[str, Any]:
    """What `consent.diagnose()` answers in this page."""
    page.wait_for_function("window.consent")
    found: dict[str, Any] = page.evaluate("consent.diagnose()")
    return found


def checks(report: dict[str, Any]) -> list[str]:
    """Names of what was found wrong, without advice."""
    return [one["check"] for one in report["checks"] if one["severity"] != "advice"]
