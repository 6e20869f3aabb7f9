"""Addresses: from an attribute as written to the host that a browser would ask."""

from __future__ import annotations

import contextlib
import html
import re
from urllib.parse import unquote

_ABSOLUTE = re.compile(r"(?:(?:https?|wss?|ftp):)?[/\\]{2,}([^/\\?#]*)([^?#]*)", re.IGNORECASE)
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


def is_inline(address: str) -> bool:
    """Tell whether the address holds the content itself."""
    return address.strip(_BLANK)[:11].lower().startswith(("data:", "javascript:", "blob:"))
