"""Identifying: a decision follows who signs in to another browser, and no further person."""

from __future__ import annotations

import time
from typing import Any

import pytest
from playwright.sync_api import BrowserContext

from tests.readers import load_reader

from .conftest import NewProfile
from .law.short_memory import cap_script_storage, days_left
from .own_site import CONTROLLER, describe_service, publish_site
from .owner_pages import OwnerPages
from .running_server import RunningServer
from .sites import DemoSite
from .visit import Visit


class Members:
    """A site whose visitors sign in, and its own server, which vouches for them."""

    def __init__(
        self, server: RunningServer, owner: OwnerPages, new_profile: NewProfile, **fields: Any
    ) -> None:
        self.server, self.owner, self.new_profile = server, owner, new_profile
        services = [describe_service("counter", ())]
        self.site: DemoSite = publish_site(
            server,
            owner.url,
            "members",
            services,
            **{"identify": True, "origins": [owner.url, server.url], **fields},
        )
        tag = f'<!doctype html><html lang="en"><script src="{server.url}/w/members.js"></script>'
        owner.pages["/"] = (f"{tag}<title>Members</title>", {})
        self.secret = server.run_command("site", "identify-secret", "members").stdout.strip()

    def visit(self) -> Visit:
        """A fresh browser on the site."""
        return self.arrive(self.new_profile(), f"{self.owner.url}/")

    def arrive(self, context: BrowserContext, address: str) -> Visit:
        """Open that address and be asked."""
        visit = Visit(context.new_page(), self.site, self.server)
        visit.page.goto(address)
        visit.wait_for_notice()
        return visit

    def sign_in(self, visit: Visit, ref: str) -> None:
        """Sign in there, as the page of a signed-in visitor does."""
        expires = int(time.time()) + 600
        signature = load_reader().sign_ref(self.secret, "members", ref, expires)
        claim: dict[str, Any] = {"ref": ref, "expires": expires, "signature": signature}
        visit.page.evaluate("claim => consent.identify(claim)", claim)


@pytest.fixture
def members(server: RunningServer, owner: OwnerPages, new_profile: NewProfile) -> Members:
    return Members(server, owner, new_profile)


def test_consent_and_withdrawal_follow_to_another_browser(members: Members) -> None:
    laptop, phone = members.visit(), members.visit()
    laptop.decide("accept_all")
    laptop.wait_for_delivery()
    members.sign_in(laptop, "4711")
    members.sign_in(phone, "4711")
    phone.page.wait_for_function("consent.decided && consent.grants.counter")
    phone.notice.wait_for(state="detached")
    phone.page.wait_for_timeout(1100)  # decisions are told apart by seconds
    phone.reopen_preferences()
    phone.choose("withdraw")
    phone.wait_for_delivery()
    members.sign_in(laptop, "4711")
    laptop.page.wait_for_function("consent.decided && !consent.grants.counter")
    assert laptop.is_refused()
    assert [one["method"] for one in laptop.receipts()] == ["identify", "accept_all"]


@pytest.mark.parametrize("browser_name", ["chromium"], indirect=True)
def test_what_followed_lives_as_long_as_the_answer_says_where_script_cookies_live_a_week(
    members: Members, server: RunningServer, owner: OwnerPages, new_profile: NewProfile
) -> None:
    laptop = members.visit()
    laptop.decide("reject_all")
    laptop.wait_for_delivery()
    members.sign_in(laptop, "4712")
    # The server's own address, so that its answers set a cookie that the page reads.
    address, page = f"{server.url}/members", owner.pages["/"][0]
    context = new_profile()
    cap_script_storage(context)
    context.route(address, lambda route: route.fulfill(body=page, content_type="text/html"))
    phone = members.arrive(context, address)
    members.sign_in(phone, "4712")
    phone.notice.wait_for(state="detached")
    assert phone.is_refused()
    assert 179.9 < days_left(phone) <= 180


def test_what_only_ran_on_one_device_is_told_as_such_on_the_other(
    server: RunningServer, owner: OwnerPages, new_profile: NewProfile
) -> None:
    american = {**CONTROLLER, "country": "US"}
    members = Members(
        server, owner, new_profile, regime="notice_only", sold_or_shared=[], controller=american
    )
    laptop, phone = members.visit(), members.visit()
    laptop.open_preferences()
    laptop.decide("save")
    laptop.wait_for_delivery()
    members.sign_in(laptop, "4713")
    members.sign_in(phone, "4713")
    # The server answers from another host, so the script writes the cookie.
    phone.wait_for(lambda: phone.decision() is not None, "the decision follows")
    for device in (laptop, phone):
        value = device.cookies()[members.site.cookie_name]
        assert value.endswith("~!asked~!asked-any")
        assert device.page.evaluate("consent.decided && consent.grants.counter") is True


def test_the_next_person_at_the_same_browser_is_asked(members: Members) -> None:
    visit = members.visit()
    visit.decide("accept_all")
    visit.wait_for_delivery()
    members.sign_in(visit, "4711")
    with visit.page.expect_navigation():
        members.sign_in(visit, "0815")
    visit.wait_for_notice()
    assert visit.decision() is None
