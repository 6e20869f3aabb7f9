"""Real libraries are told by their connectors, and the network says whether they listened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.browser.bundles import FOLDERS, built_bundles, require_node
from tests.browser.conftest import NewProfile
from tests.browser.owner_pages import OwnerPages
from tests.browser.running_server import RunningServer
from tests.browser.sites import DemoSite
from tests.browser.trackers import Trackers
from tests.browser.vendors.vendors import VENDORS
from tests.browser.visit import Visit, wait_until_settled, watch_silence

from .conftest import MakeShop

#: Gives a visitor on a page that holds the library, and may start it so that it waits.
Arrive = Callable[..., Visit]

_VENDORS = {vendor.key: vendor for vendor in VENDORS}
#: Each of them sends within half a second of being used.
_WATCHED_SECONDS = 1.2
#: Some keep away from browsers that name themselves headless.
_CHROMIUM = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36"


@dataclass(frozen=True)
class Library:
    """A library as a site bundles it; tests/browser/vendors has its source and where it sends."""

    #: In the catalogue, and in the folder of the vendors.
    key: str
    bundle: str
    #: Under which a page, and its connector, find it.
    name: str
    #: What a page does with it.
    use: str
    #: Whether it is refused, as its documentation says to ask; empty where it cannot be asked.
    refused: str
    #: Whether the withdrawal stops it without loading the page again.
    stops: bool = True

    def __repr__(self) -> str:
        return self.key


LIBRARIES = (
    # https://posthog.com/docs/privacy/data-collection
    Library(
        "posthog",
        "posthog",
        "posthog",
        "posthog.capture('used')",
        "posthog.has_opted_out_capturing()",
    ),
    # https://docs.mixpanel.com/docs/privacy/protecting-user-data
    Library(
        "mixpanel",
        "mixpanel",
        "mixpanel",
        "mixpanel.track('used')",
        "mixpanel.has_opted_out_tracking()",
    ),
    # https://amplitude.com/docs/sdks/analytics/browser/browser-sdk-2
    Library(
        "amplitude", "amplitude", "amplitude", "amplitude.track('used')", "amplitude.getOptOut()"
    ),
    # https://docs.datadoghq.com/real_user_monitoring/ (trackingConsent)
    Library(
        "datadog-rum",
        "datadog",
        "DD_RUM",
        "for (let n = 0; n < 60; n++) DD_RUM.addAction('used', { n })",
        "",
    ),
    # https://docs.sentry.io/platforms/javascript/configuration/draining/
    Library(
        "sentry",
        "sentry",
        "Sentry",
        "Sentry.captureMessage('used ' + Math.random())",
        "",
        stops=False,
    ),
)


@pytest.fixture(params=["chromium", pytest.param("firefox", marks=pytest.mark.soak)])
def browser_name(request: pytest.FixtureRequest) -> str:
    """The libraries are under test here, what browsers do is elsewhere."""
    name: str = request.param
    return name


@pytest.fixture(params=LIBRARIES, ids=repr)
def library(request: pytest.FixtureRequest, trackers: Trackers) -> Library:
    """Every test that asks for it runs with each."""
    found: Library = request.param
    trackers.answers.update(_VENDORS[found.bundle].answers)
    return found


@pytest.fixture(scope="module")
def shop(make_shop: MakeShop) -> DemoSite:
    """A site that uses all of them; each has pages of its own."""
    return make_shop([library.key for library in LIBRARIES], "")[0]


@pytest.fixture
def arrive(
    library: Library,
    browser_name: str,
    new_profile: NewProfile,
    server: RunningServer,
    owner: OwnerPages,
    shop: DemoSite,
) -> Arrive:
    require_node()
    script = (built_bundles(FOLDERS[0]) / f"{library.bundle}.js").read_text("utf-8")
    owner.pages[f"/{library.key}.js"] = (script, {"Content-Type": "text/javascript"})
    tag = f'<script src="{server.url}/w/{shop.key}.js"></script>' + (
        f'<script type="text/plain" data-consent="service:{library.key}" '
        f'data-consent-src="/{library.key}.js"></script>'
    )

    def arrive(*, waits: bool = False) -> Visit:
        head = f"<script>window.waits = {str(waits).lower()}</script>{tag}<title>Shop</title>"
        page = f'<!doctype html><html lang="en"><head>{head}</head><body><h1>Shop</h1></body>'
        owner.pages["/library"] = (page, {})
        options = {"user_agent": _CHROMIUM} if browser_name == "chromium" else {}
        visit = Visit(new_profile(**options).new_page(), shop, server)
        visit.page.goto(f"{owner.url}/library")
        visit.wait_for_notice()
        return visit

    return arrive


def _use(visit: Visit, library: Library) -> None:
    visit.page.evaluate(f"() => {{ {library.use} }}")
    visit.page.locator("h1").click()


def _wait_until_it_sends(visit: Visit, library: Library, trackers: Trackers) -> None:
    sends_to = _VENDORS[library.bundle].sends_to
    visit.wait_for(
        lambda: any(
            one.method != "OPTIONS" and one.url.startswith(sends_to) for one in trackers.requests
        ),
        f"it sends to {sends_to}",
    )


def test_a_library_sends_once_granted_stops_when_withdrawn_and_sends_again(
    arrive: Arrive, library: Library, trackers: Trackers
) -> None:
    visit = arrive()
    page, address = visit.page, visit.page.url
    watch_silence(page, trackers, 0.5)
    visit.decide("accept_all")
    _wait_until_it_sends(visit, library, trackers)

    page.evaluate("window.__stays = true")
    visit.reopen_preferences()
    visit.choose("withdraw")
    visit.wait_for(visit.is_refused, "the withdrawal is kept")
    if library.stops:
        if library.refused:
            assert page.evaluate(library.refused) is True
        wait_until_settled(page, trackers)
        trackers.clear()
        _use(visit, library)
        watch_silence(page, trackers, _WATCHED_SECONDS)
        assert page.evaluate("window.__stays") is True

        visit.reopen_preferences()
        visit.decide("accept_all")
        if library.refused:
            assert page.evaluate(library.refused) is False
        trackers.clear()
        _use(visit, library)
        _wait_until_it_sends(visit, library, trackers)
        visit.reopen_preferences()
        visit.choose("withdraw")
        visit.wait_for(visit.is_refused, "the withdrawal is kept")
    else:
        page.wait_for_function("window.__stays === undefined")
    wait_until_settled(page, trackers)
    trackers.clear()
    page.goto(address)  # libraries send their last when the page goes
    watch_silence(page, trackers, _WATCHED_SECONDS)

    # What it kept of the refusal does not outlive the next yes.
    visit.reopen_preferences()
    visit.decide("accept_all")
    page.wait_for_function(f"window.{library.name}")
    _use(visit, library)
    _wait_until_it_sends(visit, library, trackers)


@pytest.mark.parametrize("library", LIBRARIES[:4], ids=repr, indirect=True)
def test_a_library_that_waits_for_a_yes_hears_it_on_each_page(
    arrive: Arrive, library: Library, trackers: Trackers
) -> None:
    visit = arrive(waits=True)
    visit.decide("accept_all")
    visit.page.wait_for_function(f"window.{library.name}")
    _use(visit, library)
    _wait_until_it_sends(visit, library, trackers)
    trackers.clear()
    visit.page.reload()
    visit.page.wait_for_function(f"window.{library.name}")
    _use(visit, library)
    _wait_until_it_sends(visit, library, trackers)
