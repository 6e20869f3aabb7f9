"""Cleaning: Set-Cookie lines that remove what a refused service left, HttpOnly included."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import accumulate
from typing import Any, Final
from urllib.parse import quote

from consent_server.rewriting.plan import RewritePlan
from consent_server.rules.cookie import StoredDecision
from consent_server.rules.decision import NECESSARY

#: nginx takes no answer whose head is larger than a page of memory, usually 4 kB, unless told to.
_MAX_BYTES: Final = 2_000
_NAME: Final = "Set-Cookie: \r\n"
_GONE: Final = "Max-Age=0"
#: What browsers leave as it is in a path, but for the end of an attribute.
_IN_PATHS: Final = "/!$&'()*+,:=@[]|~"


def removals(
    plan: RewritePlan,
    decision: StoredDecision,
    cookies: Mapping[str, str],
    host: str,
    path: str,
) -> list[str]:
    """Return a Set-Cookie value for every place where a refused service's cookie may lie.

    A server is not told where a cookie lies: this host and each domain above it, and
    each folder of the path, are tried, the likely places first, as far as there is room. Items
    that a granted service also names stay. `path` is without escapes, as applications know it.
    """
    kept = [name for name, service in _items(plan) if _is_granted(service, decision)]
    refused = [name for name, service in _items(plan) if not _is_granted(service, decision)]
    names = [
        name
        for name in cookies
        if name != plan.cookie_name
        and any(_matches(pattern, name) for pattern in refused)
        and not any(_matches(pattern, name) for pattern in kept)
    ]
    places = [
        f"Path={folder}{f'; Domain={domain}' if domain else ''}"
        for folder in _folders(path)
        for domain in _domains(host)
    ]
    lines = [f"{name}=; {place}; {_GONE}" for place in places for name in names]
    sizes = accumulate(len(_NAME) + len(line) for line in lines)
    return [line for line, size in zip(lines, sizes, strict=True) if size <= _MAX_BYTES]


def _items(plan: RewritePlan) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for service in plan.services:
        for item in service["items"]:
            if item["kind"] == "cookie":
                yield item["name"], service


def _is_granted(service: Mapping[str, Any], decision: StoredDecision) -> bool:
    return service["category"] == NECESSARY or decision.grants.get(service["key"]) is True


def _matches(pattern: str, name: str) -> bool:
    if pattern.endswith("*"):
        return name.startswith(pattern[:-1])
    return name.endswith(pattern[1:]) if pattern.startswith("*") else name == pattern


def _folders(path: str) -> list[str]:
    """Return "/" and each folder of the path as browsers write it, with and without its slash."""
    found = ["/"]
    written = quote(path, _IN_PATHS, errors="surrogateescape")
    parts = [part for part in written.split("/")[:-1] if part]
    for count in range(1, len(parts) + 1):
        folder = "/" + "/".join(parts[:count])
        found += [folder, f"{folder}/"]
    return found


def _domains(host: str) -> list[str]:
    """Return "" for this host only, and each domain that may hold its cookies."""
    name = host.rpartition(":")[0] or host if not host.startswith("[") else ""
    labels = name.lower().split(".")
    if not name or labels[-1].isdigit():
        return [""]
    return ["", *(".".join(labels[start:]) for start in range(len(labels) - 1))]
