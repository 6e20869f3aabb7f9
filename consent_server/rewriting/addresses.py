"""Addresses: from an attribute as written to the host that a browser would ask."""

from __future__ import annotations

import base64
import contextlib
import html
import re
from urllib.parse import unquote, unquote_to_bytes

#: Behind a scheme of its own an address needs no slashes to name a host (URL standard, 4.4).
_ABSOLUTE = re.compile(
    r"(?:(?:https?|wss?|ftp):[/\\]*|[/\\]{2,})([^/\\?#]*)([^?#]*)", re.IGNORECASE
)
#: What a browser takes for pictures, sound or letters loads nothing more; SVG may.
_INERT = re.compile(r"data:(?:image/(?!svg)|audio/|video/|font/|application/(?:x-)?font)", re.I)
_DATA = re.compile(r"data:([^,]*),", re.IGNORECASE)
_IN_BASE64 = re.compile(r";\s*base64\s*$", re.IGNORECASE)
#: Browsers drop these inside an address (URL standard, 4.4).
_DROPPED = re.compile(r"[\t\n\r]")
_BLANK = "".join(map(chr, range(0x21)))


def read_value(written: bytes) -> str:
    """Return what an attribute says, references resolved; one character for each byte."""
    text = written.decode("latin-1")
    if text[:1] in {'"', "'"}:
        text = text[1:-1]
    return html.unescape(text) if "&" in text else text


def split_address(address: str) -> tuple[str, str] | None:
    """Return host and path of an address that names a host; None for any other."""
    found = _ABSOLUTE.match(_DROPPED.sub("", address.strip(_BLANK)))
    if found is None:
        return None
    host = found[1].rpartition("@")[2].lower()
    if not host.startswith("["):
        host = _plain_host(host.partition(":")[0])
    return host.rstrip("."), (found[2] or "/").replace("\\", "/")


def _plain_host(written: str) -> str:
    """Return a host as a browser reads it, escapes and full-width letters made plain."""
    if written.isascii() and "%" not in written:
        return written
    with contextlib.suppress(UnicodeError):
        written = written.encode("latin-1").decode("utf-8")
    host = unquote(written)
    with contextlib.suppress(UnicodeError):
        return host.encode("idna").decode("ascii").lower()
    return host


def read_inline(address: str) -> bytes | None:
    """Return what an address says that holds the content itself; None for any other."""
    address = _DROPPED.sub("", address.strip(_BLANK))
    if not address[:11].lower().startswith(("data:", "javascript:", "blob:")):
        return None
    if _INERT.match(address):
        return b""
    text = _unescaped(address)
    found = _DATA.match(address)
    if found is None or not _IN_BASE64.search(found[1]):
        return text
    body = re.sub(rb"[^A-Za-z0-9+/]", b"", _unescaped(address[found.end() :]))
    # What is too much at the end is nothing that a browser would read either.
    body = body[: len(body) - (len(body) % 4 == 1)]
    return base64.b64decode(body + b"=" * (-len(body) % 4))


def _unescaped(text: str) -> bytes:
    return unquote_to_bytes(text.encode("utf-8", "replace"))
