"""Guards at the door: origins and tokens."""

from __future__ import annotations

import hmac
from collections.abc import Collection

from flask import Response, current_app, request
from werkzeug.wrappers import Request

from consent_server.errors import NotAuthorised, WrongOrigin
from consent_server.rules.decision import SUBJECT_ID

#: Browsers may ask again after a day; the answer depends on nothing else.
_PREFLIGHT_SECONDS = "86400"


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
