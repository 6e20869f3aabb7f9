"""Addresses: from an attribute as written to the host that a browser would ask."""

from __future__ import annotations

import html
import re

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
        host = host.partition(":")[0]
    return host.rstrip("."), (found[2] or "/").replace("\\", "/")


def is_inline(address: str) -> bool:
    """Tell whether the address holds the content itself."""
    return address.strip(_BLANK)[:11].lower().startswith(("data:", "javascript:", "blob:"))
