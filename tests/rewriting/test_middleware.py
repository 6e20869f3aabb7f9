"""Middleware: which answers are rewritten, and what becomes of their headers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest

from consent_server.rewriting import AsgiConsentMiddleware, ConsentMiddleware

from .conftest import PLAN, STRICT, TAG

PAGE = b"<!doctype html><html><head></head><img src=https://www.facebook.com/tr></html>"
HELD = (
    b"<!doctype html><html><head>%s</head>"
    b'<img data-consent="service:meta-pixel" data-consent-src=https://www.facebook.com/tr></html>'
) % TAG

HTML = [("Content-Type", "text/html; charset=utf-8")]


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run it in a thread of its own: a browser test may keep a loop running in this one."""
    with ThreadPoolExecutor(1) as own:
        own.submit(asyncio.run, work).result()


@dataclass
class Answer:
    """What a server would send, chunk by chunk."""

    status: int = 0
    headers: list[tuple[str, str]] = field(default_factory=list)
    chunks: list[bytes] = field(default_factory=list)
    seen: dict[str, str] = field(default_factory=dict)

    @property
    def body(self) -> bytes:
        return b"".join(self.chunks)

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def get(self, name: str) -> str | None:
        return next(iter(self.all(name)), None)


Ask = Callable[..., Answer]


def _ask_wsgi(
    chunks: Iterable[bytes] = (PAGE,),
    headers: list[tuple[str, str]] = HTML,
    status: int = 200,
    plan: Any = PLAN,
    request: dict[str, str] | None = None,
    method: str = "GET",
    path: str = "/shop/cart/item",
    **options: Any,
) -> Answer:
    answer = Answer()

    def application(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        answer.seen.update({k: v for k, v in environ.items() if isinstance(v, str)})
        start_response(f"{status} Said", list(headers))
        yield from chunks

    def start_response(said: str, sent: list[tuple[str, str]], *_: Any) -> Any:
        answer.status, answer.headers = int(said[:3]), sent

    environ: dict[str, Any] = {"REQUEST_METHOD": method, "PATH_INFO": path}
    environ["HTTP_HOST"] = "www.example.com"
    for name, value in (request or {}).items():
        environ["HTTP_" + name.upper().replace("-", "_")] = value
    middleware = ConsentMiddleware(application, lambda: plan, **options)
    answer.chunks = list(middleware(environ, start_response))
    return answer


def _ask_asgi(
    chunks: Iterable[bytes] = (PAGE,),
    headers: list[tuple[str, str]] = HTML,
    status: int = 200,
    plan: Any = PLAN,
    request: dict[str, str] | None = None,
    method: str = "GET",
    path: str = "/shop/cart/item",
    **options: Any,
) -> Answer:
    answer = Answer()

    async def application(scope: Any, receive: Any, send: Any) -> None:
        names = {k.decode(): v.decode() for k, v in scope["headers"]}
        answer.seen.update({"HTTP_" + k.upper().replace("-", "_"): v for k, v in names.items()})
        pairs = [(name.lower().encode(), value.encode()) for name, value in headers]
        await send({"type": "http.response.start", "status": status, "headers": pairs})
        for chunk in chunks:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            answer.headers = [(k.decode(), v.decode()) for k, v in message["headers"]]
        else:
            answer.chunks.append(message["body"])

    async def receive() -> Any:
        return {"type": "http.request"}

    given = {"Host": "www.example.com", **(request or {})}
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "headers": [(name.lower().encode(), value.encode()) for name, value in given.items()],
    }
    middleware = AsgiConsentMiddleware(application, lambda: plan, **options)
    run(middleware(scope, receive, send))
    return answer


@pytest.fixture(params=[_ask_wsgi, _ask_asgi], ids=["wsgi", "asgi"])
def ask(request: pytest.FixtureRequest) -> Ask:
    found: Ask = request.param
    return found


def test_a_page_goes_out_held_and_without_its_old_length(ask: Ask) -> None:
    given = [*HTML, ("Content-Length", str(len(PAGE))), ("ETag", '"a"'), ("Accept-Ranges", "bytes")]
    answer = ask(headers=given)
    assert answer.body == HELD
    assert answer.get("content-length") is None
    assert answer.get("accept-ranges") is None
    assert (answer.get("etag") or "").startswith('W/"a~c')


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (200, [("Content-Type", "application/json")]),
        (200, [("X-Content-Type-Options", "nosniff")]),
        (200, [("Content-Type", "text/plain")]),
        (200, [("Content-Type", "image/png"), ("Content-Encoding", "gzip")]),
        (206, HTML),
        (204, HTML),
        (304, []),
    ],
)
def test_every_other_answer_passes_as_it_is(
    ask: Ask, status: int, headers: list[tuple[str, str]]
) -> None:
    given = [*headers, ("Content-Length", str(len(PAGE))), ("ETag", '"a"')]
    answer = ask(headers=given, status=status)
    assert answer.body == PAGE
    assert answer.status == status
    assert [(name.lower(), value) for name, value in answer.headers] == [
        (name.lower(), value) for name, value in given
    ]


