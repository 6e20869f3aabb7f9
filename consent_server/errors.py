"""Problems: one error family, told to callers as RFC 9457 problem+json."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class ConsentError(Exception):
    """Base of every error that this package raises on purpose."""

    #: HTTP status that the API answers with.
    status = 500
    #: Stable word for machines; becomes the last part of the problem's `type`.
    code = "internal"
    title = "Internal error"

    def __init__(
        self,
        detail: str,
        *,
        errors: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = dict(errors) if errors else None
        self.headers = dict(headers) if headers else {}

    def members(self) -> dict[str, Any]:
        """Return what the problem details hold, in their order (RFC 9457, 3)."""
        found: dict[str, Any] = {
            "type": f"urn:consent-server:problem:{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
        }
        return {**found, "errors": self.errors} if self.errors else found


class ConfigError(ConsentError):
    """A setting is missing or wrong; the message names the variable."""

    code, title = "setting", "Wrong setting"


class CatalogueError(ConsentError):
    """A catalogue file is wrong; the message names file and field."""

    code, title = "catalogue", "Wrong catalogue file"


class UnknownService(ConsentError):
    """A site names a service that the catalogue does not hold."""

    status, code, title = 409, "unknown_service", "Unknown service"


class InvalidSite(ConsentError):
    """A site description is well formed but means something impossible."""

    status, code, title = 409, "invalid_site", "The site description cannot be published"


class InvalidForm(ConsentError):
    """A body or file does not have the documented form."""

    status, code, title = 422, "invalid_form", "The request does not have the documented form"


class NotFound(ConsentError):
    """What was asked for does not exist (or is not yours)."""

    status, code, title = 404, "not_found", "Not found"


class Conflict(ConsentError):
    """Well formed, but at odds with what is published or already recorded."""

    status, code, title = 409, "conflict", "Conflict"


class NotAuthorised(ConsentError):
    """No token, or not the right one."""

    status, code, title = 401, "not_authorised", "A valid token is needed"

    def __init__(self, detail: str) -> None:
        super().__init__(detail, headers={"WWW-Authenticate": "Bearer"})


class WrongOrigin(ConsentError):
    """A browser page outside the site's own origins."""

    status, code, title = 403, "wrong_origin", "This page may not record decisions for the site"


class ProofNeeded(ConsentError):
    """A decision without a proof that its question was rendered; the answer brings a new one."""

    status, code, title = 403, "proof_needed", "A proof that the question was rendered is needed"

    def __init__(self, detail: str, proof: str) -> None:
        super().__init__(detail)
        self.proof = proof

    def members(self) -> dict[str, Any]:
        """Return what the problem details hold, with the proof for the next attempt."""
        return {**super().members(), "proof": self.proof}


class BodyTooLarge(ConsentError):
    """More bytes than any decision needs."""

    status, code, title = 413, "body_too_large", "The body is too large"


class TooManyRequests(ConsentError):
    """A budget is used up; `Retry-After` says when to come back."""

    status, code, title = 429, "too_many_requests", "Too many requests"


class Unavailable(ConsentError):
    """The database cannot take a write now; nothing was recorded."""

    status, code, title = 503, "unavailable", "The record cannot be written now"


class NotReady(ConsentError):
    """Decisions cannot be recorded or sealed now; `errors` names what is wrong and what to do."""

    status, code, title = 503, "not_ready", "The server cannot do its work now"


class StorageFull(ConsentError):
    """The database's disk is full; nothing was recorded."""

    status, code, title = 507, "storage_full", "There is no room to write the record"
