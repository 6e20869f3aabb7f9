"""L12: nobody is asked again and again; a refusal is kept as long as a consent, in any browser."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from consent_server.errors import InvalidForm
from consent_server.rules.times import parse_time
from consent_server.site_form import load_site_form
from tests.conftest import ReadSite
from tests.test_site_form import change
from tests.visitor import Visitor

from ..conftest import NewProfile
from ..own_site import describe_service, publish_site
from ..owner_pages import OwnerPages
from ..running_server import RunningServer
from ..signals import SwitchedSignal
from ..sites import SITES
from ..trackers import Trackers
from ..visit import Visit, watch_silence
from .short_memory import CAPPED_DAYS, cap_script_storage, days_left, let_days_pass


@pytest.fixture
def forgetful(new_profile: NewProfile, server: RunningServer) -> Visit:
    """A visitor whose browser caps what scripts store."""
    context = new_profile()
    cap_script_storage(context)
    return Visit(context.new_page(), SITES["smilee"], server)


def test_l12_a_refusal_outlives_179_days_of_a_browser_that_keeps_script_cookies_for_seven(
    forgetful: Visit, trackers: Trackers
) -> None:
    visit = forgetful
    visit.go()
    visit.wait_for_notice()
    visit.decide("reject_all")
    visit.wait_for_delivery()
    assert 179.9 < days_left(visit) <= 180, "the server's answer set it again, over HTTP"
    refused = visit.decision()
    assert refused is not None
    for day in (8, 90, 179):
        let_days_pass(visit, day)
        visit.go()
        assert visit.page.evaluate("consent.decided") is True, f"asked again on day {day}"
        watch_silence(visit.page, trackers, 0.7)
        assert not visit.notice_is_shown
        assert visit.decision() == refused
        assert visit.storage() == {}
    assert [one["kind"] for one in visit.receipts()] == ["refused"], "one record for all the days"
    let_days_pass(visit, 181)
    visit.go()
    visit.wait_for_notice()
    assert visit.page.evaluate("consent.decided") is False
    watch_silence(visit.page, trackers, 0.7)


@pytest.mark.parametrize("browser_name", ["chromium"], indirect=True)
def test_l12_a_signal_that_changes_nothing_does_not_make_such_a_browser_ask_earlier(
    forgetful: Visit,
) -> None:
    visit = forgetful
    signal = SwitchedSignal(visit.page.context, visit.server.url)
    visit.go()
    visit.wait_for_notice()
    visit.decide("reject_all")
    visit.wait_for_delivery()
    refused = visit.decision()
    for day, on in ((1, True), (2, False), (179, True)):
        let_days_pass(visit, day)
        signal.turn(on=on)
        visit.go()
        assert visit.page.evaluate("navigator.globalPrivacyControl") is on
        assert visit.page.evaluate("consent.decided") is True, f"asked again on day {day}"
        assert days_left(visit) > 179.9, f"the cookie was written by script on day {day}"
        assert visit.decision() == refused
    assert [one["kind"] for one in visit.receipts()] == ["refused"], "nothing new was recorded"


def test_l12_without_the_answer_over_http_the_same_browser_forgets_after_seven_days(
    forgetful: Visit,
) -> None:
    visit = forgetful
    # In the page itself: what is sent while a page goes can get past an intercepting route.
    visit.page.add_init_script("window.fetch = () => Promise.reject(new TypeError('offline'))")
    visit.go()
    visit.wait_for_notice()
    visit.decide("reject_all")
    assert days_left(visit) < CAPPED_DAYS + 0.01  # two clocks
    let_days_pass(visit, 8)
    visit.go()
    visit.wait_for_notice()


def test_l12_where_the_server_is_another_site_such_a_browser_asks_again_after_seven_days(
    forgetful: Visit, owner: OwnerPages, server: RunningServer
) -> None:
    """docs/embed.md says so: no answer of another site can set a cookie that the page reads."""
    home = f"http://localhost:{owner.port}"
    visit = forgetful
    visit.site = publish_site(server, home, "another-site", [describe_service("counter", ())])
    tag = f'<script src="{server.url}/w/{visit.site.key}.js"></script>'
    owner.pages["/"] = (f'<!doctype html><html lang="en">{tag}<title>Shop</title>', {})
    visit.page.goto(f"{home}/")
    visit.wait_for_notice()
    visit.decide("reject_all")
    visit.wait_for_delivery()
    assert days_left(visit) < CAPPED_DAYS + 0.01  # two clocks
    let_days_pass(visit, 6)
    visit.page.goto(f"{home}/")
    assert visit.page.evaluate("consent.decided") is True
    let_days_pass(visit, 8)
    visit.page.goto(f"{home}/")
    visit.wait_for_notice()


def test_l12_a_refusal_is_kept_exactly_as_long_as_a_consent(client: FlaskClient) -> None:
    lives, ages = [], []
    for choose in (Visitor.accept_all, Visitor.reject_all):
        answer = choose(Visitor(client))
        receipt: Any = answer.json
        lives.append(parse_time(receipt["valid_until"]) - parse_time(receipt["received_at"]))
        ages.append(int(answer.headers["Set-Cookie"].split("Max-Age=")[1].split(";")[0]))
    assert lives == [timedelta(days=180)] * 2
    assert abs(ages[0] - ages[1]) <= 2


@pytest.mark.parametrize("days", [0, 1, 90, 179])
def test_l12_a_site_cannot_ask_earlier_than_after_180_days(read_site: ReadSite, days: int) -> None:
    with pytest.raises(InvalidForm) as refused:
        load_site_form(change(read_site("smilee"), "valid_days", days))
    assert refused.value.errors is not None
    assert list(refused.value.errors) == ["valid_days"]


def test_l12_unless_a_site_says_otherwise_it_asks_after_180_days(read_site: ReadSite) -> None:
    site = {key: value for key, value in read_site("smilee").items() if key != "valid_days"}
    assert load_site_form(site)["valid_days"] == 180


@pytest.mark.parametrize(
    ("path", "value", "asks"),
    [
        ("texts", {"sv": {"heading": "En annan rubrik?"}}, False),
        ("theme.accent", "#0a4a2a", False),
        ("services.5", {"use": "hotjar", "category": "analytics", "retention": "1y"}, True),
        ("services.0.category", "marketing", True),
        ("controller.name", "Another Oy", True),
    ],
    ids=["wording", "colour", "new service", "other purpose", "other controller"],
)
def test_l12_only_a_material_change_asks_earlier(
    admin: FlaskClient, read_site: ReadSite, path: str, value: Any, asks: bool
) -> None:
    site = read_site("smilee")
    site = {**site, "services": [*site["services"], None]} if path == "services.5" else site
    answer = admin.put("/api/v1/sites/smilee", json=change(site, path, value))
    assert answer.status_code == 200, answer.text
    assert answer.json["published"] is True
    assert answer.json["asks_again"] is asks
