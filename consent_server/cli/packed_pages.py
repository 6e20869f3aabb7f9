"""Packed pages: compressed copies beside pages, which web servers send in their place."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from typing import Final, Protocol

import brotli

from consent_server.rewriting.codings import open_decoders

#: How such copies are named, and the coding; None for one that we cannot read.
CODINGS: Final = {".gz": "gzip", ".br": "br", ".zst": None}
#: What reading a damaged copy raises.
DAMAGED: Final = (zlib.error, brotli.error)


class _Packer(Protocol):
    def pack(self, data: bytes) -> bytes: ...

    def end(self) -> bytes: ...


class _Gzip:
    def __init__(self) -> None:
        self._inner = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)

    def pack(self, data: bytes) -> bytes:
        return self._inner.compress(data)

    def end(self) -> bytes:
        return self._inner.flush()


class _Brotli:
    def __init__(self) -> None:
        self._inner = brotli.Compressor(mode=brotli.MODE_TEXT)

    def pack(self, data: bytes) -> bytes:
        return bytes(self._inner.process(data))

    def end(self) -> bytes:
        return bytes(self._inner.finish())


def unpacked(chunks: Iterable[bytes], coding: str) -> Iterator[bytes]:
    """Yield what a compressed copy says; raises an error where it is damaged."""
    for decoder in open_decoders([coding]) or ():  # none for what is not compressed
        chunks = map(decoder.read, chunks)
    yield from chunks


def packed(chunks: Iterable[bytes], coding: str) -> Iterator[bytes]:
    """Yield the compressed copy again."""
    packer: _Packer = _Brotli() if coding == "br" else _Gzip()
    for chunk in chunks:
        yield packer.pack(chunk)
    yield packer.end()
