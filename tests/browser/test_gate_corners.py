"""Corners of the gate: rarer ways past it, and calls that must go on as if it were not there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from .corner import CATEGORIES, SERVICES, STATS, Corner
from .own_site import publish_site
from .owner_pages import OwnerPages, running_owner_pages
from .running_server import RunningServer
from .sites import DemoSite
from .trackers import Trackers


@pytest.fixture(scope="module")
def owner() -> Iterator[OwnerPages]:
    with running_owner_pages() as running:
        yield running


@pytest.fixture(scope="module")
def sites(owner: OwnerPages, server: RunningServer) -> dict[str, DemoSite]:
    """One site for each gate, and one with pages for children."""
    kinds: dict[str, dict[str, str]] = {
        "gate": {"blocking": "gate"},
        "strict": {"blocking": "strict"},
        "children": {"blocking": "strict", "children": "pages"},
    }
    return {
        kind: publish_site(
            server, owner.url, f"corner-{kind}", SERVICES, categories=CATEGORIES, **fields
        )
        for kind, fields in kinds.items()
    }


@pytest.fixture
def corner(page: Page, owner: OwnerPages, server: RunningServer, trackers: Trackers) -> Corner:
    return Corner(page, owner, server, trackers)


_WAYS = """() => {
  const code = "try { importScripts('https://stats.example.com/worker.js') } catch {}";
  new Worker(URL.createObjectURL(new File([code], 'w.js', { type: 'text/javascript' })));
  button.onclick = () => {
    const opened = window.open('', '_blank', 'width=100,height=100');
    const script = opened.document.createElement('script');
    script.src = 'https://stats.example.com/popup.js';
    opened.document.body.append(script);
    opened.fetch('https://stats.example.com/fetched-there', { mode: 'no-cors' });
  };
  button.click();
}"""
_TYPES = "".join(
    f'<script type="{kind}">import("{STATS}/{number}.js").catch(() => 0)</script>'
    for number, kind in enumerate(("text/javascript ", "text/jscript", "text/javascript1.5"))
)


def test_a_file_a_window_of_ours_and_rare_script_types_get_nothing_past_the_gate(
    corner: Corner, sites: dict[str, DemoSite]
) -> None:
    visit = corner.open(sites["gate"], f"<button id=button>Open</button>{_TYPES}")
    visit.wait_for_notice()
    corner.page.evaluate(_WAYS)
    corner.stays_silent(1.0)


def test_a_frame_of_another_origin_is_talked_to_as_without_the_gate(
    corner: Corner, sites: dict[str, DemoSite]
) -> None:
    frame = "<iframe id=pay title=Pay src='https://pay.example.org/'></iframe>"
    corner.open(sites["gate"], frame).wait_for_notice()
    corner.page.wait_for_function("() => pay.contentDocument === null")
    corner.page.evaluate("() => pay.contentWindow.postMessage('x', '*')")
    corner.page.evaluate("() => open('https://pay.example.org/', 'other').postMessage('x', '*')")
    assert corner.errors == []


_NEXT_PAGES = """(ways) => Promise.all(Object.entries(ways).map(([name, leave]) =>
  new Promise((resolve) => {
    const frame = document.createElement('iframe');
    frame.src = '/quiet';
    frame.onload = () => {
      frame.onload = () => {
        frame.onload = null;
        new Function('frame', 'at', leave)(frame, `https://stats.example.com/${name}`);
        resolve();
      };
      frame.contentDocument.location.reload();
    };
    document.body.append(frame);
  })))"""


def test_what_a_frame_loads_on_its_next_page_waits(
    corner: Corner, sites: dict[str, DemoSite], owner: OwnerPages
) -> None:
    owner.pages["/quiet"] = ("<!doctype html><title>Quiet</title>", {})
    visit = corner.open(sites["gate"])
    visit.wait_for_notice()
    corner.page.evaluate(_NEXT_PAGES, {"fetched": "frames[0].fetch(at, { mode: 'no-cors' })"})
    corner.stays_silent(0.5)
    visit.decide("accept_all")
    visit.wait_for(lambda: corner.asked == ["/fetched"], "what waited")


@pytest.mark.parametrize("browser_name", ["chromium"], indirect=True)
@pytest.mark.parametrize("kind", ["gate", "strict"])
def test_a_frame_that_has_a_page_is_sent_on_once_that_is_allowed(
    corner: Corner, sites: dict[str, DemoSite], owner: OwnerPages, kind: str
) -> None:
    owner.pages["/quiet"] = ("<!doctype html><title>Quiet</title>", {})
    visit = corner.open(sites[kind])
    visit.wait_for_notice()
    ways = {
        "location": "frame.contentWindow.location = at",
        "replaced": "frame.contentWindow.location.replace(at)",
        "navigated": "const { committed, finished } = frame.contentWindow.navigation.navigate(at);"
        "committed.catch(() => 0); finished.catch(() => 0)",
        "refreshed": "frame.contentDocument.head.innerHTML ="
        " `<meta http-equiv=refresh content='0;url=${at}'>`",
    }
    corner.page.evaluate(_NEXT_PAGES, ways)
    corner.stays_silent(0.5)
    visit.decide("accept_all")
    visit.wait_for(lambda: len(corner.asked) >= len(ways), "what waited")
    assert sorted(corner.asked) == sorted(f"/{name}" for name in ways)
    assert corner.errors == []


def test_pages_for_children_store_no_more_than_others(
    corner: Corner, sites: dict[str, DemoSite]
) -> None:
    store = "<script>document.cookie = '_stats=1'; localStorage.stats_l = 1;</script>"
    visit = corner.open(sites["children"], store, tag="data-consent-child")
    corner.page.wait_for_function("() => window.consent")
    assert visit.cookies() == {}
    assert visit.storage() == {}


@pytest.mark.parametrize("browser_name", ["chromium"], indirect=True)
def test_a_frame_that_was_let_in_while_it_was_out_of_the_page_ends_with_a_withdrawal(
    corner: Corner, sites: dict[str, DemoSite]
) -> None:
    visit = corner.open(sites["gate"])
    visit.wait_for_notice()
    corner.page.evaluate(
        f"() => {{ window.frame = document.createElement('iframe'); frame.src = '{STATS}/frame'; }}"
    )
    visit.decide("accept_all")
    corner.page.evaluate("() => document.body.append(frame)")
    visit.wait_for(lambda: corner.asked == ["/frame"], "the frame")
    corner.page.evaluate("() => { window.here = true; consent.withdraw(); }")
    corner.page.wait_for_function("() => !window.here && window.consent")
    assert visit.is_refused()


@pytest.mark.parametrize("browser_name", ["chromium"], indirect=True)
def test_a_declared_script_whose_address_is_held_does_not_keep_the_others(
    corner: Corner, sites: dict[str, DemoSite]
) -> None:
    declared = '<script type="text/plain" data-consent="functional"'
    visit = corner.open(
        sites["strict"],
        f'{declared} data-consent-src="https://unlisted.example.com/lib.js"></script>'
        f"{declared}>window.second = 1</script>",
    )
    visit.wait_for_notice()
    visit.decide("accept_all")
    corner.page.wait_for_function("() => window.second === 1")


_AS_WITHOUT_US = """() => {
  const told = {};
  const area = new StorageEvent('storage', { key: 'a', storageArea: localStorage }).storageArea;
  told.area = area === localStorage;
  told.made = [new Blob([]).constructor === Blob, WebSocket.prototype.constructor === WebSocket];
  const socket = new WebSocket('wss://stats.example.com/');
  told.socket = [String(socket), socket instanceof WebSocket, socket.OPEN];
  const box = document.createElement('div');
  box.innerHTML = '<svg><image href="https://stats.example.com/i.png"/><rect/></svg>';
  told.svg = box.querySelector('rect').parentNode.localName;
  document.dispatchEvent(new Event('submit'));
  return told;
}"""


def test_events_sockets_classes_and_drawings_are_as_without_the_gate(
    corner: Corner, sites: dict[str, DemoSite]
) -> None:
    corner.open(sites["gate"]).wait_for_notice()
    assert corner.page.evaluate(_AS_WITHOUT_US) == {
        "area": True,
        "made": [True, True],
        "socket": ["[object WebSocket]", True, 1],
        "svg": "svg",
    }
    assert corner.errors == []


@pytest.mark.parametrize("browser_name", ["chromium"], indirect=True)
def test_a_page_that_demands_trusted_types_writes_what_it_trusts(
    corner: Corner, sites: dict[str, DemoSite]
) -> None:
    corner.policy = "require-trusted-types-for 'script'"
    write = "document.write(trustedTypes.createPolicy('own',{createHTML:s=>s}).createHTML('<b>'))"
    corner.open(sites["gate"], f"<script>{write}</script>").wait_for_notice()
    assert corner.page.locator("b").count() == 1
    assert corner.errors == []


@pytest.mark.parametrize("browser_name", ["chromium"], indirect=True)
def test_what_styles_mention_in_comments_and_names_of_formats_load_nothing_and_are_applied(
    corner: Corner, sites: dict[str, DemoSite]
) -> None:
    picture = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg'/%3E"
    styles = (
        "<style>/* Theme (https://theme.example.org) */ #box { color: rgb(1, 2, 3) }</style>"
        f'<style>#box {{ background: url("{picture}"); margin-left: 7px }}</style>'
        "<style>/* don't */ #box { background: url(https://stats.example.com/a.png) } /* ' */"
        " #box { padding-left: 9px }</style>"
    )
    corner.open(sites["strict"], "<p id=box>Text.</p>", styles).wait_for_notice()
    looks = corner.page.evaluate(
        "() => (({ color, marginLeft, paddingLeft }) => [color, marginLeft, paddingLeft])"
        "(getComputedStyle(box))"
    )
    assert looks == ["rgb(1, 2, 3)", "7px", "0px"], "the last sheet loads something"
    assert corner.asked == []


@pytest.mark.parametrize("browser_name", ["chromium"], indirect=True)
def test_a_held_request_that_the_page_gave_up_is_not_sent_later(
    corner: Corner, sites: dict[str, DemoSite]
) -> None:
    visit = corner.open(sites["gate"])
    visit.wait_for_notice()
    own: list[str] = []
    corner.page.on("request", lambda one: own.append(one.url) if one.url.endswith("/own") else None)
    corner.page.evaluate(
        """() => {
          const one = new XMLHttpRequest();
          one.open('GET', 'https://stats.example.com/aborted');
          one.send();
          one.abort();
          const other = new XMLHttpRequest();
          other.open('POST', 'https://stats.example.com/replaced');
          other.send('for the tracker');
          other.open('POST', '/own');
          fetch('https://stats.example.com/last', { mode: 'no-cors' });
        }"""
    )
    visit.decide("accept_all")
    visit.wait_for(lambda: "/last" in corner.asked, "what was not given up")
    corner.page.wait_for_timeout(300)
    assert (corner.asked, own) == (["/last"], [])