_MODULE = b'import "https://connect.facebook.net/x.js"; run()'
_JAVASCRIPT = [("Content-Type", "text/javascript; charset=utf-8"), ("Content-Length", "49")]


@pytest.mark.parametrize("request_headers", [{}, {"Sec-Fetch-Dest": "script"}])
def test_a_module_of_the_sites_own_waits_alike_for_every_visitor(
    ask: Ask, request_headers: dict[str, str], decision_cookie: Callable[..., str]
) -> None:
    parts = (_MODULE[:9], _MODULE[9:])
    answer = ask(parts, _JAVASCRIPT, request=request_headers, policy=True)
    assert answer.body.startswith(b'await consentImport("service:meta-pixel",')
    assert [name.lower() for name, _ in answer.headers] == ["content-type"]
    granted = {**request_headers, "Cookie": decision_cookie("meta-pixel")}
    assert ask(parts, _JAVASCRIPT, request=granted).body == answer.body


@pytest.mark.parametrize("wanted", ["worker", "serviceworker", "style"])
def test_what_is_wanted_as_something_else_than_a_script_passes_as_it_is(
    ask: Ask, wanted: str
) -> None:
    answer = ask((_MODULE,), _JAVASCRIPT, request={"Sec-Fetch-Dest": wanted})
    assert answer.body == _MODULE
    assert answer.get("content-length") == "49"


def test_a_page_that_tells_an_error_is_a_page(ask: Ask) -> None:
    answer = ask(status=404)
    assert (answer.status, answer.body) == (404, HELD)


def test_the_application_is_asked_for_what_can_be_read(ask: Ask) -> None:
    assert ask(request={"Accept-Encoding": "br"}).seen["HTTP_ACCEPT_ENCODING"] == "identity"


def test_a_chunk_goes_out_before_the_next_one_is_made(ask: Ask) -> None:
    made = []

    def chunks() -> Iterator[bytes]:
        for number, chunk in enumerate([b"<!doctype html><head><title>A", b"</title><p>B", b"C"]):
            made.append(number)
            yield chunk

    answer = ask(chunks=chunks())
    first = answer.chunks[0]
    assert first.startswith(b"<!doctype html><head>" + TAG)
    assert answer.body == b"<!doctype html><head>" + TAG + b"<title>A</title><p>BC"
    assert len(made) == 3


def test_head_gets_the_headers_of_the_page_and_no_body(ask: Ask) -> None:
    answer = ask(chunks=(), method="HEAD", headers=[*HTML, ("Content-Length", "9")])
    assert answer.body == b""
    assert answer.get("content-length") is None


def test_a_piece_that_a_script_asks_for_is_held_but_gets_no_tag(ask: Ask) -> None:
    rest, held = PAGE[PAGE.index(b"<img") :], HELD[HELD.index(b"<img") :]
    for piece in (b"<p>", b"<title>A</title>"):
        assert ask((piece, rest), request={"Sec-Fetch-Dest": "empty"}).body == piece + held


def test_what_a_service_worker_passes_on_is_a_page_or_module_like_any_other(ask: Ask) -> None:
    assert ask(request={"Sec-Fetch-Dest": "empty"}).body == HELD
    answer = ask((_MODULE,), _JAVASCRIPT, request={"Sec-Fetch-Dest": "empty"})
    assert answer.body.startswith(b"await consentImport(")


def test_the_tag_carries_the_nonce_of_the_pages_policy(ask: Ask) -> None:
    policy = ("Content-Security-Policy", "script-src 'nonce-r4nd0m' 'strict-dynamic'")
    assert b'<script async nonce="r4nd0m" src=' in ask(headers=[*HTML, policy]).body


@pytest.mark.parametrize("order", [1, -1])
def test_the_nonce_is_found_in_each_of_several_policies(ask: Ask, order: int) -> None:
    policies = ("script-src 'nonce-abc123' 'strict-dynamic'", "frame-ancestors 'self'")
    given = [("Content-Security-Policy", policy) for policy in policies[::order]]
    assert b'<script async nonce="abc123" src=' in ask(headers=[*HTML, *given]).body


