"""The OpenAPI document: valid, complete, and true to the routes."""

from __future__ import annotations

import json
import re
from typing import Any
from unittest.mock import Mock

import pytest
from flask import Flask
from flask.testing import FlaskClient
from openapi_spec_validator import OpenAPIV31SpecValidator

from consent_server.api import specification
from consent_server.api.specification import list_operations
from consent_server.app import create_app
from consent_server.config import Settings

#: Pages and files for people, and the document itself.
NOT_IN_THE_DOCUMENT = {"page_files", "openapi"}
ERRORS = range(400, 600)


@pytest.fixture
def document(client: FlaskClient) -> dict[str, Any]:
    answer = client.get("/openapi.json")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    found: dict[str, Any] = json.loads(answer.text)
    return found


def test_the_document_is_valid_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator(document).validate()


def test_the_document_is_made_once_when_it_is_asked_for(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Mock(wraps=specification.describe_routes)
    monkeypatch.setattr(specification, "describe_routes", made)
    client = create_app(settings).test_client()
    made.assert_not_called()
    assert client.get("/openapi.json").data == client.get("/openapi.json").data
    made.assert_called_once()


def test_every_route_is_in_the_document_and_nothing_else(
    app: Flask, document: dict[str, Any]
) -> None:
    routes = {
        (method, re.sub(r"<(?:[^:<>]+:)?(\w+)>", r"{\1}", rule.rule))
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.endpoint not in NOT_IN_THE_DOCUMENT and not rule.endpoint.startswith("demo.")
    }
    documented = {entry for entry in list_operations(document) if entry[0] != "OPTIONS"}
    assert documented == routes


def test_every_error_of_every_operation_has_the_one_shape(document: dict[str, Any]) -> None:
    for method, path in list_operations(document):
        responses = document["paths"][path][method.lower()]["responses"]
        errors = {status: found for status, found in responses.items() if int(status) in ERRORS}
        assert {"404", "500", "503"} <= set(errors), (method, path)
        for found in errors.values():
            assert found["description"]
            assert list(found["content"]) == ["application/problem+json"]


def test_every_operation_behind_a_token_says_so(document: dict[str, Any]) -> None:
    for method, path in list_operations(document):
        operation = document["paths"][path][method.lower()]
        if path.startswith("/api/"):
            assert operation["security"] == [{"token": []}], (method, path)
        elif path.endswith("/identify"):  # the body itself is signed
            assert "401" in operation["responses"] or method == "OPTIONS"
        elif "401" in operation["responses"]:
            assert operation["security"] == [{"subject": []}], (method, path)


def test_every_operation_tells_people_what_it_does(document: dict[str, Any]) -> None:
    for method, path in list_operations(document):
        operation = document["paths"][path][method.lower()]
        assert operation.get("summary") or operation.get("description"), (method, path)


def test_maps_say_what_their_names_may_be(document: dict[str, Any]) -> None:
    decision = document["components"]["schemas"]["Decision"]["properties"]["grants"]
    assert decision["propertyNames"]["pattern"].startswith("^[a-z0-9]")
    assert (decision["minProperties"], decision["maxProperties"]) == (1, 400)
