"""Forwarding: a request passed on to the site's own server, and its answer passed back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable

import httpx

from consent_server.cli.websockets import Headers, pass_websocket
from consent_server.rewriting.asgi import Message, Receive, Send

#: Of one connection only, never passed on (RFC 9110, 7.6.1).
_OF_THE_CONNECTION = frozenset(
    {b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization", b"te"}
    | {b"trailer", b"transfer-encoding", b"upgrade", b"proxy-connection"}
)
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

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request, or pass one websocket."""
        address = self._address(scope)
        if scope["type"] == "websocket":
            await pass_websocket(self._client, address, _forwarded(scope), scope, receive, send)
            return
        request = self._client.build_request(
            scope["method"],
            address,
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
            await _pass_back(answer, send)
        finally:
            await answer.aclose()

    def _address(self, scope: Message) -> httpx.URL:
        # The path as it was written: "%2F" is not "/".
        path = scope.get("raw_path") or scope["path"].encode()
        before = self._upstream.raw_path.rstrip(b"/")
        query = scope.get("query_string") or b""
        return self._upstream.copy_with(
            raw_path=before + path.partition(b"?")[0] + (b"?" + query if query else b"")
        )


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
    before = values.get(b"x-forwarded-for")
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


async def _say(send: Send, status: int, text: str) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text.encode() + b"\n"})
