"""Metrics route: for Prometheus, behind a token of its own."""

from __future__ import annotations

from flask import Blueprint, Response

from consent_server.api.context import context
from consent_server.api.guard import require_bearer
from consent_server.metrics import MEDIA_TYPE, spell_families

#: Registered only where CONSENT_METRICS_TOKEN is set; no part of the OpenAPI document.
blueprint = Blueprint("metrics", __name__)


@blueprint.get("/metrics")
def read_metrics() -> Response:
    """Everything that is counted, as of now."""
    require_bearer(
        context().settings.metrics_token,
        "Send the token of the metrics: Authorization: Bearer <token>.",
    )
    found = Response(spell_families(context().metrics.families()), content_type=MEDIA_TYPE)
    found.headers["Cache-Control"] = "no-store"
    return found
