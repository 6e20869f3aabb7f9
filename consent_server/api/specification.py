"""Specification: the OpenAPI 3.1 document, made from the routes and true to them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, json
from flask_smorest import Api, Blueprint

from consent_server import __version__
from consent_server.api.problems import MEDIA_TYPE
from consent_server.api.schemas import ProblemSchema

_DESCRIPTION = (
    "Visitors' decisions, published versions, sites and exports. Every error is "
    "application/problem+json (RFC 9457) and says what to do."
)
#: Which errors an operation can answer with, beyond those of every operation.
_EVERYWHERE = (404, 500, 503)
_WITH_TOKEN = (401,)
_WITH_BODY = (400, 409, 413, 415, 422)
_WITH_QUERY = (422,)
_WITH_ORIGIN = (403,)
_WITH_BUDGET = (429,)
#: Said of an operation whose body is signed; not part of the document.
SIGNED = "x-signed"


class _Document(Api):  # type: ignore[misc]
    """flask-smorest where it describes routes; who registered them answers for their errors."""

    DEFAULT_ERROR_RESPONSE_NAME = None
    ERROR_SCHEMA = ProblemSchema

    def _register_error_handlers(self) -> None:
        """The application has its own (consent_server/api/problems.py)."""


def describe_routes(app: Flask, blueprints: Iterable[Blueprint]) -> dict[str, Any]:
    """Return the document of the routes of `blueprints`, which the application has registered."""
    api = _Document(
        app,
        spec_kwargs={
            "title": "Consent server",
            "version": __version__,
            "openapi_version": "3.1.0",
            "info": {
                "description": _DESCRIPTION,
                "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            },
        },
    )
    # Nothing asks for it again, and it holds every form twice.
    app.extensions.pop("flask-smorest")
    api.ma_plugin.converter.add_attribute_function(_describe_names)
    api.spec.components.security_scheme("token", {"type": "http", "scheme": "bearer"})
    api.spec.components.security_scheme(
        "subject",
        {"type": "http", "scheme": "bearer", "description": "The visitor's secret subject id."},
    )
    for one in blueprints:
        one.register_views_in_doc(api, app, api.spec, name=one.name, parameters=None)
        api.spec.tag({"name": one.name, "description": one.description})
    document: dict[str, Any] = api.spec.to_dict()
    return _finish(document)


def _describe_names(_converter: Any, field: Any, **_options: Any) -> dict[str, Any]:
    """Repeat the pattern that the names of a map must match."""
    names = getattr(field, "key_field", None)
    patterns = [rule.regex.pattern for rule in names.validators] if names else []
    return {"propertyNames": {"pattern": patterns[0]}} if patterns else {}


def serve_specification(app: Flask, blueprints: Iterable[Blueprint]) -> None:
    """Serve the document at /openapi.json, made when somebody asks for it first."""
    described = tuple(blueprints)

    @cache
    def spell() -> bytes:
        return json.dumps(describe_routes(app, described), ensure_ascii=False).encode()

    @app.get("/openapi.json")
    def openapi() -> Response:
        response = app.response_class(spell(), mimetype="application/json")
        response.headers["Cache-Control"] = "public, max-age=300"
        response.headers["Access-Control-Allow-Origin"] = "*"
        return response


def _finish(document: dict[str, Any]) -> dict[str, Any]:
    """Give every operation the errors that it can really answer with."""
    document["components"].pop("responses", None)
    for path in document["paths"].values():
        shared = path.get("parameters", [])
        for verb, operation in path.items():
            if verb != "parameters":
                _finish_operation(verb, operation, shared)
    return document


def _finish_operation(verb: str, operation: dict[str, Any], shared: list[Any]) -> None:
    responses = operation["responses"]
    for status in [code for code in responses if not code.startswith(("2", "3"))]:
        del responses[status]
    secured = {name for entry in operation.get("security", []) for name in entry}
    parameters = [*shared, *operation.get("parameters", [])]
    statuses = set(_EVERYWHERE)
    if secured:
        statuses.update(_WITH_TOKEN)
    if "requestBody" in operation:
        statuses.update(_WITH_BODY)
        operation["requestBody"]["required"] = True
    asked = {p["name"] for p in parameters if p.get("in") == "query"}
    if asked:
        statuses.update(_WITH_QUERY)
    if {"from", "to"} <= asked:
        statuses.add(HTTPStatus.CONFLICT)  # each may be right, and no time lie between them
    if operation.pop(SIGNED, False):
        statuses.update(_WITH_TOKEN)
    if "subject" in secured or (verb == "post" and not secured):
        statuses.update(_WITH_ORIGIN)
    if verb == "post" and not secured:
        statuses.update(_WITH_BUDGET)
    responses.update({str(int(status)): _problem(status) for status in sorted(statuses)})


def _problem(status: int) -> dict[str, Any]:
    return {
        "description": _REASONS[status],
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


_REASONS = {
    400: "The body is not readable JSON",
    401: "No token, or not the right one",
    403: "The page's origin is not the site's",
    404: "Unknown site, version or record",
    409: "Well formed, but at odds with itself, or with what is published or recorded",
    413: "The body is too large",
    415: "The body is not JSON by its Content-Type",
    422: "Fields are missing, unknown or wrong",
    429: "Too many requests; see Retry-After",
    500: "A fault of the server; it was logged",
    503: "The database does not answer; see Retry-After",
}


def list_operations(document: dict[str, Any]) -> Iterable[tuple[str, str]]:
    """Return every (method, path) of a document; the docs are held against it."""
    for path, verbs in document["paths"].items():
        for verb in verbs:
            if verb != "parameters":
                yield verb.upper(), path