def test_the_policy_goes_out_only_while_there_is_no_decision(
    ask: Ask, decision_cookie: Callable[..., str]
) -> None:
    first = ask(plan=STRICT, policy=True)
    policy = first.get("content-security-policy") or ""
    assert policy.startswith("default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob: ")
    assert policy.endswith(" www.example.com *.cdn.example")
    assert first.get("vary") == "Cookie"
    decided = ask(plan=STRICT, policy=True, request={"Cookie": decision_cookie()})
    assert decided.get("content-security-policy") is None
    assert ask(plan=STRICT).get("content-security-policy") is None


def test_cookies_of_refused_services_are_removed_wherever_they_may_lie(
    ask: Ask, decision_cookie: Callable[..., str]
) -> None:
    cookies = f"_ga=1; _fbp=2; _fbc=3; pay=4; own=5; {decision_cookie('google-analytics')}"
    answer = ask(request={"Cookie": cookies})
    removed = answer.all("set-cookie")
    assert {line.partition("=")[0] for line in removed} == {"_fbp", "_fbc"}
    places = {line.split("; ")[1] + "".join(line.split("; ")[2:3]) for line in removed}
    assert {"Path=/Max-Age=0", "Path=/Domain=example.com", "Path=/shop/cartMax-Age=0"} <= places
    assert all("Max-Age=0" in line for line in removed)
    assert answer.get("cache-control") == "private, no-cache"


@pytest.mark.parametrize("told", [["no-store"], ["private", "No-Store, max-age=0"]])
def test_what_must_not_be_stored_is_not_stored_when_cookies_are_removed(
    ask: Ask, decision_cookie: Callable[..., str], told: list[str]
) -> None:
    given = [*HTML, *(("Cache-Control", value) for value in told)]
    answer = ask(headers=given, request={"Cookie": f"_fbp=2; {decision_cookie()}"})
    assert answer.all("set-cookie")
    assert answer.all("cache-control") == ["no-store"]


def test_no_cookie_is_touched_before_a_decision_or_without_the_owners_wish(
    ask: Ask, decision_cookie: Callable[..., str]
) -> None:
    assert ask(request={"Cookie": "_ga=1; _fbp=2"}).all("set-cookie") == []
    broken = "_fbp=2; consent_example=1.x"
    assert ask(request={"Cookie": broken}).all("set-cookie") == []
    refused = {"Cookie": f"_fbp=2; {decision_cookie()}"}
    assert ask(request=refused, clean=False).all("set-cookie") == []


@pytest.mark.parametrize(
    ("path", "written"),
    [
        ("/кафе/меню", "/%D0%BA%D0%B0%D1%84%D0%B5"),
        ("/a\r\nX: y/b", "/a%0D%0AX:%20y"),
        ("/ä b/100%/c", "/%C3%A4%20b/100%25"),
    ],
)
def test_a_cookie_is_removed_in_folders_as_browsers_write_them(
    ask: Ask, decision_cookie: Callable[..., str], path: str, written: str
) -> None:
    given = path if ask is _ask_asgi else path.encode().decode("latin-1")
    answer = ask(path=given, request={"Cookie": f"_fbp=2; {decision_cookie()}"})
    assert f"_fbp=; Path={written}/; Domain=example.com; Max-Age=0" in answer.all("set-cookie")
    assert all(line.isascii() and line.isprintable() for line in answer.all("set-cookie"))


def test_lines_that_remove_cookies_leave_room_in_the_head(
    ask: Ask, decision_cookie: Callable[..., str]
) -> None:
    cookies = "; ".join([f"_fb{number}=1" for number in range(8)] + [decision_cookie()])
    removed = ask(path="/a/b/c/d/e/f/g/h", request={"Cookie": cookies}).all("set-cookie")
    assert 1000 < sum(len(f"set-cookie: {line}\r\n") for line in removed) <= 2000
    likely = {f"_fb{n}=; Path=/; Domain=example.com; Max-Age=0" for n in range(8)}
    assert likely <= set(removed)


def test_websockets_and_lifespan_pass_through() -> None:
    seen = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["type"])

    def plan_source() -> Any:
        raise AssertionError("not asked")

    for kind in ("websocket", "lifespan"):
        middleware = AsgiConsentMiddleware(application, plan_source)
        run(middleware({"type": kind}, None, None))  # type: ignore[arg-type]
    assert seen == ["websocket", "lifespan"]
