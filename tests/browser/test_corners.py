"""Corners of the browser: other tabs, pages that change in place, pages that patch what we call."""

from __future__ import annotations

import pytest

from .conftest import NewProfile
from .own_site import describe_service, publish_site
from .owner_pages import OwnerPages
from .running_server import RunningServer
from .sites import SITES, DemoSite
from .trackers import Trackers
from .visit import Visit, wait_until_settled, watch_silence

SITE = SITES["smilee"]
_PICTURE = (
    '<img alt="" data-consent="analytics" data-consent-src="https://held.example.com/held.gif">'
)
_NAMES = (
    "currentScript",
    "body",
    "head",
    "cookie",
    "querySelector",
    "documentElement",
    "readyState",
)
#: What old libraries and hostile pages do before our script runs.
PATCHES = {
    "enumerable prototypes": "<script>Object.prototype.junk = Array.prototype.junk = 1</script>",
    "array toJSON": "<script>Array.prototype.toJSON = () => 'junk'</script>",
    "object toJSON": "<script>Object.prototype.toJSON = () => 'junk'</script>",
    "string toJSON": "<script>String.prototype.toJSON = () => 'junk'</script>",
    "granting prototypes": "<script>for (const key of ['analytics', 'necessary', 'marketing',"
    " 'google-analytics', 'grants', 'decided', 'gate', 'compat']) Object.prototype[key] = true"
    "</script>",
    "greedy prototypes": "<script>Object.defineProperty(Object.prototype, 'analytics',"
    " { get: () => true, set() {} })</script>",
    "own Promise": "<script>window.Promise = class extends Promise {}</script>",
    "old Promise": "<script>{ const Native = Promise; window.Promise = function (run) {"
    " const made = new Native(run); this.then = (...next) => made.then(...next) } }</script>",
    "clobbered names": "<form name=consent></form><img id=consent alt=''>"
    + "".join(f"<img name={name} alt=''>" for name in _NAMES),
    "no localStorage": "<script>Object.defineProperty(window, 'localStorage', "
    "{ get() { throw new DOMException('no', 'SecurityError') } })</script>",
}


def _write(
    owner: OwnerPages, server: RunningServer, first: str = "", site: DemoSite = SITE
) -> None:
    tag = f'<script src="{server.url}/w/{site.key}.js"></script>'
    page = (
        f'<!doctype html><html lang="en">{first}{tag}<title>Corner</title><main>{_PICTURE}</main>'
    )
    owner.pages["/"] = (page, {})


def test_a_decision_in_one_tab_holds_in_the_other(
    new_profile: NewProfile, owner: OwnerPages, server: RunningServer, trackers: Trackers
) -> None:
    _write(owner, server)
    context = new_profile()
    one, other = (Visit(context.new_page(), SITE, server) for _ in range(2))
    for visit in (one, other):
        visit.page.goto(f"{owner.url}/")
        visit.wait_for_notice()
    one.decide("accept_all")
    other.notice.wait_for(state="detached")
    one.wait_for(lambda: len(trackers.requests) == 2, "the picture of each tab")
    other.reopen_preferences()
    other.decide("withdraw")
    for visit in (one, other):
        visit.page.locator("img[data-consent-src]").wait_for(state="attached")
    one.reopen_preferences()
    one.decide("accept_all")
    for visit in (one, other):
        visit.page.locator("img[src]").wait_for(state="attached")


def test_a_page_that_replaces_its_body_is_held_as_before(
    new_profile: NewProfile, owner: OwnerPages, server: RunningServer, trackers: Trackers
) -> None:
    _write(owner, server)
    visit = Visit(new_profile().new_page(), SITE, server)
    visit.page.goto(f"{owner.url}/")
    visit.wait_for_notice()
    swap = """html => {
      history.pushState({}, '', '/next');
      const body = document.createElement('body');
      body.innerHTML = html;
      document.body.replaceWith(body);
    }"""
    visit.page.evaluate(swap, _PICTURE)
    visit.wait_for_notice()
    watch_silence(visit.page, trackers, 1.0)
    visit.decide("accept_all")
    visit.wait_for(lambda: len(trackers.requests) == 1, "the new picture")
    visit.page.evaluate(swap, _PICTURE.replace("held.gif", "newest.gif"))
    visit.wait_for(
        lambda: [one.path for one in trackers.requests] == ["/held.gif", "/newest.gif"],
        "the newest picture",
    )


