"""Render proofs in the browser: a decision brings the one that came with the script."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, Response

from .own_site import describe_service, publish_site
from .owner_pages import OwnerPages
from .running_server import RunningServer
from .sites import SITES
from .visit import Visit

_PROOF = re.compile(r"/decisions\?proof=[\w-]{22}$")


@pytest.fixture
def visit(page: Page, server: RunningServer) -> Visit:
    """The Smilee site, asked."""
    visit = Visit(page, SITES["smilee"], server)
    visit.go()
    visit.wait_for_notice()
    return visit


@pytest.fixture
def posted(page: Page) -> list[Response]:
    """What the server answered to decisions, in order."""
    found: list[Response] = []

    def note(response: Response) -> None:
        if response.request.method == "POST" and "/decisions" in response.url:
            found.append(response)

    page.on("response", note)
    return found


def test_the_first_post_of_a_decision_brings_the_proof_of_the_script(
    posted: list[Response], visit: Visit
) -> None:
    visit.decide("accept_all")
    visit.wait_for_delivery()
    assert [answer.status for answer in posted] == [201]
    assert _PROOF.search(posted[0].url)
    assert len(visit.receipts()) == 1


def test_it_does_so_on_a_page_of_another_origin(
    page: Page, server: RunningServer, owner: OwnerPages, posted: list[Response]
) -> None:
    service = describe_service("stats", (("cookie", "_stats"),))
    site = publish_site(server, owner.url, "elsewhere", [service])
    tag = f'<script src="{server.url}/w/elsewhere.js"></script>'
    owner.pages["/"] = (f"<!doctype html>{tag}<body><h1>Shop</h1>", {})
    page.goto(owner.url)
    visit = Visit(page, site, server)
    visit.decide("reject_all")
    visit.wait_for_delivery()
    assert [answer.status for answer in posted] == [201]
    assert _PROOF.search(posted[0].url)


@pytest.mark.parametrize(
    "prevented",
    ["performance.clearResourceTimings()", "performance.getEntries = () => { throw 1 }"],
)
def test_where_the_page_hides_it_the_refusal_brings_it_and_the_decision_is_sent_again(
    posted: list[Response], visit: Visit, prevented: str
) -> None:
    visit.page.evaluate(f"() => {{ {prevented} }}")
    visit.decide("accept_all")
    visit.wait_for_delivery()
    assert [answer.status for answer in posted] == [403, 201]
    assert _PROOF.search(posted[1].url)
    assert len(visit.receipts()) == 1
    visit.reopen_preferences()
    visit.decide("save")
    visit.wait_for_delivery()
    assert [answer.status for answer in posted] == [403, 201, 201], "it is remembered"


def test_an_old_proof_is_replaced_by_the_refusal(posted: list[Response], visit: Visit) -> None:
    old = "A" * 22
    visit.page.evaluate(
        "old => performance.getEntries = () => [{ description: `proof=${old}` }]", old
    )
    visit.decide("accept_all")
    visit.wait_for_delivery()
    assert [answer.status for answer in posted] == [403, 201]
    assert posted[0].url.endswith(old)
    assert len(visit.receipts()) == 1


def test_what_somebody_else_answers_with_a_proof_ends_nothing(
    posted: list[Response], visit: Visit
) -> None:
    page = visit.page
    page.route(
        "**/decisions?*",
        lambda route: route.fulfill(status=200, json={"proof": "hotel", "status": 200}),
    )
    visit.decide("accept_all")
    visit.wait_for(lambda: len(posted) > 1, "a second attempt")
    page.unroute("**/decisions?*")
    visit.wait_for_delivery()
    assert posted[-1].status == 201
    assert len(visit.receipts()) == 1
