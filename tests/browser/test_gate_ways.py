"""Ways past the gate that are used seldom: what they ask for waits, and comes after consent."""

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
def site(owner: OwnerPages, server: RunningServer) -> DemoSite:
    return publish_site(
        server, owner.url, "seldom-ways", SERVICES, categories=CATEGORIES, blocking="gate"
    )


@pytest.fixture
def corner(page: Page, owner: OwnerPages, server: RunningServer, trackers: Trackers) -> Corner:
    return Corner(page, owner, server, trackers)


_PAGE = """<style>#box{color:red} @keyframes turn{from{color:red}} #box{animation:turn 9s}</style>
<div id=box>Text</div><iframe name=named title=Named></iframe>
<svg width=99 height=99><rect id=shape width=99 height=99></rect></svg>
<img id=image alt=Own src=/own.gif>"""

#: What each does, with `at` the address that must wait.
_WAYS = {
    "attribute-node-value": "image.attributes.src.nodeValue = at",
    "attribute-node-text": "image.attributes.src.textContent = at",
    "animation": "box.animate({ backgroundImage: [`url(${at})`, `url(${at})`] }, 9999)",
    "mask": "shape.setAttribute('mask', `url(${at})`)",
    "mask-in-markup": "shape.outerHTML = `<rect width=9 height=9 mask='url(${at})'></rect>`",
    "cursor": "shape.setAttribute('cursor', `url(${at}), auto`)",
    "rule-property": "rules[0].style.background = `url(${at})`",
    "rule-text": "rules[0].style.cssText = `background: url(${at})`",
    "rule-set-property": "rules[0].style.setProperty('background', `url(${at})`, 'important')",
    "rule-in-rule": "rules[0].insertRule(`&{background:url(${at})}`)",
    "rule-added": "document.styleSheets[0].addRule('#box', `background:url(${at})`)",
    "keyframe": "rules[1].appendRule(`50%{background:url(${at})}`)",
    "keyframe-property": "rules[1].cssRules[0].style.backgroundImage = `url(${at})`",
    "document-open": "document.open(at, 'named', '')",
    "frame-opens-itself": "frames[0].open(at, '_self')",
}


@pytest.mark.parametrize("way", _WAYS)
def test_what_is_asked_for_in_a_way_that_is_used_seldom_waits(
    corner: Corner, site: DemoSite, way: str
) -> None:
    visit = corner.open(site, _PAGE)
    visit.wait_for_notice()
    rules = "const rules = document.styleSheets[0].cssRules"
    corner.page.evaluate(f"(at) => {{ {rules}; {_WAYS[way]} }}", f"{STATS}/{way}")
    corner.page.mouse.move(*_middle_of_shape(corner))
    corner.stays_silent(1.0)
    visit.decide("accept_all")
    if way != "cursor":  # asked for by a pointer
        visit.wait_for(lambda: f"/{way}" in corner.asked, "what waited")
    assert corner.errors == []


#: What a page writes while it is read; it has the address in pieces, so that it may run itself.
_WRITTEN = {
    "script": "<script>top.ran = 1 + (top.ran || 0); import(`${at}`)</script>",
    "module": "<script type=module>import `${at}`; top.ran = 1 + (top.ran || 0)</script>",
    "style": "<style>@import url(${at});</style>",
}


@pytest.mark.parametrize("kind", _WRITTEN)
def test_what_a_page_writes_with_an_address_in_its_text_waits_and_runs_once(
    corner: Corner, site: DemoSite, kind: str
) -> None:
    text = _WRITTEN[kind].replace("`${at}`", '"${at}"').replace("</", "<\\/")
    place = f"{STATS}/written.{'css' if kind == 'style' else 'js'}"
    scheme, _, rest = place.partition("//")
    script = f"const at = ['{scheme}', '{rest}'].join('//'); document.write(`{text}<p id=after>`)"
    visit = corner.open(site, f"<script>{script}</script>")
    visit.wait_for_notice()
    corner.stays_silent(1.0)
    assert corner.page.locator("#after").count() == 1
    assert corner.page.evaluate("window.ran") is None
    assert corner.errors == []
    visit.decide("accept_all")
    visit.wait_for(lambda: any("/written" in one for one in corner.asked), "what waited")
    if kind == "script":
        assert corner.page.evaluate("window.ran") == 1


def test_an_image_in_a_style_is_no_address_where_every_host_waits(
    corner: Corner, owner: OwnerPages, server: RunningServer
) -> None:
    strict = publish_site(
        server, owner.url, "strict-ways", SERVICES, categories=CATEGORIES, blocking="strict"
    )
    image = "url(data:image/gif;base64,R0lGODlhAQABAIAAAAD//aaaa//yH5BAEAAAAALAAAAAABAAEAAAIBRAA7)"
    styles = f"<style>#sheet {{ background: {image} }} #rule {{ color: red }}</style>"
    page = f"{styles}<p id=sheet>A<p id=own style='background:{image}'>B<p id=rule>C"
    visit = corner.open(strict, page)
    visit.wait_for_notice()
    corner.page.evaluate(
        "(at) => { document.styleSheets[0].cssRules[1].style.background = at }", image
    )
    corner.page.wait_for_timeout(300)
    shown = "['sheet', 'own', 'rule'].map((id) => getComputedStyle(window[id]).backgroundImage)"
    assert ["base64" in one for one in corner.page.evaluate(shown)] == [True] * 3
    corner.page.evaluate("own.style.background = 'url(//unlisted.example/a.gif)'")
    corner.page.wait_for_timeout(300)
    assert corner.page.evaluate("own.style.backgroundImage") in {"", "initial", "none"}


def _middle_of_shape(corner: Corner) -> tuple[float, float]:
    place = corner.page.locator("svg").bounding_box()
    assert place
    return place["x"] + 40, place["y"] + 40
