"""Answers: pages are held in whatever form they come, and none is kept past its plan."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import brotli
import pytest

from consent_server.rewriting import AsgiConsentMiddleware, ConsentMiddleware

from .conftest import PLAN, STRICT, TAG
from .test_middleware import HELD, HTML, PAGE, Ask, _ask_asgi, _ask_wsgi, run

_DOCUMENT = {"Sec-Fetch-Dest": "document", "Accept": "text/html,*/*;q=0.8"}


@pytest.fixture(params=[_ask_wsgi, _ask_asgi], ids=["wsgi", "asgi"])
def ask(request: pytest.FixtureRequest) -> Ask:
    found: Ask = request.param
    return found


def _bytes_of(data: bytes) -> Iterator[bytes]:
    return (data[at : at + 1] for at in range(len(data)))


# -- what is kept ---------------------------------------------------------------------------


def _seen(answer: Any) -> dict[str, str]:
    names = ("HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE", "HTTP_RANGE", "HTTP_IF_RANGE")
    return {name: answer.seen[name] for name in names if name in answer.seen}


@pytest.mark.parametrize("tag", ['"a"', 'W/"a"'])
def test_a_page_is_asked_for_by_its_own_tag_as_long_as_the_plan_holds(ask: Ask, tag: str) -> None:
    sent = ask(headers=[*HTML, ("ETag", tag)]).get("etag")
    assert sent not in {None, tag}
    kept = {**_DOCUMENT, "If-None-Match": str(sent), "If-Modified-Since": "yesterday"}
    again = ask((), [("ETag", tag)], 304, request=kept)
    assert _seen(again) == {"HTTP_IF_NONE_MATCH": tag, "HTTP_IF_MODIFIED_SINCE": "yesterday"}
    assert again.all("etag") == [sent]
    compressed = {**kept, "If-None-Match": str(sent)[:-1] + '-gzip"'}
    assert _seen(ask(request=compressed))["HTTP_IF_NONE_MATCH"] == tag
    newer = replace(PLAN, allowed_hosts=("other.example",))
    assert _seen(ask(plan=newer, request=kept)) == {}
    assert ask(plan=newer, headers=[*HTML, ("ETag", tag)]).get("etag") != sent


def test_a_plan_is_called_alike_by_every_server_and_whatever_it_holds() -> None:
    assert replace(PLAN).mark == PLAN.mark
    dated = [
        replace(PLAN, services=[{**PLAN.services[0], "since": date(2026, 1, day)}]).mark
        for day in (1, 1, 2)
    ]
    assert dated[0] == dated[1] != dated[2]


def test_what_was_kept_before_we_stood_there_is_asked_for_anew(ask: Ask) -> None:
    old = {"If-None-Match": '"a", *', "If-Modified-Since": "yesterday"}
    wanted = ({"Sec-Fetch-Dest": "script"}, {"Accept": "text/html"}, _DOCUMENT)
    for request in wanted:
        assert _seen(ask(request={**request, **old})) == {}
        assert _seen(ask(request={**request, "If-Modified-Since": "yesterday"})) == {}
    passed_on = {"Sec-Fetch-Dest": "empty"}
    assert _seen(ask(path="/app.js", request={**passed_on, **old})) == {}
    picture = ask(request={"Sec-Fetch-Dest": "image", **old})
    assert list(_seen(picture).values()) == ['"a", *', "yesterday"]


def test_a_page_that_has_only_a_date_is_asked_for_by_date_once_we_sent_it(ask: Ask) -> None:
    sent = ask(headers=[*HTML, ("Last-Modified", "yesterday")]).get("etag")
    assert sent is not None
    kept = {**_DOCUMENT, "If-None-Match": sent, "If-Modified-Since": "yesterday"}
    assert _seen(ask(request=kept)) == {"HTTP_IF_MODIFIED_SINCE": "yesterday"}
    assert sent != ask(headers=[*HTML, ("Last-Modified", "today")]).get("etag")
    assert ask().get("etag") is None


def test_a_page_with_a_policy_is_not_kept_past_the_decision(
    ask: Ask, decision_cookie: Callable[..., str]
) -> None:
    given = [*HTML, ("ETag", '"a"')]
    sent = ask(headers=given, policy=True).get("etag")
    assert sent is not None
    kept = {**_DOCUMENT, "If-None-Match": sent}
    assert _seen(ask(policy=True, request=kept)) == {"HTTP_IF_NONE_MATCH": '"a"'}
    assert _seen(ask(policy=True, request={**kept, "Cookie": decision_cookie()})) == {}


def test_no_piece_of_a_page_is_asked_for(ask: Ask) -> None:
    piece = {"Range": "bytes=5-", "If-Range": '"a"'}
    assert _seen(ask(request={**_DOCUMENT, **piece})) == {}
    film = {"Sec-Fetch-Dest": "video", **piece}
    assert _seen(ask(request=film)) == {"HTTP_RANGE": "bytes=5-", "HTTP_IF_RANGE": '"a"'}


# -- in which form it comes -----------------------------------------------------------------

_RAW = zlib.compressobj(wbits=-15)
_PACKED = {
    "gzip": gzip.compress(PAGE[:30]) + gzip.compress(PAGE[30:]),
    "X-GZIP": gzip.compress(PAGE),
    "deflate": zlib.compress(PAGE),
    "Deflate": _RAW.compress(PAGE) + _RAW.flush(),
    "br": brotli.compress(PAGE),
    "gzip, br": brotli.compress(gzip.compress(PAGE)),
}


@pytest.mark.parametrize("coding", _PACKED)
def test_a_page_that_comes_compressed_is_held(ask: Ask, coding: str) -> None:
    given = [*HTML, ("Content-Encoding", coding), ("Content-Length", str(len(_PACKED[coding])))]
    for chunks in ([_PACKED[coding]], _bytes_of(_PACKED[coding])):
        answer = ask(chunks, given)
        assert answer.body == HELD
        assert answer.get("content-encoding") is None
        assert answer.get("content-length") is None


def test_what_is_compressed_and_no_page_passes_as_it_is(ask: Ask) -> None:
    packed = gzip.compress(b"{}")
    given = [("Content-Type", "application/json"), ("Content-Encoding", "gzip")]
    answer = ask((packed,), given)
    assert answer.body == packed
    assert answer.get("content-encoding") == "gzip"


def test_a_page_that_is_not_what_it_says_ends_in_an_error(ask: Ask) -> None:
    with pytest.raises(zlib.error):
        ask(headers=[*HTML, ("Content-Encoding", "gzip")])


@pytest.mark.parametrize(
    "headers",
    [
        [*HTML, ("Content-Encoding", "zstd")],
        [("Content-Type", "application/xhtml+xml")],
        [("Content-Type", "text/html; charset=ISO-2022-JP")],
    ],
)
def test_a_page_that_cannot_be_read_may_ask_only_who_need_not_wait(
    ask: Ask, decision_cookie: Callable[..., str], headers: list[tuple[str, str]]
) -> None:
    given = [*headers, ("ETag", '"a"')]
    answer = ask(headers=given)
    assert answer.body == PAGE
    assert answer.get("etag") is None
    assert answer.get("vary") == "Cookie"
    policy = (answer.get("content-security-policy") or "").split()
    assert {"default-src", "'self'", "www.example.com", "pay.example.net"} <= set(policy)
    assert "connect.facebook.net" not in policy
    some = ask(headers=given, request={"Cookie": decision_cookie("meta-pixel")})
    policy = (some.get("content-security-policy") or "").split()
    assert {"connect.facebook.net", "www.facebook.com"} <= set(policy)
    assert "*.google-analytics.com" not in policy
    cookie = {"Cookie": decision_cookie("meta-pixel", "google-analytics")}
    assert ask(headers=given, request=cookie).get("content-security-policy") is None
    assert ask(headers=given, request=cookie, plan=STRICT).get("content-security-policy")


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("Content-Type", "*/*")],
        [("Content-Type", "html")],
        [("Content-Type", "TEXT/HTML charset=utf-8")],
        [("Content-Type", "text/html, text/html; charset=utf-8")],
        [("Content-Type", "text/plain"), ("Content-Type", "text/html")],
        [("Content-Type", "text/html; charset=utf-7")],
        [("Content-Type", "text/html; charset=unicode-1-1-utf-8")],
    ],
)
def test_what_a_browser_takes_for_a_page_is_held(ask: Ask, headers: list[tuple[str, str]]) -> None:
    for chunks in ([PAGE], _bytes_of(PAGE)):
        answer = ask(chunks, [*headers, ("Content-Length", str(len(PAGE)))])
        assert answer.body == HELD
        assert answer.get("content-length") is None


@pytest.mark.parametrize("data", [b"", b"  \n", b"<", b"<svg><script>", b"\x89PNG<html>", b"{}"])
def test_what_no_browser_takes_for_a_page_goes_out_byte_for_byte(ask: Ask, data: bytes) -> None:
    for chunks in ([data], _bytes_of(data)):
        assert ask(chunks, []).body == data


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_page_of_two_bytes_a_letter_is_held(ask: Ask, codec: str, mark: str) -> None:
    text = PAGE.decode().replace("</html>", "ä€😀</html>")
    label = "utf-8" if mark else codec.replace("16-", "16")
    given = [("Content-Type", f"text/html; charset={label}")]
    held = HELD.decode().replace("</html>", "ä€😀</html>")
    for whole in (mark + text, mark + text + "a"):
        data = whole.encode(codec)
        expected = (mark + held + whole[len(mark + text) :]).encode(codec)
        for chunks in ([data], _bytes_of(data)):
            assert ask(chunks, given).body == expected


def test_a_mark_of_utf_8_counts_for_more_than_the_header(ask: Ask) -> None:
    given = [("Content-Type", "text/html; charset=utf-16le")]
    assert ask((b"\xef\xbb\xbf" + PAGE,), given).body == b"\xef\xbb\xbf" + HELD


# -- what stands in the head ------------------------------------------------------------------


def test_links_in_the_head_by_which_a_service_would_be_asked_are_left_out(ask: Ask) -> None:
    kept = '</a,b.css>; rel=preload; as=style; title="a, <b>", <//www.facebook.com/tr>; rel=me'
    tracker = "<https://connect.facebook.net>; rel=preconnect"
    given = [*HTML, ("Link", f"{tracker}, {kept}"), ("Link", tracker)]
    assert ask(headers=given).all("link") == [kept]
    picture = '</x>; rel="preload"; imagesrcset="/a 1x, https://www.facebook.com/tr 2x"'
    assert ask(headers=[("Content-Type", "text/css"), ("Link", picture)]).all("link") == []
    assert ask(headers=[*HTML, ("Link", kept)], plan=STRICT).all("link") == [kept]


def test_a_hint_sent_ahead_names_no_service() -> None:
    links = [b"<https://connect.facebook.net>; rel=preconnect", b"</a.css>; rel=preload"]
    sent: list[Any] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.early_hint", "links": links})

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
    run(AsgiConsentMiddleware(application, lambda: PLAN)(scope, None, send))  # type: ignore[arg-type]
    assert sent == [{"type": "http.response.early_hint", "links": links[1:]}]


@pytest.mark.parametrize(
    "policy",
    [
        "style-src 'nonce-s'; script-src 'nonce-r4nd0m'",
        "default-src 'nonce-d'; SCRIPT-SRC 'Nonce-r4nd0m'",
        "script-src 'nonce-s'; script-src-elem 'nonce-r4nd0m'",
        "frame-ancestors 'self', default-src 'nonce-r4nd0m'",
    ],
)
def test_the_tag_carries_the_nonce_that_is_for_scripts(ask: Ask, policy: str) -> None:
    given = [*HTML, ("Content-Security-Policy", policy)]
    assert TAG.replace(b"async", b'async nonce="r4nd0m"') in ask(headers=given).body


def test_an_application_that_fails_may_begin_another_answer() -> None:
    sent: list[Any] = []

    def application(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [("Content-Type", "application/json")])
        yield b""
        start_response("500 Oh", HTML, (None, None, None))
        yield PAGE

    middleware = ConsentMiddleware(application, lambda: PLAN)

    def start_response(*given: Any) -> Any:
        sent.append(given)

    body = middleware({"REQUEST_METHOD": "GET"}, start_response)
    assert b"".join(body) == HELD
    assert [status for status, *_ in sent] == ["200 OK", "500 Oh"]
