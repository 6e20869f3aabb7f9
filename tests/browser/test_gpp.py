"""GPP: advertising code asks the page, also from a frame, and hears what the visitor chose."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from playwright.sync_api import Error, Page, Route

from .browsers import BROWSER_NAMES
from .conftest import NewProfile
from .own_site import describe_service, publish_site
from .owner_pages import OwnerPages, running_owner_pages
from .running_server import RunningServer
from .sites import DemoSite
from .visit import Visit

REGION = "X-Region"
#: Every event that a listener hears, with the names that matter here.
LISTEN = """window.heard = [];
__gpp('addEventListener', ({eventName, data, listenerId, pingData}, success) => heard.push(
  {eventName, data, listenerId, success, ...pingData}));"""
#: What a call answers at once, while the page still runs it.
CALL = """([command, parameter]) => {
  let answer = 'not at once';
  __gpp(command, (data, success) => { answer = {data, success}; }, parameter);
  return answer;
}"""
#: In a frame of another origin: finds the page as the specification says, then asks by message.
ASK = """(call) => new Promise((resolve) => {
  let top = window;
  while (!top.frames['__gppLocator'] && top !== window.top) top = top.parent;
  const callId = 'ask-' + Math.random();
  window.replies ??= [];
  addEventListener('message', ({data}) => {
    const reply = (typeof data === 'string' ? JSON.parse(data) : data).__gppReturn;
    if (reply?.callId !== callId) return;
    replies.push(reply.returnValue);
    resolve({kind: typeof data, ...reply});
  });
  const said = {__gppCall: {...call.call, callId, version: '1.1'}};
  top.postMessage(call.as_text ? JSON.stringify(said) : said, '*');
})"""
READY = "heard.some(({eventName, data}) => eventName === 'signalStatus' && data === 'ready')"


@pytest.fixture(scope="module")
def placed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server that believes a proxy about where visitors are."""
    settings = {"CONSENT_TRUSTED_PROXIES": "1", "CONSENT_REGION_HEADER": REGION}
    running = RunningServer(tmp_path_factory.mktemp("placed"), settings=settings)
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def owner() -> Iterator[OwnerPages]:
    with running_owner_pages() as running:
        yield running


@pytest.fixture
def browser_name() -> str:
    """Chromium; tests that name another one run there too."""
    return "chromium"


@pytest.fixture
def other() -> Iterator[OwnerPages]:
    """Somebody else's pages, on an origin of their own."""
    with running_owner_pages() as running:
        yield running


PageIn = Callable[..., Page]


@pytest.fixture
def page_in(new_profile: NewProfile, placed: RunningServer) -> PageIn:
    """A tab of a fresh visitor in a region, as a proxy in front of the server tells it."""

    def open_page(region: str, *, gpc: bool = False) -> Page:
        told = {REGION: region, **({"Sec-GPC": "1"} if gpc else {})}
        context = new_profile()

        def forward(route: Route) -> None:
            with suppress(Error):  # its page is gone, while it was on its way to us
                route.continue_(headers={**route.request.headers, **told})

        context.route(f"{placed.url}/**", forward)
        if gpc:
            context.add_init_script(
                "Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', {value: true})"
            )
        return context.new_page()

    return open_page


#: By the server's port: another server knows none of them.
_published: dict[tuple[int, str], DemoSite] = {}


def _publish(owner: OwnerPages, server: RunningServer, **fields: Any) -> DemoSite:
    """A site by region that sells what is in marketing; the owner's page has its tag."""
    services = [describe_service("counter", ()), describe_service("ads", (), category="marketing")]
    categories = [{"key": "analytics"}, {"key": "marketing"}]
    said = {"categories": categories, "regime": "by_region", "gpp": True, **fields}
    key = "-".join(["shop", *(f"{name}-{value}".lower() for name, value in fields.items())])
    place = (server.port, key)
    if place not in _published:
        _published[place] = publish_site(server, owner.url, key, services, **said)
    tag = f'<script src="{server.url}/w/{key}.js"></script>'
    owner.pages["/"] = (f'<!doctype html><html lang="en">{tag}<title>Page</title><p>Text', {})
    return _published[place]


