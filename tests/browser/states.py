"""States: everything the notice can look like, each brought on screen as a visitor would.

The scripts are composed here and the page is ours (`shown`), so a state in any form and language
takes no server.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from playwright.sync_api import BrowserContext, Page

from consent_server.rules.children import ALWAYS
from consent_server.rules.decision import Signal
from consent_server.rules.regimes import BY_REGION, Regime
from consent_server.site_form import load_site_form
from consent_server.snapshot import Config, build_snapshot
from consent_server.widget import compose_script

from .own_site import describe_service, describe_site
from .shown import NOTICE, ORIGIN, PREFERENCES, open_page

ENTRY = "consent-notice > button.entry"
# What is said to those who listen: first the question, then that the choice is saved.
_IS_SAID = """question => {
  const said = document.querySelector('consent-notice').shadowRoot.querySelector('[role=status]');
  return said.textContent && said.textContent !== question;
}"""
_FILM = (
    '<iframe title="Film" data-consent="service:film" data-consent-srcdoc="<p>Film</p>" '
    'style="width: {width}px; max-width: 100%; height: {height}px"></iframe>'
)
#: A place of the usual size, one of a phone, and a small one, whose words scroll.
_FILMS = "".join(
    f"<p>{_FILM.format(width=width, height=height)}</p>"
    for width, height in ((280, 320), (720, 260), (200, 100))
)
_WORDS = "<p>A paragraph of the page with <a href='#{0}'>link {0}</a> in it.</p>"
_PAGE = "<main><h1>Shop</h1>{}" + "".join(_WORDS.format(n) for n in range(12)) + "</main>"


@dataclass(frozen=True)
class Look:
    """How a state is shown: the owner's theme, and the language of site and page."""

    language: str = "en"
    form: str = "box"
    position: str = "bottom_left"
    #: What else the owner's theme says.
    theme: tuple[tuple[str, Any], ...] = ()
    #: Makes every word of the snapshot another one.
    reword: Callable[[str], str] | None = None


#: State -> what runs first where the visitor is; elsewhere nothing does.
_REGIMES: Mapping[str, Regime] = {
    "exempt": Regime.EXEMPT_ANALYTICS,
    "opt_out": Regime.OPT_OUT,
    "opt_out_entry": Regime.OPT_OUT,
    "gpc": Regime.OPT_OUT,
}
#: In the order in which a visitor may come through them.
STATES = (
    "notice",
    "preferences",
    "saved",
    "entry",
    "decided",
    "placeholder",
    "announcement",
    "news",
    "exempt",
    "opt_out",
    "opt_out_entry",
    "gpc",
    "gpc_notice",
    "child",
)


def show_state(context: BrowserContext, state: str, look: Look) -> Page:
    """Open a page of that look and bring the state on screen."""
    if state == "news":
        context.add_cookies([_earlier_decision()])
    page = open_page(context, look.language, _script(state, look), _PAGE.format(_FILMS))
    first = ENTRY if state in {"child", "gpc"} else NOTICE
    page.locator(first).wait_for(state="visible")
    if state in _ACTIONS:
        _ACTIONS[state](page)
    return page


def _open_preferences(page: Page) -> None:
    page.locator(f"{NOTICE} [data-consent-action=settings]").last.click()
    page.locator(PREFERENCES).wait_for(state="visible")
    for summary in page.locator(f"{PREFERENCES} summary").all()[::-1]:
        summary.click()


def _refuse(page: Page) -> None:
    page.locator(f"{NOTICE} [data-consent-action=reject_all]").click()
    page.locator(ENTRY).wait_for(state="visible")


def _save(page: Page) -> None:
    """Until it is said that the choice is saved."""
    question = page.locator(f"{NOTICE} h2").inner_text()
    _open_preferences(page)
    page.locator(f"{PREFERENCES} #switch-counter").click()
    page.locator(f"{PREFERENCES} [data-consent-action=save]").click()
    page.wait_for_function(_IS_SAID, arg=question)
    page.locator(ENTRY).wait_for(state="visible")


def _look_again(page: Page) -> None:
    _save(page)
    _press_entry(page)


def _press_entry(page: Page) -> None:
    page.locator(ENTRY).click()
    page.locator(PREFERENCES).wait_for(state="visible")


def _close(page: Page) -> None:
    page.locator(f"{NOTICE} [data-consent-action=close]").click()
    page.locator(ENTRY).wait_for(state="visible")


_ACTIONS: Mapping[str, Callable[[Page], None]] = {
    "preferences": _open_preferences,
    "saved": _save,
    "entry": _refuse,
    "decided": _look_again,
    "placeholder": _refuse,
    "opt_out_entry": _close,
    "child": _press_entry,
}


def _earlier_decision() -> Any:
    """Of a visitor who knew version 1, which had no heat map."""
    digits, left = "", int(time.time()) - 86_400
    while left:
        left, digit = divmod(left, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
    keys = "!functional~!analytics~counter~!marketing~!film"
    return {"name": "consent_shown", "value": f"1.1.{digits}.{'0' * 32}.{keys}", "url": ORIGIN}


@cache
def _script(state: str, look: Look) -> bytes:
    config = dict(_snapshot(state, replace(look, reword=None)))
    if look.reword:
        config["texts"] = _reword(config["texts"], look.reword)
    number = 2 if state == "news" else 1
    if number == 2:
        config["new_since"] = {"heat": 2}
    signal = Signal.GPC if state.startswith("gpc") else ""
    return compose_script(config, number, number, _REGIMES.get(state), signal).body


@cache
def _snapshot(state: str, look: Look) -> Config:
    told = {look.language: "Counts visits, and tells how the pages are used."}
    services = [
        {**describe_service(key, (("cookie", f"_{key}"),), category=category), "purpose": told}
        for key, category in (
            ("counter", "analytics"),
            ("heat", "analytics"),
            ("film", "marketing"),
        )
    ]
    theme = {"form": look.form, "position": look.position, **dict(look.theme)}
    fields: dict[str, Any] = {"languages": [look.language], "theme": theme}
    if state in _REGIMES:
        fields["regime"] = BY_REGION
    if state == "child":
        fields["children"] = ALWAYS
    if state == "announcement":
        day = (datetime.now(UTC) + timedelta(days=10)).date().isoformat()
        text = "From next month another company runs our chat."
        fields["announcement"] = {"date": day, "text": {look.language: text}}
    site = describe_site(ORIGIN, "shown", services, **fields)
    site["categories"] = [{"key": key} for key in ("functional", "analytics", "marketing")]
    return build_snapshot(load_site_form(site))


def _reword(texts: Any, reword: Callable[[str], str], name: str = "") -> Any:
    """Return the texts of a snapshot with other words; what is no word stays."""
    if isinstance(texts, dict):
        return {key: _reword(one, reword, key) for key, one in texts.items()}
    if isinstance(texts, list):
        return [_reword(one, reword, name) for one in texts]
    is_word = isinstance(texts, str) and name not in {"direction", "policy_url"}
    return reword(texts) if is_word else texts