@pytest.mark.parametrize("first", PATCHES.values(), ids=list(PATCHES))
def test_a_page_that_patches_what_we_call_is_asked_and_answered(
    new_profile: NewProfile,
    owner: OwnerPages,
    server: RunningServer,
    trackers: Trackers,
    first: str,
) -> None:
    site = publish_site(server, owner.url, "patched", [describe_service("counter", ())])
    _write(owner, server, first, site)
    visit = Visit(new_profile().new_page(), site, server)
    errors: list[str] = []
    visit.page.on("pageerror", lambda error: errors.append(error.message))
    visit.page.goto(f"{owner.url}/")
    visit.wait_for_notice()
    watch_silence(visit.page, trackers, 1.0)
    visit.decide("accept_all")
    wait_until_settled(visit.page, trackers)
    assert [one.path for one in trackers.requests] == ["/held.gif"]
    visit.wait_for(lambda: visit.decision() is not None, "the decision is kept")
    visit.wait_for(lambda: len(visit.receipts()) == 1, "the server has it, word for word")
    assert visit.receipts()[0]["grants"] == {"analytics": True, "counter": True}
    visit.page.evaluate("consent.withdraw()")
    assert visit.page.locator("img[data-consent-src]").count() == 1, "held again"
    visit.wait_for(lambda: len(visit.receipts()) == 2, "the withdrawal is recorded")
    assert errors == []


def test_a_page_that_is_written_anew_is_held_asked_and_answered(
    new_profile: NewProfile, owner: OwnerPages, server: RunningServer, trackers: Trackers
) -> None:
    """document.open() throws every element and listener out, ours too."""
    site = publish_site(server, owner.url, "written", [describe_service("counter", ())])
    _write(owner, server, site=site)
    context = new_profile()
    visit = Visit(context.new_page(), site, server)
    visit.page.goto(f"{owner.url}/")
    visit.wait_for_notice()
    write = """html => {
      document.open();
      document.write('<!doctype html><title>New</title><main>' + html + '</main>'
        + '<a href="#" data-consent-open>Settings</a>');
      document.close();
    }"""
    visit.page.evaluate(write, _PICTURE.replace("held.gif", "new.gif"))
    visit.wait_for_notice()
    watch_silence(visit.page, trackers, 1.0)
    visit.decide("accept_all")
    visit.wait_for(lambda: [one.path for one in trackers.requests] == ["/new.gif"], "the picture")
    visit.page.evaluate(write, _PICTURE.replace("held.gif", "newest.gif"))
    visit.wait_for(lambda: len(trackers.requests) == 2, "the newest picture")
    visit.wait_for_delivery()
    visit.reopen_preferences()
    visit.decide("withdraw")
    assert visit.page.locator("img[data-consent-src]").count() == 1
    visit.wait_for_delivery()
    other = Visit(context.new_page(), site, server)
    other.page.goto(f"{owner.url}/")
    other.reopen_preferences()
    other.decide("accept_all")
    # It still hears of other tabs.
    visit.page.locator("img[src]").wait_for(state="attached")


def test_a_page_whose_root_is_replaced_is_asked_and_answered(
    new_profile: NewProfile, owner: OwnerPages, server: RunningServer, trackers: Trackers
) -> None:
    _write(owner, server)
    visit = Visit(new_profile().new_page(), SITE, server)
    visit.page.goto(f"{owner.url}/")
    visit.wait_for_notice()
    visit.page.evaluate(
        """html => {
          const root = document.createElement('html');
          root.innerHTML = '<head><title>New</title></head><body>' + html + '</body>';
          document.documentElement.replaceWith(root);
        }""",
        _PICTURE,
    )
    visit.wait_for_notice()
    watch_silence(visit.page, trackers, 1.0)
    visit.open_preferences()
    visit.decide("accept_all")
    visit.wait_for(lambda: len(trackers.requests) == 1, "the new picture")
