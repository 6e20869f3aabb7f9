"""Problems on the wire: one shape, RFC 9457, for every error of every route; a page for people."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, current_app, json, request
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from consent_server.api.problem_page import draw_problem, has_page, prefers_page
from consent_server.errors import (
    BodyTooLarge,
    ConsentError,
    InvalidForm,
    NotFound,
    StorageFull,
    Unavailable,
)
from consent_server.forms import flatten_errors
from consent_server.store.database import disk_is_full

MEDIA_TYPE = "application/problem+json"
_RETRY_SECONDS = "5"

log = logging.getLogger(__name__)


def register_problems(app: Flask) -> None:
    """Answer every error of the application in the one shape."""
    app.register_error_handler(ConsentError, answer_error)
    app.register_error_handler(HTTPException, answer_http_error)
    app.register_error_handler(DBAPIError, answer_database_error)
    app.register_error_handler(PoolTimeout, answer_database_error)
    app.register_error_handler(Exception, answer_unexpected)


def problem(status: int, code: str, title: str, detail: str, errors: Any = None) -> Response:
    """Build a problem+json response."""
    body: dict[str, Any] = {
        "type": f"urn:consent-server:problem:{code}",
        "title": title,
        "status": status,
        "detail": detail,
    }
    if errors:
        body["errors"] = errors
    return _send(status, body)


def _send(status: int, body: dict[str, Any], told: str = "") -> Response:
    """Send a problem; `told` is what whoever runs the site may need on the page for people."""
    if not has_page(status):
        return _spell(status, body)
    response = draw_problem(status, told) if prefers_page() else _spell(status, body)
    response.vary.add("Accept")
    return response


def _spell(status: int, body: dict[str, Any]) -> Response:
    return current_app.response_class(json.dumps(body), status=status, mimetype=MEDIA_TYPE)


def answer_error(error: ConsentError) -> Response:
    """Answer one of our own errors."""
    if error.status == HTTPStatus.INTERNAL_SERVER_ERROR:
        log.error("%s: %s", error.code, error.detail)
    response = _send(error.status, error.members(), error.detail)
    response.headers.update(error.headers)
    return response


def answer_http_error(error: HTTPException) -> Response:
    """Answer an error of the framework (wrong method, unknown path, unreadable body)."""
    status = error.code or HTTPStatus.INTERNAL_SERVER_ERROR
    if status < HTTPStatus.BAD_REQUEST:
        return error.get_response()  # type: ignore[return-value]
    response = _tell_http_error(status, error)
    for header, value in error.get_headers():
        if header.lower() not in {"content-type", "content-length"}:
            response.headers[header] = value
    return response


def _tell_http_error(status: int, error: HTTPException) -> Response:
    name = HTTPStatus(status).phrase
    code, title, detail = name.lower().replace(" ", "_"), name, str(error.description or name)
    errors: dict[str, Any] | None = None
    if status == InvalidForm.status:
        code, title = InvalidForm.code, InvalidForm.title
        # By place (body, query), then by field.
        places = (getattr(error, "data", None) or {}).get("messages", {})
        errors = {
            path: said for found in places.values() for path, said in flatten_errors(found).items()
        }
        detail = "Fields are missing, unknown or wrong; `errors` names each."
    elif status == BodyTooLarge.status:
        code, title = BodyTooLarge.code, BodyTooLarge.title
        detail = f"Send at most {request.max_content_length} bytes."
    elif status == NotFound.status:
        title = NotFound.title
        detail = "There is nothing at this address. /openapi.json lists every route."
    elif isinstance(error, MethodNotAllowed):
        allowed = ", ".join(sorted(error.valid_methods or ()))
        detail = f"{request.method} is not possible here. Use one of: {allowed}."
    return problem(status, code, title, detail, errors)


def answer_database_error(error: Exception) -> Response:
    """Say that nothing was recorded; the widget keeps its copy and comes again."""
    log.error("database: %s", type(error).__name__, exc_info=error)
    if isinstance(error, DBAPIError) and disk_is_full(error):
        return answer_error(
            StorageFull(
                "The disk of the database is full. Nothing was recorded; send the same request "
                "again later. The operator must make room.",
                headers={"Retry-After": _RETRY_SECONDS},
            )
        )
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        # It may have broken between a commit and its answer.
        return answer_error(
            Unavailable(
                "The connection to the database broke. It may be recorded; send the same request "
                "again: what was recorded is not recorded twice.",
                headers={"Retry-After": _RETRY_SECONDS},
            )
        )
    return answer_error(
        Unavailable(
            "The database did not answer. Nothing was recorded; send the same request again.",
            headers={"Retry-After": _RETRY_SECONDS},
        )
    )


def answer_unexpected(error: Exception) -> Response:
    """Answer what nobody foresaw, without telling the outside about our inside."""
    # The route, not the address: that may name a record or a visitor.
    route = request.url_rule.rule if request.url_rule else "no route"
    log.exception("unexpected: %s %s", request.method, route, exc_info=error)
    return problem(500, "internal", "Internal error", "Something went wrong here; it was logged.")
