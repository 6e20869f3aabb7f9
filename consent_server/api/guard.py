"""Guards at the door: origins, tokens, budgets."""

from __future__ import annotations

import hmac
import threading
import time
from collections.abc import Collection
from ipaddress import IPv6Address

from flask import Response, current_app, request
from werkzeug.wrappers import Request

from consent_server.config import Settings
from consent_server.errors import NotAuthorised, TooManyRequests, WrongOrigin
from consent_server.rules.decision import SUBJECT_ID

#: In seconds.
_MINUTE = 60
#: A visitor decides, and perhaps changes it at once.
_FEW = 3
#: Without proofs come old scripts, which get fewer by the day, and what was made up.
_UNPROVEN_PART = 10
#: What a network leaves to its hosts.
_HOST_BITS = 64
#: About 20 MB.
_MAX_NAMES = 100_000
#: Browsers may ask again after a day; the answer depends on nothing else.
_PREFLIGHT_SECONDS = "86400"


class Budgets:
    """How often one address, and one site, may write. Addresses live in memory only.

    Half of a site's budget is kept for addresses that have written little in this minute:
    a flood of many from each of its addresses leaves room for visitors.
    """

    def __init__(self, settings: Settings) -> None:
        self._address_limit = settings.decisions_per_minute
        self._site_limit = settings.site_decisions_per_minute
        self._addresses, self._sites, self._unproven = _Window(), _Window(), _Window()

    def spend(self, site_key: str, address: str) -> None:
        """Take one write from both budgets; raises TooManyRequests."""
        written = self._addresses.take(_one_place(address), self._address_limit)
        if written:
            limit = self._site_limit
            if written > _FEW:
                limit -= limit // 2
            if self._sites.take(site_key, limit):
                return
        raise TooManyRequests(
            "Too many decisions in the last minute. Keep the decision and send it again later.",
            headers={"Retry-After": str(_MINUTE)},
        )

    def spend_unproven(self, site_key: str, address: str) -> None:
        """Take one write that no render proof speaks for: of a part of the site's budget only."""
        if not self._unproven.take(site_key, -(-self._site_limit // _UNPROVEN_PART)):
            raise TooManyRequests(
                "Too many decisions without a proof in the last minute. Keep the decision and "
                "send it again later.",
                headers={"Retry-After": str(_MINUTE)},
            )
        self.spend(site_key, address)


def _one_place(address: str) -> str:
    """Return the name under which an address is counted.

    Whoever has one IPv6 address has 2^64 of them (RFC 4291, 2.5.4): a network is one place.
    """
    if ":" not in address:
        return address
    try:
        found = IPv6Address(address)
    except ValueError:
        return address
    return str(found.ipv4_mapped or int(found) >> _HOST_BITS)


class _Window:
    """Counts by name; a minute after its first a name begins anew."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        #: When the minute of a name began (monotonic seconds), and its count.
        self._counts: dict[str, tuple[float, int]] = {}
        self._swept = 0.0

    def take(self, name: str, limit: int) -> int:
        """Return how many a name has taken with this one; 0, and nothing taken, at its limit."""
        now = time.monotonic()
        with self._lock:
            if now - self._swept >= _MINUTE:
                self._swept = now
                self._counts = {
                    known: found
                    for known, found in self._counts.items()
                    if now - found[0] < _MINUTE
                }
            began, count = self._counts.get(name, (now, 0))
            if now - began >= _MINUTE:
                began, count = now, 0
            if count >= limit:
                return 0
            if len(self._counts) >= _MAX_NAMES and name not in self._counts:
                # Memory is bounded; what the flood may store is, by the budget of its site.
                self._counts.clear()
            self._counts[name] = began, count + 1
        return count + 1


def check_origin(origins: Collection[str], request: Request = request) -> None:
    """Refuse browser pages outside the site; raises WrongOrigin.

    Programs send no Origin, and CORS does not bind them: the origin tells pages
    apart, it does not authenticate anybody.
    """
    origin = request.environ.get("HTTP_ORIGIN")
    if origin is not None and not _is_allowed(origins, origin, request):
        raise WrongOrigin(
            f"The origin {origin[:200]!r} is not among the site's origins. "
            "Add it to `origins` in the site file and apply it."
        )


def allow_origin(origins: Collection[str], response: Response) -> Response:
    """Let the site's own pages read the answer (CORS), and no others."""
    response.vary.add("Origin")
    origin = request.headers.get("Origin")
    if origin is not None and _is_allowed(origins, origin, request):
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Allow-Credentials"] = "true"
        # When to come back, for whoever sends decisions from a page of the site.
        response.headers["Access-Control-Expose-Headers"] = "Retry-After"
    return response


def answer_preflight(origins: Collection[str], methods: str) -> Response:
    """Answer a CORS preflight for the site's own origins."""
    response = allow_origin(origins, Response(status=204))
    if "Access-Control-Allow-Origin" in response.headers:
        response.headers["Access-Control-Allow-Methods"] = methods
        response.headers["Access-Control-Allow-Headers"] = "Content-Type, Authorization"
        response.headers["Access-Control-Max-Age"] = _PREFLIGHT_SECONDS
    response.headers["Allow"] = methods
    return response


def require_token() -> None:
    """Let only the holder of the management token through; raises NotAuthorised."""
    expected = current_app.config["SETTINGS"].api_token
    if not expected:
        raise NotAuthorised(
            "The management API is off: set CONSENT_API_TOKEN and start the server again."
        )
    require_bearer(expected, "Send the management token: Authorization: Bearer <token>.")


def require_bearer(expected: str, told: str) -> None:
    """Let only the holder of `expected` through; raises NotAuthorised with what is told."""
    if not hmac.compare_digest(_bearer().encode(), expected.encode()):
        raise NotAuthorised(told)


def require_subject() -> str:
    """Return the secret subject id from the request; raises NotAuthorised."""
    subject_id = _bearer()
    if not SUBJECT_ID.fullmatch(subject_id):
        raise NotAuthorised(
            "Send the visitor's own subject id: Authorization: Bearer <32 hex digits>."
        )
    return subject_id


def _bearer() -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _is_allowed(origins: Collection[str], origin: str, request: Request) -> bool:
    return origin in origins or origin == f"{request.scheme}://{request.host}"
