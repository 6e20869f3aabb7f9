"""Requests of every route: read from the application, so that a new route cannot be forgotten."""

from __future__ import annotations

import re
from dataclasses import dataclass

from flask import Flask

#: A value for each place in a path that leads to something real on the Smilee site.
_PLACES = {
    "number": "1",
    "size": "1",
    "page": "privacy",
    "script_hash": "0" * 64,
    "name": "page.css",
    "filename": "demo.css",
}
#: What routes take, where they take another body than a decision or a site.
BODIES = {
    "/api/v1/sites/<site_key>/erase": {"subject_id": "0" * 32, "reason": "asked by letter"},
    "/w/<site_key>/identify": {"ref": "1", "expires": 1, "signature": "0" * 64},
    "/w/<site_key>/hand-over": {"target": "https://a.example"},
    "/w/<site_key>/hand-over/take": {
        "token": "a" * 43,
        "subject_id": "0" * 32,
        "came_from": "http://127.0.0.1:8000",
    },
}
#: What a route asks for in its query, by the end of its path.
_QUERIES = {
    "/ledger/proof": "?event_id=7f3f2d7e-64d6-4d0a-9d0d-54e2b1a7c001",
    "/ledger/consistency": "?old=0",
}
_PLACE = re.compile(r"<(?:[^:<>]+:)?(\w+)>")


@dataclass(frozen=True)
class RouteRequest:
    """One method on one route, with every place filled in."""

    method: str
    rule: str
    path: str
    endpoint: str

    def __str__(self) -> str:
        """Name the request in a failure."""
        return f"{self.method} {self.rule}"


def list_requests(app: Flask, *, site_key: str = "smilee") -> list[RouteRequest]:
    """Return every method of every route; HEAD follows GET and is left out."""
    values = {**_PLACES, "site_key": site_key, "key": site_key}

    def fill(rule: str) -> str:
        query = next((text for end, text in _QUERIES.items() if rule.endswith(end)), "")
        return _PLACE.sub(lambda m: values[m[1]], rule) + query

    return [
        RouteRequest(method, rule.rule, fill(rule.rule), rule.endpoint)
        for rule in app.url_map.iter_rules()
        for method in sorted((rule.methods or set()) - {"HEAD"})
    ]


def is_management(request: RouteRequest) -> bool:
    """Tell whether the route is behind the management token."""
    return request.endpoint.startswith("management.")
