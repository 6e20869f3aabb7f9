"""Well-known addresses: that Global Privacy Control is honoured here."""

from __future__ import annotations

from flask import Response, jsonify
from flask.views import MethodView

from consent_server.api.bodies import ApiBlueprint

blueprint = ApiBlueprint("well_known", __name__, description="Well-known addresses")

#: The day on which what this server does with the signal last changed.
_LAST_UPDATE = "2026-11-28"
_A_DAY = "public, max-age=86400"


@blueprint.route("/.well-known/gpc.json")
class GpcSupport(MethodView):
    """The GPC support resource (Global Privacy Control, section 4)."""

    @blueprint.doc(
        summary="That GPC is honoured",
        responses={
            "200": {
                "description": "GPC support resource",
                "content": {
                    "application/json": {
                        "schema": {
                            "type": "object",
                            "required": ["gpc", "lastUpdate"],
                            "properties": {
                                "gpc": {"type": "boolean"},
                                "lastUpdate": {"type": "string", "format": "date"},
                            },
                        }
                    }
                },
            }
        },
    )
    def get(self) -> Response:
        """Says that the signal is honoured, and since when in this way."""
        response = jsonify({"gpc": True, "lastUpdate": _LAST_UPDATE})
        response.headers["Cache-Control"] = _A_DAY
        response.headers["Access-Control-Allow-Origin"] = "*"
        return response