def _call(page: Page, command: str, parameter: Any = None) -> Any:
    return page.evaluate(CALL, [command, parameter])


def _listen(page: Page) -> None:
    page.evaluate(LISTEN)
    deadline = time.monotonic() + 20
    while not page.evaluate(READY):  # wait_for_function would evaluate against the page's policy
        assert time.monotonic() < deadline, page.evaluate("heard")
        page.wait_for_timeout(25)


def _heard(page: Page) -> list[tuple[str, Any]]:
    heard: list[dict[str, Any]] = page.evaluate("heard.splice(0)")
    return [(one["eventName"], one["data"]) for one in heard]


def _field(page: Page, name: str) -> Any:
    return _call(page, "getField", name)["data"]


def test_calls_are_answered_at_once_and_the_sections_are_fetched_with_the_first(
    page_in: PageIn, owner: OwnerPages, placed: RunningServer
) -> None:
    _publish(owner, placed)
    page = page_in("US-CA")
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url))
    page.goto(owner.url)
    page.wait_for_timeout(500)
    module = f"{placed.url}/w/shop/gpp.js"
    assert module not in fetched, "nobody asked"
    early = page.evaluate(f"() => [{CALL}, {CALL}].map((call) => call(['ping']))")
    for answer in early:
        assert answer["success"] is True
        assert {key: answer["data"][key] for key in ("gppVersion", "cmpStatus", "cmpId")} == {
            "gppVersion": "1.1",
            "cmpStatus": "loading",
            "cmpId": 1,
        }
        assert answer["data"]["signalStatus"] == "not ready"
        assert answer["data"]["applicableSections"] == [0], "not known, which is not none"
        assert len(answer["data"]["supportedAPIs"]) == 20
    page.wait_for_function(
        "() => { let now; __gpp('ping', (p) => now = p); return now.signalStatus === 'ready' }"
    )
    assert fetched.count(module) == 1
    ready = _call(page, "ping")["data"]
    assert (ready["cmpStatus"], ready["sectionList"]) == ("loaded", [8])
    assert ready["applicableSections"] == [8]
    assert ready["supportedAPIs"][0] == "8:usca"
    assert ready["supportedAPIs"][-1] == "27:usri"
    assert _call(page, "nothing of the kind") == {"data": None, "success": False}


@pytest.mark.parametrize("browser_name", BROWSER_NAMES)
def test_an_opt_out_is_heard_in_order_and_can_be_asked_for(
    page_in: PageIn, owner: OwnerPages, placed: RunningServer
) -> None:
    site = _publish(owner, placed)
    page = page_in("US-CA")
    page.goto(owner.url)
    _listen(page)
    assert _heard(page) == [
        ("listenerRegistered", True),
        ("cmpStatus", "loaded"),
        ("signalStatus", "ready"),
    ]
    assert _field(page, "usca.SaleOptOut") == _field(page, "usca.SharingOptOut") == 2
    before = _call(page, "ping")["data"]["gppString"]
    Visit(page, site, placed).choose("opt_out")
    page.wait_for_function("heard.length >= 3")
    assert _heard(page) == [
        ("signalStatus", "not ready"),
        ("sectionChange", "usca"),
        ("signalStatus", "ready"),
    ]
    assert _field(page, "usca.SaleOptOut") == _field(page, "usca.SharingOptOut") == 1
    assert _call(page, "ping")["data"]["gppString"] not in {before, ""}
    assert _call(page, "hasSection", "usca") == {"data": True, "success": True}
    assert _call(page, "hasSection", "usco")["data"] is False
    assert _call(page, "hasSection", "toString")["data"] is False
    core, gpc = _call(page, "getSection", "usca")["data"]
    assert (core["MspaCoveredTransaction"], gpc) == (2, {"SubsectionType": 1, "Gpc": False})
    assert _call(page, "getSection", "usco")["data"] is None
    assert _field(page, "usca.Nothing") is _field(page, "usco.SaleOptOut") is None
    page.reload()
    _listen(page)
    assert _heard(page)[-1] == ("signalStatus", "ready")
    assert _field(page, "usca.SaleOptOut") == 1, "the first that is said, on the next page"


