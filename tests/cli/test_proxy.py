"""Proxy: a site of any language passes through, its pages held, everything else untouched."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from websocket import ABNF, WebSocket, WebSocketBadStatusException, create_connection

from .conftest import Process
from .serving import Serving, serving, wait_until
from .test_run import free_port
from .upstream import PAGE, REST, Upstream, running_upstream

_TAG = b'<script async src="/w/smilee.js"></script>'
_HELD = b'<img data-consent="service:meta-pixel" data-consent-src=https://www.facebook.com/tr>'


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with running_upstream() as running:
        yield running


@pytest.fixture
def proxy(upstream: Upstream, environment: dict[str, str], tmp_path: Path) -> Iterator[Serving]:
    arguments = ("proxy", "--upstream", f"{upstream.url}/base/", "--site", "smilee")
    with serving(*arguments, environment=environment, folder=tmp_path, port=free_port()) as running:
        upstream.asked.clear()
        yield running


@pytest.fixture
def connection(proxy: Serving) -> Iterator[http.client.HTTPConnection]:
    opened = http.client.HTTPConnection(proxy.url.removeprefix("http://"), timeout=20)
    yield opened
    opened.close()


def test_a_page_is_held_and_keeps_its_other_headers(
    connection: http.client.HTTPConnection,
) -> None:
    connection.request("GET", "/")
    answer = connection.getresponse()
    page = answer.read()
    assert page == (PAGE + REST).replace(b"<title>", _TAG + b"<title>").replace(
        b"<img src=https://www.facebook.com/tr>", _HELD
    )
    assert answer.headers.get_all("Set-Cookie") == ["a=1", "b=2"]


def test_the_request_arrives_as_it_was_made(
    connection: http.client.HTTPConnection, upstream: Upstream
) -> None:
    headers = {"Host": "www.example.com", "Cookie": "c=1", "Connection": "X-Own", "X-Own": "1"}
    connection.request("POST", "/a%2Fb/%C3%A5?x=%20y", body=b"sent", headers=headers)
    assert connection.getresponse().read()
    [(method, path, seen, body)] = upstream.asked
    assert (method, path, body) == ("POST", "/base/a%2Fb/%C3%A5?x=%20y", b"sent")
    values = {name.lower(): value for name, value in seen.items()}
    assert values["host"] == "www.example.com"
    assert values["cookie"] == "c=1"
    assert values["accept-encoding"] == "identity"
    assert values["x-forwarded-for"] == "127.0.0.1"
    assert values["x-forwarded-host"] == "www.example.com"
    assert "x-own" not in values
    assert not {"accept", "user-agent"} & values.keys()


def test_every_address_that_a_request_came_by_is_told(
    connection: http.client.HTTPConnection, upstream: Upstream
) -> None:
    connection.putrequest("GET", "/")
    for address in ("192.0.2.1", "192.0.2.2"):
        connection.putheader("X-Forwarded-For", address)
    connection.endheaders()
    assert connection.getresponse().read()
    [(_, _, seen, _)] = upstream.asked
    values = {name.lower(): value for name, value in seen.items()}
    assert values["x-forwarded-for"] == "192.0.2.1, 192.0.2.2, 127.0.0.1"


def _ask_raw(proxy: Serving, target: bytes) -> bytes:
    """Ask for what no library would write; return the status."""
    host, _, port = proxy.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=20) as wire:
        wire.sendall(b"GET %s HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n" % target)
        answer = b""
        while piece := wire.recv(65_536):
            answer += piece
    return answer.split(b" ", 2)[1]


@pytest.mark.parametrize(
    ("asked", "arrives"),
    [
        (b"/a/./b", "/a/./b"),
        (b"/a/../b/%2e%2e/c", "/a/../b/%2e%2e/c"),
        (b"//evil.example/x", "//evil.example/x"),
        (b"/a|b;c=1,2?x=%zz&y=[1]", "/a|b;c=1,2?x=%zz&y=[1]"),
        (b"/h\xc3\xb6\xc3\xb6k?\xc3\xb6", "/h%C3%B6%C3%B6k?%C3%B6"),
    ],
)
def test_a_path_arrives_as_it_was_written(
    proxy: Serving, upstream: Upstream, asked: bytes, arrives: str
) -> None:
    assert _ask_raw(proxy, asked) == b"200"
    assert [path for _, path, _, _ in upstream.asked] == [f"/base{arrives}"]


@pytest.mark.parametrize(
    "path",
    [
        "/../other/admin",
        "/a/../../other",
        "/%2e%2E/other",
        "/.%2e/other",
        "/..%2fother",
        "/a%2fb/../../other",
        "/..%5cother",
        "/..\\other",
        "/..;x/other",
        "/a//../../other",
        "/./../other",
        "/..",
    ],
)
def test_no_path_leads_out_of_the_site(proxy: Serving, upstream: Upstream, path: str) -> None:
    assert _ask_raw(proxy, path.encode()) == b"400"
    with pytest.raises(WebSocketBadStatusException):
        _open(proxy, path)
    assert upstream.asked == []


def test_the_first_half_arrives_before_the_second_is_made(
    connection: http.client.HTTPConnection, upstream: Upstream
) -> None:
    connection.request("GET", "/slow")
    answer = connection.getresponse()
    first = answer.read1(4096)
    assert first.startswith(b"<!doctype html><html><head>" + _TAG)
    assert not upstream.may_go_on.is_set()
    upstream.may_go_on.set()
    assert (first + answer.read()).endswith(_HELD + b"</html>")


def test_a_stream_of_events_ends_when_its_visitor_leaves(
    connection: http.client.HTTPConnection, upstream: Upstream
) -> None:
    connection.request("GET", "/events")
    assert connection.getresponse().read1(10)
    connection.close()
    wait_until(lambda: upstream.left_alone == [True], 10)


def test_what_is_no_page_passes_byte_for_byte(connection: http.client.HTTPConnection) -> None:
    connection.request("GET", "/file.bin")
    answer = connection.getresponse()
    assert answer.headers["Content-Length"] == str(len(PAGE + REST))
    assert answer.read() == PAGE + REST
    connection.request("GET", "/moved")
    moved = connection.getresponse()
    assert (moved.status, moved.headers["Location"], moved.read()) == (302, "/elsewhere", b"")
    connection.request("HEAD", "/")
    head = connection.getresponse()
    assert (head.status, head.read()) == (200, b"")


def _open(proxy: Serving, path: str = "/talk?x=1", **options: Any) -> WebSocket:
    return create_connection(f"ws{proxy.url.removeprefix('http')}{path}", timeout=20, **options)


def test_a_websocket_passes_both_ways_until_the_visitor_ends_it(
    proxy: Serving, upstream: Upstream
) -> None:
    opened = _open(proxy, subprotocols=["talk"], cookie="c=1", host="www.example.com")
    assert opened.subprotocol == "talk"
    large = os.urandom(3_000_000)
    for said in ("Hyvää päivää", "", b"\x00\xff", large, "once more"):
        opened.send(said, ABNF.OPCODE_TEXT if isinstance(said, str) else ABNF.OPCODE_BINARY)
        assert opened.recv() == said
    opened.close(4002)
    wait_until(lambda: bool(upstream.ended))
    assert upstream.ended == [4002]
    assert upstream.pongs == [b"alive?"]
    [(_, path, seen, _)] = upstream.asked
    values = {name.lower(): value for name, value in seen.items()}
    assert path == "/base/talk?x=1"
    assert (values["host"], values["cookie"]) == ("www.example.com", "c=1")
    assert (values["x-forwarded-for"], values["x-forwarded-proto"]) == ("127.0.0.1", "http")


def test_a_websocket_ends_when_the_site_ends_it(proxy: Serving) -> None:
    opened = _open(proxy)
    opened.send("end")
    opcode, reason = opened.recv_data()
    assert opened.sock
    opened.sock.close()
    assert (opcode, int.from_bytes(reason[:2])) == (ABNF.OPCODE_CLOSE, 4001)


def test_a_websocket_that_the_site_does_not_open_is_not_opened(proxy: Serving) -> None:
    with pytest.raises(WebSocketBadStatusException) as refused:
        _open(proxy, "/away")
    assert refused.value.status_code == 403


def test_many_visitors_talk_at_a_time(proxy: Serving) -> None:
    crowd = [_open(proxy) for _ in range(30)]
    for number, opened in enumerate(crowd):
        opened.send(str(number))
    assert [opened.recv() for opened in crowd] == [str(number) for number in range(30)]
    for opened in crowd:
        opened.close()


def test_a_server_that_is_away_is_told_as_such(environment: dict[str, str], tmp_path: Path) -> None:
    with ExitStack() as stack:
        with running_upstream() as upstream:
            arguments = ("proxy", "--upstream", upstream.url, "--site", "smilee")
            port = free_port()
            alone = stack.enter_context(
                serving(*arguments, environment=environment, folder=tmp_path, port=port)
            )
        opened = http.client.HTTPConnection(f"127.0.0.1:{port}", timeout=20)
        opened.request("GET", "/")
        answer = opened.getresponse()
        assert (answer.status, answer.read()) == (502, b"The site's server cannot be reached.\n")
        opened.close()
        assert alone.process.poll() is None
        assert "Passing http://127.0.0.1" in alone.said()


def test_what_is_wrong_stops_the_start(process: Process) -> None:
    for upstream in ("127.0.0.1:3000", "http://127.0.0.1:99999", "http://["):
        wrong = process("proxy", "--upstream", upstream, "--site", "smilee")
        assert wrong.returncode == 2
        assert "--upstream is an address such as" in wrong.stderr
    unknown = process("proxy", "--upstream", "http://127.0.0.1:3000", "--site", "nobody")
    assert unknown.returncode == 1
    assert "nobody" in unknown.stderr


def test_an_answer_that_does_not_end_is_cut_off_when_the_proxy_is_told_to_stop(
    proxy: Serving, connection: http.client.HTTPConnection
) -> None:
    connection.request("GET", "/slow")
    assert connection.getresponse().read1(10)
    began = time.monotonic()
    proxy.stop(signal.SIGTERM)
    assert time.monotonic() - began < 15
