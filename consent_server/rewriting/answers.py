"""Answers: which responses are rewritten, and what then becomes of their headers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from http.cookies import CookieError, SimpleCookie
from typing import Final

from consent_server.rewriting.cleaning import removals
from consent_server.rewriting.codings import Decoded, Wide, open_decoders
from consent_server.rewriting.kinds import Body, Kind, Unsaid, read_kind
from consent_server.rewriting.links import without_held
from consent_server.rewriting.modules import ModuleRewriter
from consent_server.rewriting.plan import RewritePlan
from consent_server.rewriting.policies import find_nonce, first_policy, policy_of_unread
from consent_server.rewriting.rewriter import Rewriter
from consent_server.rewriting.validators import MODULE, PAGE, POLICED, Headers, Validators
from consent_server.rules.cookie import parse_cookie

__all__ = ["Body", "Exchange", "Headers", "Options", "Request", "read_cookies"]

#: Encodings in which "<" does not stand for itself everywhere, and the XML of pages.
_UNREADABLE: Final = frozenset({"iso-2022-jp", "csiso2022jp"})
_XHTML: Final = "application/xhtml+xml"
#: No content, a piece of it, or the browser's own copy. Pages that tell an error are pages.
_WITHOUT_A_PAGE: Final = frozenset({204, 205, 206, 304})
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
_VALIDATORS: Final = frozenset({"etag", "last-modified"})


@dataclass(frozen=True)
class Request:
    """What of a request decides on its answer."""

    method: str
    host: str
    path: str
    #: Names in lower case; of several of one name the last.
    headers: Mapping[str, str]
    cookies: Mapping[str, str]

    @property
    def destination(self) -> str:
        """Return `Sec-Fetch-Dest`, "" where the browser does not send it."""
        return self.headers.get("sec-fetch-dest", "")

    @property
    def wants_page(self) -> bool:
        """Whether it is likely a page or a script that is asked for, and no picture or data."""
        asked = self.destination
        if asked in _PAGES or asked == "script":
            return True
        is_unsaid = asked in {"", "empty"}
        return is_unsaid and (
            "text/html" in self.headers.get("accept", "") or self.path.endswith((".js", ".mjs"))
        )


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


class Exchange:
    """One request and its answer, as either kind of server passes them through us."""

    def __init__(self, plan: RewritePlan, request: Request, options: Options) -> None:
        self._plan = plan
        self._request = request
        self._options = options
        self._decision = parse_cookie(request.cookies.get(plan.cookie_name, ""))
        self._is_policed = options.policy and self._decision is None
        self._sort = POLICED if self._is_policed else PAGE
        is_read = request.method in {"GET", "HEAD"}
        self._validators = Validators(
            plan.mark, self._sort, request.headers, is_wanted=is_read and request.wants_page
        )

    def asked(self) -> dict[str, str]:
        """Return what the application is asked with instead of `REPLACED`."""
        # What is compressed is read with more work: the server in front compresses what we send.
        return {**self._validators.asked(), "accept-encoding": "identity"}

    def open(self, status: int, headers: Iterable[tuple[str, str]]) -> tuple[Body | None, Headers]:
        """Return what rewrites the body, None where it passes as it is, and the headers."""
        given = list(headers)
        kind = read_kind(_all(given, "content-type"))
        sent: Headers = [
            (name, self.without_held(value) if name.lower() == "link" else value)
            for name, value in given
        ]
        sent = [(name, value) for name, value in sent if name.lower() != "link" or value]
        body = None
        if status >= 200 and status not in _WITHOUT_A_PAGE:
            body, sent = self._open_body(kind, given, sent)
        elif status == 304:
            sent = self._validators.of_unchanged(sent)
        return body, self._cleaned(sent)

    def without_held(self, links: str) -> str:
        """Return a `Link` header without what a browser would ask held services for by it."""
        return without_held(links, self._plan.matcher)

    def _open_body(self, kind: Kind, given: Headers, sent: Headers) -> tuple[Body | None, Headers]:
        is_unsaid = (
            not kind.essence
            and "nosniff" not in "".join(_all(given, "x-content-type-options")).lower()
        )
        is_script = kind.essence in _SCRIPTS
        is_page = kind.essence in {"text/html", _XHTML} or is_unsaid
        decoders = open_decoders(_all(given, "content-encoding"))
        if not (is_script or is_page):
            return None, sent
        if is_script and self._request.destination not in {"", "empty", "script"}:
            # A worker has nobody to ask. Its copy is not the one for a page.
            return None, [*sent, ("Vary", "Sec-Fetch-Dest")]
        if decoders is None or kind.essence == _XHTML or kind.charset in _UNREADABLE:
            return None, self._unread(sent) if is_page else sent
        body: Body = ModuleRewriter(self._plan) if is_script else self._open_page(kind, given)
        if is_unsaid:
            body = Unsaid(partial(self._open_page, kind, given))
        passed = [(name, value) for name, value in sent if name.lower() not in _NOT_PASSED_ON]
        if decoders:
            body = Decoded(decoders, body)
            passed = [pair for pair in passed if pair[0].lower() != "content-encoding"]
        passed = self._validators.of_rewritten(passed, MODULE if is_script else self._sort)
        if self._is_policed and is_page:
            passed += [("Content-Security-Policy", first_policy(self._plan)), ("Vary", "Cookie")]
        return body, passed

    def _open_page(self, kind: Kind, given: Headers) -> Body:
        destination = self._request.destination
        by_script = destination == "empty"
        whole = None if by_script or not destination else destination in _PAGES
        nonce = find_nonce(_all(given, "content-security-policy"))
        page = Rewriter(self._plan, whole=whole, by_script=by_script, nonce=nonce)
        return Wide(kind.charset, page)

    def _unread(self, sent: Headers) -> Headers:
        """Return the headers of a page that cannot be read: a policy holds what we cannot.

        Nothing can be asked whether it has changed, since the policy would not be told of again.
        """
        sent = [(name, value) for name, value in sent if name.lower() not in _VALIDATORS]
        policy = policy_of_unread(self._plan, self._decision)
        if policy is None:
            return [*sent, ("Vary", "Cookie")]
        return [*sent, ("Content-Security-Policy", policy), ("Vary", "Cookie")]

    def _cleaned(self, sent: Headers) -> Headers:
        request = self._request
        if not self._options.clean or self._decision is None:
            return sent
        found = removals(self._plan, self._decision, request.cookies, request.host, request.path)
        if not found:
            return sent
        # An answer that removes one visitor's cookies must not be kept for another.
        told = " ".join(_all(sent, "cache-control"))
        kept = "no-store" if "no-store" in told.lower() else "private, no-cache"
        sent = [(name, value) for name, value in sent if name.lower() != "cache-control"]
        sent += [("Cache-Control", kept), ("Vary", "Cookie")]
        return sent + [("Set-Cookie", one) for one in found]


#: Headers of a request that the application gets as `Exchange.asked` says, or not at all.
REPLACED: Final = frozenset(
    {"accept-encoding", "if-none-match", "if-modified-since", "range", "if-range"}
)


def _all(headers: Headers, wanted: str) -> list[str]:
    return [value for name, value in headers if name.lower() == wanted]