def test_a_listener_that_throws_or_goes_keeps_no_other(
    page_in: PageIn, owner: OwnerPages, placed: RunningServer
) -> None:
    _publish(owner, placed)
    page = page_in("US-CO")
    page.goto(owner.url)
    page.evaluate("__gpp('addEventListener', () => { throw new Error('of a vendor') })")
    page.evaluate("window.gone = []; __gpp('addEventListener', (event) => gone.push(event))")
    _listen(page)
    assert _call(page, "removeEventListener", 2) == {"data": True, "success": True}
    assert _call(page, "removeEventListener", 2)["data"] is False
    page.evaluate("gone.length = 0; heard.length = 0; consent.withdraw()")
    assert _heard(page) == [
        ("signalStatus", "not ready"),
        ("sectionChange", "usco"),
        ("signalStatus", "ready"),
    ]
    assert page.evaluate("gone") == []
    assert page.evaluate("__gpp() === undefined && __gpp('ping') === undefined")


@pytest.mark.parametrize("as_text", [True, False])
def test_a_frame_of_another_origin_asks_by_message(
    page_in: PageIn,
    owner: OwnerPages,
    other: OwnerPages,
    placed: RunningServer,
    as_text: bool,
) -> None:
    _publish(owner, placed)
    other.pages["/ad"] = ("<!doctype html><title>Ad</title>", {})
    body, headers = owner.pages["/"]
    owner.pages["/"] = (f'{body}<iframe title="Ad" src="{other.url}/ad"></iframe>', headers)
    page = page_in("US-TX")
    page.goto(owner.url)
    [ad] = [frame for frame in page.frames if frame.url == f"{other.url}/ad"]

    def ask(command: str, parameter: Any = None) -> dict[str, Any]:
        call = {"command": command, "parameter": parameter}
        reply: dict[str, Any] = ad.evaluate(ASK, {"call": call, "as_text": as_text})
        assert reply["kind"] == ("string" if as_text else "object")
        assert reply["success"] is True
        return reply

    listener = ask("addEventListener")["returnValue"]
    assert (listener["eventName"], listener["data"]) == ("listenerRegistered", True)
    ad.wait_for_function("replies.some(({data}) => data === 'ready')")
    assert ask("ping")["returnValue"]["applicableSections"] == [16]
    assert ask("getField", "ustx.TargetedAdvertisingOptOut")["returnValue"] == 2
    page.evaluate("consent.withdraw()")
    ad.wait_for_function("replies.some(({eventName, data}) => eventName === 'sectionChange')")
    assert ask("getField", "ustx.TargetedAdvertisingOptOut")["returnValue"] == 1
    assert ask("removeEventListener", listener["listenerId"])["returnValue"] is True


def test_messages_that_are_somebody_elses_are_passed_over(
    page_in: PageIn, owner: OwnerPages, placed: RunningServer
) -> None:
    _publish(owner, placed)
    page = page_in("US-TX")
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(error.message))
    page.goto(owner.url)
    for said in ("null", "'no json'", "'null'", "{}", "5", "{__gppCall: null}"):
        page.evaluate(f"postMessage({said}, '*')")
    _listen(page)
    assert errors == []


@pytest.mark.parametrize("region", ["DE", "US-NV", "US", ""])
def test_elsewhere_no_section_applies(
    page_in: PageIn, owner: OwnerPages, placed: RunningServer, region: str
) -> None:
    _publish(owner, placed)
    page = page_in(region)
    page.goto(owner.url)
    _listen(page)
    said = _call(page, "ping")["data"]
    assert said["applicableSections"] == [-1]
    assert (said["sectionList"], said["gppString"], said["parsedSections"]) == ([], "DBAA", {})
    page.evaluate("heard.length = 0; consent.withdraw()")
    assert _heard(page) == [], "what is not said does not change"


def test_gpc_is_an_opt_out_from_the_first_word_on(
    page_in: PageIn, owner: OwnerPages, placed: RunningServer
) -> None:
    _publish(owner, placed)
    page = page_in("US-CA", gpc=True)
    page.goto(owner.url)
    _listen(page)
    assert _field(page, "usca.Gpc") is True
    assert _field(page, "usca.SaleOptOut") == 1


