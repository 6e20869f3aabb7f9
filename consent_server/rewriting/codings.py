"""Codings: bodies that are compressed, or in an encoding of two bytes, read and written again."""

from __future__ import annotations

import codecs
import zlib
from collections.abc import Iterable
from typing import Final, Protocol

import brotli

from consent_server.rewriting.kinds import Body

#: Labels of encodings of two bytes (Encoding standard, 4.2). A byte order mark counts for more.
_WIDE: Final = {
    **dict.fromkeys(
        ("utf-16", "utf-16le", "unicode", "ucs-2", "iso-10646-ucs-2", "csunicode", "unicodefeff"),
        "utf-16-le",
    ),
    **dict.fromkeys(("utf-16be", "unicodefffe"), "utf-16-be"),
}
_MARKS: Final = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_MARK_OF_UTF8: Final = b"\xef\xbb\xbf"
_AUTOMATIC: Final = zlib.MAX_WBITS | 32


class Decoder(Protocol):
    """What takes a content coding off."""

    def read(self, data: bytes) -> bytes:
        """Return what these bytes say, as far as they say it; raises an error for other data."""


class _Zlib:
    """gzip, also of several members, and deflate, also without its head as some servers send it."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(_AUTOMATIC)
        self._beginning: bytes | None = b""

    def read(self, data: bytes) -> bytes:
        if self._beginning is not None:
            data, self._beginning = self._beginning + data, b""
            if len(data) < 2:
                self._beginning = data
                return b""
            self._beginning = None
            if data[:2] != b"\x1f\x8b" and (data[0] & 15 != 8 or int.from_bytes(data[:2]) % 31):
                self._inner = zlib.decompressobj(-zlib.MAX_WBITS)
        out = self._inner.decompress(data)
        while self._inner.eof and self._inner.unused_data.startswith(b"\x1f\x8b"):
            rest = self._inner.unused_data
            self._inner = zlib.decompressobj(_AUTOMATIC)
            out += self._inner.decompress(rest)
        return out


class _Brotli:
    def __init__(self) -> None:
        self._inner = brotli.Decompressor()

    def read(self, data: bytes) -> bytes:
        return bytes(self._inner.process(data))


_DECODERS: Final[dict[str, type[_Zlib | _Brotli]]] = {
    "gzip": _Zlib,
    "x-gzip": _Zlib,
    "deflate": _Zlib,
    "br": _Brotli,
}


def open_decoders(values: Iterable[str]) -> list[Decoder] | None:
    """Return what takes off what `Content-Encoding` names; None where one is unknown."""
    names = [name.strip().lower() for name in ",".join(values).split(",")]
    given = [name for name in names if name not in {"", "identity"}]
    if not _DECODERS.keys() >= set(given):
        return None
    return [_DECODERS[name]() for name in reversed(given)]


class Decoded:
    """A compressed body, given to the next without its coding."""

    def __init__(self, decoders: list[Decoder], body: Body) -> None:
        self._decoders = decoders
        self._body = body

    def feed(self, chunk: bytes) -> bytes:
        """Take the next bytes; return what is decided."""
        for decoder in self._decoders:
            chunk = decoder.read(chunk) if chunk else chunk
        return self._body.feed(chunk)

    def finish(self) -> bytes:
        """Return what is left."""
        return self._body.finish()


class Wide:
    """A page that may be in UTF-16: what reads it gets UTF-8."""

    def __init__(self, charset: str, page: Body) -> None:
        self._codec = _WIDE.get(charset)
        self._page = page
        self._beginning: bytes | None = b""

    def feed(self, chunk: bytes) -> bytes:
        """Take the next bytes; return what is decided."""
        if self._beginning is not None:
            chunk = self._beginning + chunk
            if len(chunk) < len(_MARK_OF_UTF8) and self._may_be_mark(chunk):
                self._beginning = chunk
                return b""
            self._begin(chunk)
        return self._pass(chunk)

    def finish(self) -> bytes:
        """Return what is left."""
        out = b""
        if self._beginning is not None:
            rest = self._beginning
            self._begin(rest)
            out = self._pass(rest)
        return out + self._end()

    def _may_be_mark(self, chunk: bytes) -> bool:
        return any(mark.startswith(chunk) for mark in (*_MARKS, _MARK_OF_UTF8))

    def _begin(self, beginning: bytes) -> None:
        self._beginning = None
        if beginning.startswith(_MARK_OF_UTF8):
            self._codec = None
        self._codec = _MARKS.get(beginning[:2], self._codec)
        if self._codec is not None:
            # As browsers do: half a pair is U+FFFD.
            self._reader = codecs.getincrementaldecoder(self._codec)("replace")
            self._writer = codecs.getincrementaldecoder("utf-8")("replace")

    def _pass(self, chunk: bytes) -> bytes:
        if self._codec is None:
            return self._page.feed(chunk)
        out = self._page.feed(self._reader.decode(chunk).encode())
        return self._writer.decode(out).encode(self._codec)

    def _end(self) -> bytes:
        if self._codec is None:
            return self._page.finish()
        out = self._page.feed(self._reader.decode(b"", final=True).encode())
        return self._writer.decode(out + self._page.finish(), final=True).encode(self._codec)
