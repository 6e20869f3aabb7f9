"""Grants: what one visitor allows now, in few bytes, for the site's own server."""

from __future__ import annotations

from typing import Any

from flask import Response, request
from flask.views import MethodView

from consent_server.api.bodies import ApiBlueprint
from consent_server.api.context import context, published_sites
from consent_server.api.decisions import share_with_site
from consent_server.api.guard import answer_preflight, check_origin, require_subject
from consent_server.api.schemas import GrantsSchema
from consent_server.errors import NotFound
from consent_server.own_record import read_own_record
from consent_server.rules.unasked import Unasked

blueprint = ApiBlueprint("grants", __name__, description="What a visitor allows now")
blueprint.after_request(share_with_site)


@blueprint.route("/<site_key>/grants")
class CurrentGrants(MethodView):
    """What holds of the visitor's last decision."""

    @blueprint.doc(security=[{"subject": []}])
    @blueprint.response(200, GrantsSchema)
    def get(self, site_key: str) -> dict[str, Any]:
        """What one visitor allows now, by their secret subject id.

        What is new since their decision, and everything once it has run out, is false. What
        ran unasked where they decided is among it, and `asked` is false then.
        Asking for ids without a record counts as recording does, so nobody can guess
        many of them.
        """
        subject_id, now = require_subject(), context().now()
        with context().read_session() as session:
            own = read_own_record(session, site_key, subject_id)
        check_origin(own.config["origins"])
        if not own.receipts:
            context().budgets.spend(site_key, request.remote_addr or "")
            raise NotFound("There is no record for this subject id on this site.")
        last = own.receipts[0]
        return {
            "site": site_key,
            "grants": own.holding(now, unasked=Unasked.ALL),
            "asked": own.unasked is Unasked.NOTHING,
            "decided": not own.is_asked_again and not own.has_run_out(now),
            **{name: last[name] for name in ("version", "decided_at", "valid_until")},
        }

    @blueprint.doc(responses={"204": {"description": "What the site's pages may send (CORS)"}})
    def options(self, site_key: str) -> Response:
        """CORS preflight."""
        return answer_preflight(published_sites().find(site_key).origins, "GET, HEAD, OPTIONS")