def test_what_a_stub_kept_comes_first_and_frames_are_answered_once(
    page_in: PageIn, owner: OwnerPages, placed: RunningServer
) -> None:
    """As the example in the specification keeps it; its message handler stays and calls us."""
    _publish(owner, placed)
    stub = """<script>
      window.heard = [];
      __gpp = (...call) => { if (!call.length) return __gpp.queue; __gpp.queue.push(call); };
      __gpp.queue = [['ping', ({cmpStatus}) => heard.push({eventName: 'ping', data: cmpStatus})]];
      __gpp.events = [{id: 7, callback: ({eventName, data}) => heard.push({eventName, data})}];
      addEventListener('message', ({data, source}) => data.__gppCall && __gpp(
        data.__gppCall.command, (returnValue) => source.postMessage({answered: returnValue}, '*')));
      addEventListener('message', ({data}) => data.answered &&
        heard.push({eventName: 'message', data: null}));
    </script>"""
    body, headers = owner.pages["/"]
    owner.pages["/"] = (body.replace("<script", f"{stub}<script", 1), headers)
    page = page_in("US-CA")
    page.goto(owner.url)
    page.wait_for_function(READY)
    assert _heard(page) == [
        ("ping", "loading"),
        ("cmpStatus", "loaded"),
        ("signalStatus", "ready"),
    ]
    page.evaluate("postMessage({__gppCall: {command: 'ping'}}, '*')")
    page.wait_for_timeout(300)
    assert [name for name, _ in _heard(page)] == ["message"]
    page.evaluate(LISTEN)
    assert page.evaluate("heard[0].listenerId") == 8, "no number twice"


def test_without_its_module_it_says_error_and_the_next_call_tries_again(
    page_in: PageIn, owner: OwnerPages, placed: RunningServer
) -> None:
    _publish(owner, placed)
    page = page_in("US-CA")
    is_away = [True]
    page.route("**/shop/gpp.js", lambda route: route.abort() if is_away else route.fallback())
    page.goto(owner.url)
    page.evaluate(LISTEN)
    page.wait_for_function("heard.some(({cmpStatus}) => cmpStatus === 'error')")
    assert page.evaluate("heard.at(-1).signalStatus") == "not ready"
    assert _call(page, "getSection", "usca")["data"] is None
    is_away.clear()
    page.wait_for_function("() => { __gpp('ping', () => {}); return " + READY + " }")
    assert _field(page, "usca.SaleOptOut") == 2


@pytest.mark.parametrize("blocking", ["gate", "strict"])
def test_it_works_on_pages_with_a_gate(
    page_in: PageIn, owner: OwnerPages, placed: RunningServer, blocking: str
) -> None:
    _publish(owner, placed, blocking=blocking)
    page = page_in("US-CA")
    page.goto(owner.url)
    _listen(page)
    assert _field(page, "usca.SaleOptOut") == 2
    assert page.evaluate("!!frames['__gppLocator']")


def test_it_works_under_a_policy_with_a_nonce(
    page_in: PageIn, owner: OwnerPages, placed: RunningServer
) -> None:
    _publish(owner, placed)
    body, _ = owner.pages["/"]
    policy = (
        "default-src 'none'; script-src 'nonce-abc' 'strict-dynamic'; style-src 'nonce-abc'; "
        f"connect-src {placed.url}; report-uri /reports"
    )
    page_body = body.replace("<script", '<script nonce="abc"')
    owner.pages["/"] = (page_body, {"Content-Security-Policy": policy})
    page = page_in("US-CA")
    page.goto(owner.url)
    _listen(page)
    assert page.evaluate("!!frames['__gppLocator']")
    assert owner.reports == []


def test_a_site_without_it_has_none_and_nobody_ever_has_the_interface_of_tcf(
    page_in: PageIn, owner: OwnerPages, placed: RunningServer
) -> None:
    for gpp in (True, False):
        _publish(owner, placed, gpp=gpp)
        page = page_in("US-CA")
        page.goto(owner.url)
        page.wait_for_function("window.consent")
        assert page.evaluate("typeof __gpp") == ("function" if gpp else "undefined")
        assert page.evaluate("!!frames['__gppLocator']") is gpp
        assert page.evaluate("[typeof __tcfapi, typeof __uspapi]") == ["undefined", "undefined"]
        page.close()
