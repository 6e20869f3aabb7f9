"""Answers: which responses are rewritten, and what then becomes of their headers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from email.message import Message
from http.cookies import CookieError, SimpleCookie
from typing import Final

from consent_server.rewriting.cleaning import removals
from consent_server.rewriting.modules import ModuleRewriter
from consent_server.rewriting.plan import RewritePlan
from consent_server.rewriting.rewriter import Rewriter
from consent_server.rules.cookie import StoredDecision, parse_cookie

Headers = list[tuple[str, str]]

#: Encodings in which ASCII does not stand for itself: such pages pass as they are.
_UNREADABLE: Final = ("utf-16", "utf-32", "utf-7", "iso-2022", "hz-", "ucs-", "unicode")
#: No content, a piece of it, or the browser's own copy. Pages that tell an error are pages.
_WITHOUT_A_PAGE: Final = frozenset({204, 205, 206, 304})
_NONCE: Final = re.compile(r"'nonce-([A-Za-z0-9+/_=-]+)'")
_SCRIPTS: Final = frozenset(
    {"text/javascript", "application/javascript", "application/x-javascript"}
)
#: What a page is asked for as, by browsers that say so. "empty" is a script's own request, but
#: also all that a service worker passes on, pages and modules among it.
_PAGES: Final = frozenset({"document", "iframe", "frame", "embed", "object", "fencedframe"})
#: True of the bytes before, not of those that go out.
_NOT_PASSED_ON: Final = frozenset(
    {"content-length", "content-md5", "digest", "repr-digest", "content-digest", "accept-ranges"}
)


@dataclass(frozen=True)
class Request:
    """What of a request decides on its answer."""

    method: str
    host: str
    path: str
    cookies: Mapping[str, str]
    #: `Sec-Fetch-Dest`, "" where the browser does not send it.
    destination: str

    def decision(self, plan: RewritePlan) -> StoredDecision | None:
        """Return the decision that the visitor's browser keeps for the site."""
        return parse_cookie(self.cookies.get(plan.cookie_name, ""))


@dataclass(frozen=True)
class Options:
    """What an owner may switch on besides rewriting."""

    #: Send a content security policy while there is no decision.
    policy: bool = False
    #: Remove cookies of refused services, also those that script cannot reach.
    clean: bool = True


def read_cookies(header: str) -> dict[str, str]:
    """Return the cookies of a request; broken ones are left out."""
    found: dict[str, str] = {}
    for pair in header.split(";"):
        try:
            found |= {name: one.value for name, one in SimpleCookie(pair.strip()).items()}
        except CookieError:
            continue
    return found


def open_rewriter(
    plan: RewritePlan, request: Request, status: int, headers: Iterable[tuple[str, str]]
) -> Rewriter | ModuleRewriter | None:
    """Return what rewrites the body; None where it passes as it is."""
    pairs = [(name.lower(), value) for name, value in headers]
    values = dict(pairs)
    if status < 200 or status in _WITHOUT_A_PAGE:
        return None
    if values.get("content-encoding", "identity").lower() not in {"", "identity"}:
        return None
    kind = Message()
    # Without one a message would be text.
    kind["content-type"] = values.get("content-type") or "application/octet-stream"
    charset = str(kind.get_param("charset", "")).lower()
    if charset.startswith(_UNREADABLE):
        return None
    if kind.get_content_type() in _SCRIPTS and request.destination in {"", "empty", "script"}:
        return ModuleRewriter(plan)
    if kind.get_content_type() != "text/html":
        return None
    by_script = request.destination == "empty"
    whole = None if by_script or not request.destination else request.destination in _PAGES
    # A page may have several policies (CSP3, 4.2.1); one may say only who frames it.
    policies = " ".join(value for name, value in pairs if name == "content-security-policy")
    nonce = _NONCE.search(policies)
    return Rewriter(plan, whole=whole, by_script=by_script, nonce=nonce[1] if nonce else "")


def outgoing_headers(
    plan: RewritePlan,
    request: Request,
    options: Options,
    headers: Iterable[tuple[str, str]],
    rewriter: Rewriter | ModuleRewriter | None,
) -> Headers:
    """Return an answer's headers; what is rewritten has another length and other bytes."""
    sent = list(headers) if rewriter is None else _rewritten_headers(headers)
    decision = request.decision(plan)
    if options.policy and isinstance(rewriter, Rewriter) and decision is None:
        sent += [("Content-Security-Policy", first_policy(plan)), ("Vary", "Cookie")]
    if options.clean and decision is not None:
        found = removals(plan, decision, request.cookies, request.host, request.path)
        if found:
            # An answer that removes one visitor's cookies must not be kept for another.
            told = " ".join(value for name, value in sent if name.lower() == "cache-control")
            kept = "no-store" if "no-store" in told.lower() else "private, no-cache"
            sent = [(name, value) for name, value in sent if name.lower() != "cache-control"]
            sent += [("Cache-Control", kept), ("Vary", "Cookie")]
            sent += [("Set-Cookie", one) for one in found]
    return sent


def _rewritten_headers(headers: Iterable[tuple[str, str]]) -> Headers:
    return [
        (name, f"W/{value}" if name.lower() == "etag" and value[:2] != "W/" else value)
        for name, value in headers
        if name.lower() not in _NOT_PASSED_ON
    ]


def first_policy(plan: RewritePlan) -> str:
    """Return the policy of a page without a decision: the site's own hosts and the allowed.

    A policy holds as long as its page: what is granted there runs on the next page only.
    """
    hosts = " ".join(dict.fromkeys(plan.own_hosts))
    sources = f"'self' 'unsafe-inline' 'unsafe-eval' data: blob: {hosts}".strip()
    return f"default-src {sources}"
