"""Fixtures of the rewriting's tests: a plan of a site with two services."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from consent_server.rewriting import RewritePlan, Rewriter

SCRIPT_URL = "https://www.example.com/w/example.js"
TAG = b'<script async src="https://www.example.com/w/example.js"></script>'
SERVICES: list[dict[str, Any]] = [
    {
        "key": "google-analytics",
        "category": "analytics",
        "hosts": ["*.google-analytics.com", "www.google-analytics.com"],
        "paths": ["www.googletagmanager.com/gtag/js"],
        "items": [{"kind": "cookie", "name": "_ga", "lifetime": "2y"}],
    },
    {
        "key": "meta-pixel",
        "category": "marketing",
        "hosts": ["connect.facebook.net"],
        "paths": ["www.facebook.com/tr"],
        "items": [
            {"kind": "cookie", "name": "_fb*", "lifetime": "90d"},
            {"kind": "local_storage", "name": "fb", "lifetime": "persistent"},
        ],
    },
    {
        "key": "payments",
        "category": "necessary",
        "hosts": ["pay.example.net"],
        "paths": [],
        "items": [{"kind": "cookie", "name": "pay", "lifetime": "session"}],
    },
]
PLAN = RewritePlan("example", SCRIPT_URL, SERVICES, ("www.example.com", "*.cdn.example"))
STRICT = RewritePlan(
    "example", SCRIPT_URL, SERVICES, ("www.example.com", "*.cdn.example"), strict=True, sync=True
)


def rewritten(page: bytes, plan: RewritePlan = PLAN, *, whole: bool | None = False) -> bytes:
    """Return the page as it goes out; by default a piece, without our tag."""
    rewriter = Rewriter(plan, whole=whole)
    return rewriter.feed(page) + rewriter.finish()


@pytest.fixture
def decision_cookie() -> Callable[..., str]:
    """Makes a Cookie header with a decision that grants exactly these keys."""

    def make(*granted: str) -> str:
        keys = "~".join(
            key if key in granted else f"!{key}" for key in ("google-analytics", "meta-pixel")
        )
        return f"consent_example=1.3.tp09c0.{'0' * 32}.{keys}"

    return make
