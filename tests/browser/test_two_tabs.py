"""Two tabs: a person says yes in one and no in the other at the same moment."""

from __future__ import annotations

import pytest
from playwright.sync_api import Response

from .conftest import NewProfile
from .own_site import describe_service, publish_site
from .owner_pages import OwnerPages
from .running_server import RunningServer
from .trackers import Trackers
from .visit import Visit, watch_silence

_PICTURE = (
    '<img alt="" data-consent="analytics" data-consent-src="https://held.example.com/held.gif">'
)
#: A click on a button that has gone, since the other tab was quicker, chooses nothing.
_AT = """(button, moment) => void setTimeout(() => {
  window.chose = button.isConnected;
  button.click();
}, moment - Date.now())"""
#: By how many milliseconds the yes comes before the no.
_EARLIER = (0, 1, -1, 4, -4, 20, -20)


@pytest.mark.parametrize("earlier", _EARLIER)
def test_both_choices_are_recorded_and_the_last_one_holds_in_both_tabs(
    new_profile: NewProfile,
    owner: OwnerPages,
    server: RunningServer,
    trackers: Trackers,
    earlier: int,
) -> None:
    services = [describe_service("counter", (("cookie", "_count"),))]
    site = publish_site(server, owner.url, "two-tabs", services)
    tag = f'<script src="{server.url}/w/{site.key}.js"></script>'
    page = f'<!doctype html><html lang="en">{tag}<title>Tabs</title><main>{_PICTURE}</main>'
    owner.pages["/"] = (page, {})
    context = new_profile()
    answers: list[Response] = []
    context.on("response", lambda answer: answers.append(answer))  # noqa: PLW0108 (it wants a function)
    tabs = [Visit(context.new_page(), site, server) for _ in range(2)]
    for tab in tabs:
        tab.page.goto(f"{owner.url}/")
        tab.wait_for_notice()
    # At hand before the first is pressed, which may take the other away.
    yes = tabs[0].button("accept_all").element_handle()
    no = tabs[1].button("reject_all").element_handle()
    moment = tabs[0].page.evaluate("() => Date.now()") + 300
    yes.evaluate(_AT, moment - earlier)
    no.evaluate(_AT, moment)
    for tab in tabs:
        tab.page.wait_for_function("() => 'chose' in window")
        tab.notice.wait_for(state="detached")
    chose = [tab.page.evaluate("() => window.chose") for tab in tabs]
    chosen = {name for name, did in zip(("accept_all", "reject_all"), chose, strict=True) if did}

    def told() -> dict[str, str]:
        heard = [one.json() for one in answers if one.status == 201]
        return {one["method"]: one["decided_at"] for one in heard}

    tabs[0].wait_for(lambda: set(told()) == chosen, f"recorded is {chosen}")
    kept = tabs[0].decision()
    assert kept is not None
    granted = kept.grants["analytics"]
    seconds = {name: moment.partition(".")[0] for name, moment in told().items()}
    # The cookie knows of seconds; of one second, both tabs come to the same at least.
    held = "accept_all" if granted else "reject_all"
    assert seconds.get(held) == max(seconds.values())
    for tab in tabs:
        tab.page.locator("img[src]" if granted else "img[data-consent-src]").wait_for(
            state="attached"
        )
    trackers.clear()
    for tab in tabs:
        tab.page.reload()
    if granted:
        tabs[0].wait_for(lambda: len(trackers.requests) == 2, "the picture of each tab")
    else:
        watch_silence(tabs[0].page, trackers, 1.0)
    assert tabs[0].decision() == tabs[1].decision() == kept
    assert not any(tab.notice_is_shown for tab in tabs)
