"""Answers: the one shape of every error."""

from __future__ import annotations

from typing import Any

from werkzeug.test import TestResponse

MEMBERS = {"type", "title", "status", "detail", "errors", "proof"}


def read_problem(answer: TestResponse, status: int, code: str | None = None) -> dict[str, Any]:
    """Return the problem of an answer that must be one, checked from end to end."""
    assert answer.status_code == status, answer.text
    assert answer.content_type == "application/problem+json"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    found = answer.json
    assert isinstance(found, dict)
    assert {"type", "title", "status", "detail"} <= set(found) <= MEMBERS
    assert found["status"] == status
    assert found["type"].startswith("urn:consent-server:problem:")
    if code is not None:
        assert found["type"].rpartition(":")[2] == code
    # A sentence, and nothing of our inside.
    assert found["detail"].endswith((".", "?")) or "`" in found["detail"] or ":" in found["detail"]
    assert "Traceback" not in answer.text
    assert "site-packages" not in answer.text
    assert "sqlalche" not in answer.text
    return found


def field_errors(problem: dict[str, Any]) -> dict[str, Any]:
    """Return what is wrong by field path."""
    found = problem["errors"]
    assert isinstance(found, dict)
    return found
