"""Guards at the door: origins, tokens, budgets."""

from __future__ import annotations

import hmac
from collections.abc import Collection

from flask import Response, current_app, request
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from consent_server.config import Settings
from consent_server.errors import NotAuthorised, TooManyRequests, WrongOrigin
from consent_server.rules.decision import SUBJECT_ID

_MINUTE = "60"
#: Browsers may ask again after a day; the answer depends on nothing else.
_PREFLIGHT_SECONDS = "86400"


class Budgets:
    """How often one address, and one site, may write. Addresses live in memory only."""

    def __init__(self, settings: Settings) -> None:
        self._limiter = FixedWindowRateLimiter(MemoryStorage())
        self._address = RateLimitItemPerMinute(settings.decisions_per_minute)
        self._site = RateLimitItemPerMinute(settings.site_decisions_per_minute)

    def spend(self, site_key: str, address: str) -> None:
        """Take one write from both budgets; raises TooManyRequests."""
        within = self._limiter.hit(self._address, "address", address) and self._limiter.hit(
            self._site, "site", site_key
        )
        if not within:
            raise TooManyRequests(
                "Too many decisions in the last minute. Keep the decision and send it again later.",
                headers={"Retry-After": _MINUTE},
            )


def check_origin(origins: Collection[str]) -> None:
    """Refuse browser pages outside the site; raises WrongOrigin.

    Programs send no Origin, and CORS does not bind them: the origin tells pages
    apart, it does not authenticate anybody.
    """
    origin = request.headers.get("Origin")
    if origin is not None and not _is_allowed(origins, origin):
        raise WrongOrigin(
            f"The origin {origin[:200]!r} is not among the site's origins. "
            "Add it to `origins` in the site file and apply it."
        )


def allow_origin(origins: Collection[str], response: Response) -> Response:
    """Let the site's own pages read the answer (CORS), and no others."""
    response.vary.add("Origin")
    origin = request.headers.get("Origin")
    if origin is not None and _is_allowed(origins, origin):
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
    if not hmac.compare_digest(_bearer().encode(), expected.encode()):
        raise NotAuthorised("Send the management token: Authorization: Bearer <token>.")


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


def _is_allowed(origins: Collection[str], origin: str) -> bool:
    own = f"{request.scheme}://{request.host}"
    return origin == own or origin in origins
