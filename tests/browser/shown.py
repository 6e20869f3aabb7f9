"""A version as a page shows it, without a server: the script is composed here, the page is ours."""

from __future__ import annotations

from functools import cache
from typing import Any

from playwright.sync_api import BrowserContext, Page, Route

from consent_server.languages import direction_of
from consent_server.site_form import load_site_form
from consent_server.snapshot import build_snapshot
from consent_server.widget import compose_script

from .own_site import describe_service, describe_site

ORIGIN = "http://127.0.0.1:8000"
NOTICE = "consent-notice section[role=dialog]"
PREFERENCES = "consent-notice dialog"
_WORDS = "<p>A paragraph of the page with <a href='#{0}'>link {0}</a> in it.</p>"
_BODY = "<main><h1>Shop</h1>" + "".join(_WORDS.format(n) for n in range(40)) + "</main>"


@cache
def script_of(language: str, form: str, position: str, order: str) -> bytes:
    """The script of a shop in one language, in one form."""
    words = {"purpose": {language: "Counts visits, and tells how the pages are used."}}
    services = [
        {**describe_service(key, (("cookie", f"_{key}"),)), **words} for key in ("counter", "heat")
    ]
    theme = {"form": form, "position": position, "order": order}
    site = describe_site(ORIGIN, "shown", services, languages=[language], theme=theme)
    site["categories"] = [{"key": key} for key in ("functional", "analytics", "marketing")]
    return compose_script(build_snapshot(load_site_form(site)), 1, 1).body


def show(
    context: BrowserContext,
    language: str,
    form: str = "box",
    position: str = "bottom_left",
    order: str = "accept_first",
    body: str = _BODY,
) -> Page:
    """A page in that language whose notice is on screen; nothing leaves the browser."""
    page = open_page(context, language, script_of(language, form, position, order), body)
    page.locator(NOTICE).wait_for(state="visible")
    return page


def open_page(context: BrowserContext, language: str, script: bytes, body: str) -> Page:
    """A page in that language with that script; nothing leaves the browser."""
    html = f'<!doctype html><html lang="{language}" dir="{direction_of(language)}">'
    html += '<meta name="viewport" content="width=device-width">'
    html += f'<title>Shop</title><script src="/w/shown.js"></script><body>{body}'

    def answer(route: Route) -> None:
        path = route.request.url.removeprefix(ORIGIN)
        answers: dict[str, Any] = {
            "/": {"body": html, "content_type": "text/html; charset=utf-8"},
            "/w/shown.js": {"body": script, "content_type": "text/javascript; charset=utf-8"},
        }
        if path in answers:
            route.fulfill(**answers[path])
        else:
            route.abort()

    page = context.new_page()
    page.route("**/*", answer)
    page.goto(f"{ORIGIN}/")
    return page
