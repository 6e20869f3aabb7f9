"""Websockets: passed on to the site's own server message by message, and back."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
from collections.abc import AsyncIterator, Callable
from typing import Any, Protocol

import httpcore
import httpx
from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Event, Ping, TextMessage
from wsproto.utilities import ProtocolError

from consent_server.rewriting.asgi import Message, Receive, Send

Headers = list[tuple[bytes, bytes]]

_READ_BYTES = 65_536
#: Words of the opening handshake: each of the two connections has its own.
_OWN = frozenset(
    {b"sec-websocket-key", b"sec-websocket-version", b"sec-websocket-extensions"}
    | {b"sec-websocket-protocol"}
)
#: Close codes (RFC 6455, 7.4): all is well; what is behind does not answer; for reading only.
_NORMAL, _BAD_GATEWAY = 1000, 1014
_NEVER_SENT = frozenset({1005, 1006, 1015})
_ENDED_BADLY = (ProtocolError, httpcore.NetworkError)


class _Stream(Protocol):
    """The connection below a request that was answered with 101 (httpx, "network_stream")."""

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes: ...

    async def write(self, buffer: bytes, timeout: float | None = None) -> None: ...


async def pass_websocket(
    client: httpx.AsyncClient,
    open_at: Callable[..., httpx.Request],
    headers: Headers,
    scope: Message,
    receive: Receive,
    send: Send,
) -> None:
    """Open the same websocket at the site's server and pass messages until one side ends it.

    `open_at` makes the request for it, of the headers that it is given.
    """
    await receive()  # websocket.connect
    request = open_at(headers=_handshake(headers, scope))
    try:
        answer = await client.send(request, stream=True)
    except httpx.TransportError:
        await send({"type": "websocket.close", "code": _BAD_GATEWAY})
        return
    try:
        stream = answer.extensions.get("network_stream")
        if answer.status_code != httpx.codes.SWITCHING_PROTOCOLS or stream is None:
            # Not accepted: the visitor is answered with 403, whatever the site's reason.
            await send({"type": "websocket.close"})
            return
        protocol = answer.headers.get("sec-websocket-protocol")
        await send({"type": "websocket.accept", "subprotocol": protocol})
        await _Passage(stream, receive, send).run()
    finally:
        await answer.aclose()


def _handshake(headers: Headers, scope: Message) -> Headers:
    protocols = ", ".join(scope.get("subprotocols") or ()).encode()
    return [
        *(pair for pair in headers if pair[0] not in _OWN),
        (b"connection", b"Upgrade"),
        (b"upgrade", b"websocket"),
        (b"sec-websocket-version", b"13"),
        (b"sec-websocket-key", base64.b64encode(os.urandom(16))),
        *([(b"sec-websocket-protocol", protocols)] if protocols else []),
    ]


class _Passage:
    """Both directions of one open websocket."""

    def __init__(self, stream: _Stream, receive: Receive, send: Send) -> None:
        self._stream = stream
        self._receive = receive
        self._send = send
        self._connection = Connection(ConnectionType.CLIENT)
        self._turn = asyncio.Lock()

    async def run(self) -> None:
        """Pass messages until one side ends."""
        ways = [asyncio.ensure_future(way) for way in (self._to_site(), self._to_visitor())]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            # The server in which we run can say nothing while somebody waits to receive.
            for way in ways:
                way.cancel()
            left, ended = await asyncio.gather(*ways, return_exceptions=True)
        if left is not None:  # the visitor is still there
            code = ended if isinstance(ended, int) else _BAD_GATEWAY
            await self._send({"type": "websocket.close", "code": code})
        for error in (left, ended):
            if isinstance(error, Exception) and not isinstance(error, _ENDED_BADLY):
                raise error

    async def _write(self, event: Event) -> None:
        async with self._turn:
            await self._stream.write(self._connection.send(event))

    async def _to_site(self) -> None:
        while True:
            message = await self._receive()
            if message["type"] == "websocket.disconnect":
                await self._end(message.get("code"))
                return
            text = message.get("text")
            event: Any = BytesMessage(message.get("bytes") or b"")
            await self._write(event if text is None else TextMessage(text))

    async def _end(self, code: int | None) -> None:
        with contextlib.suppress(*_ENDED_BADLY):  # ended there already
            await self._write(CloseConnection(code=_code(code)))

    async def _to_visitor(self) -> int:
        """Pass what the site says; return the code with which it ends."""
        parts: list[Any] = []
        async for event in self._events():
            if isinstance(event, Ping):
                await self._write(event.response())
            elif isinstance(event, CloseConnection):
                return _code(event.code)
            elif isinstance(event, TextMessage | BytesMessage):
                parts.append(event.data)
                if event.message_finished:
                    await self._send(_message(parts))
                    parts = []
        return _BAD_GATEWAY

    async def _events(self) -> AsyncIterator[Event]:
        while data := await self._stream.read(_READ_BYTES):
            self._connection.receive_data(data)
            for event in self._connection.events():
                yield event


def _code(code: int | None) -> int:
    return _NORMAL if code is None or code in _NEVER_SENT else int(code)


def _message(parts: list[Any]) -> Message:
    whole = type(parts[0])().join(parts)
    return {"type": "websocket.send", "text" if isinstance(whole, str) else "bytes": whole}
