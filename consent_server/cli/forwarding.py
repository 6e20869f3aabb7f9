"""Forwarding: a request passed on to the site's own server, and its answer passed back."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Coroutine, Iterable
from functools import partial
from typing import Any

import httpx

from consent_server.cli.websockets import Headers, pass_websocket
from consent_server.rewriting.asgi import Message, Receive, Send

#: Of one connection only, never passed on (RFC 9110, 7.6.1).
_OF_THE_CONNECTION = frozenset(
    {b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization", b"te"}
    | {b"trailer", b"transfer-encoding", b"upgrade", b"proxy-connection"}
)
#: What no request line may hold (RFC 9112, 3), and what some servers read as "." and "/".
_UNSENDABLE = re.compile(rb"[^\x21-\x7e]")
_DOT = re.compile(rb"%2e", re.IGNORECASE)
_SLASH = re.compile(rb"%2f|%5c|\\", re.IGNORECASE)
#: As which a site knows a request, and the opening of a websocket.
_SCHEMES = {"http": b"http", "https": b"https", "ws": b"http", "wss": b"https"}
#: Answers may come slowly (exports, events); a server that is not there is known at once.
_TIMEOUT = httpx.Timeout(300, connect=5)


class Forwarder:
    """An ASGI application that answers as the upstream server does, chunk by chunk."""

    def __init__(self, upstream: str) -> None:
        self._upstream = httpx.URL(upstream)
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=64)
        self._client = httpx.AsyncClient(
            timeout=_TIMEOUT, limits=limits, follow_redirects=False, trust_env=False
        )
        # What the visitor did not say is not said for them.
        self._client.headers.clear()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request, or pass one websocket."""
        target = self._target(scope)
        if target is None:
            await _refuse(scope, send)
            return
        # As it was written: httpx would put its own spelling in its place.
        asked = {"target": target}
        if scope["type"] == "websocket":
            open_at = partial(self._client.build_request, "GET", self._upstream, extensions=asked)
            await pass_websocket(self._client, open_at, _forwarded(scope), scope, receive, send)
            return
        request = self._client.build_request(
            scope["method"],
            self._upstream,
            extensions=asked,
            headers=_forwarded(scope),
            content=_read_body(receive) if _has_body(scope["headers"]) else None,
        )
        try:
            answer = await self._client.send(request, stream=True)
        except httpx.TimeoutException:
            await _say(send, 504, "The site's server does not answer in time.")
            return
        except httpx.TransportError:
            await _say(send, 502, "The site's server cannot be reached.")
            return
        try:
            await _while_visitor_stays(_pass_back(answer, send), receive)
        finally:
            await answer.aclose()

    def _target(self, scope: Message) -> bytes | None:
        """Return what is asked for, as it was written; None for what leaves the upstream's path."""
        path = (scope.get("raw_path") or scope["path"].encode()).partition(b"?")[0]
        if not path.startswith(b"/"):
            path = b"/" + path
        before = self._upstream.raw_path.partition(b"?")[0].rstrip(b"/")
        if before and _climbs(path):
            return None
        query = scope.get("query_string") or b""
        return _UNSENDABLE.sub(_quote, before + path + (b"?" + query if query else b""))


def _climbs(path: bytes) -> bool:
    """Tell whether any server could read a path as one that leads above where it begins."""
    dotted = _DOT.sub(b".", path)
    return any(_leads_up(read) for read in (dotted, _SLASH.sub(b"/", dotted)))


def _leads_up(path: bytes) -> bool:
    depth = 0
    for part in path.split(b"/"):
        # What is behind a semicolon is no part of the name to some (RFC 3986, 3.3).
        name = part.partition(b";")[0]
        depth += -1 if name == b".." else name not in {b"", b"."}
        if depth < 0:
            return True
    return False


def _quote(found: re.Match[bytes]) -> bytes:
    return b"%%%02X" % found[0][0]


async def _while_visitor_stays(work: Coroutine[Any, Any, None], receive: Receive) -> None:
    """Do the work until the visitor leaves; the site would go on telling events to nobody."""
    passing, _ = ways = [asyncio.ensure_future(way) for way in (work, _leave(receive))]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
    if not passing.cancelled():
        passing.result()


async def _leave(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _pass_back(answer: httpx.Response, send: Send) -> None:
    start = {
        "type": "http.response.start",
        "status": answer.status_code,
        "headers": _end_to_end((name.lower(), value) for name, value in answer.headers.raw),
    }
    await send(start)
    async for chunk in answer.aiter_raw():
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


def _forwarded(scope: Message) -> Headers:
    headers = _end_to_end(scope["headers"])
    values = dict(headers)
    client = (scope.get("client") or ("",))[0].encode()
    before = b", ".join(value for name, value in headers if name == b"x-forwarded-for")
    told = {
        b"x-forwarded-for": before + b", " + client if before else client,
        b"x-forwarded-proto": values.get(b"x-forwarded-proto", _SCHEMES[scope["scheme"]]),
        b"x-forwarded-host": values.get(b"x-forwarded-host", values.get(b"host", b"")),
    }
    return [*(pair for pair in headers if pair[0] not in told), *told.items()]


def _end_to_end(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    pairs = list(headers)
    named = {
        word.strip().lower()
        for name, value in pairs
        if name == b"connection"
        for word in value.split(b",")
    }
    left_out = _OF_THE_CONNECTION | named
    return [(name, value) for name, value in pairs if name not in left_out]


def _has_body(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and value != b"0")
        for name, value in headers
    )


async def _read_body(receive: Receive) -> AsyncIterator[bytes]:
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise httpx.WriteError("the visitor left")
        more = message.get("more_body", False)
        if body := message.get("body", b""):
            yield body


async def _refuse(scope: Message, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close"})
        return
    await _say(send, 400, "The path leads out of the site.")


async def _say(send: Send, status: int, text: str) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text.encode() + b"\n"})
