"""Identifying: a decision that follows a visitor who signs in."""

from __future__ import annotations

from typing import Any

from flask import Response, request
from flask.views import MethodView

from consent_server.api.bodies import ApiBlueprint
from consent_server.api.context import context, published_sites
from consent_server.api.copy_schemas import IdentifiedSchema, IdentifySchema
from consent_server.api.decisions import decision_cookie, require_json, share_with_site
from consent_server.api.guard import answer_preflight, check_origin
from consent_server.api.specification import SIGNED
from consent_server.config import key_folder
from consent_server.identifying import Claim, check_claim, identify
from consent_server.site_secrets import open_site_secrets
from consent_server.sites import find_site

blueprint = ApiBlueprint("identifying", __name__, description="Visitors who sign in")
blueprint.before_request(require_json)
blueprint.after_request(share_with_site)


@blueprint.route("/<site_key>/identify")
class Identifying(MethodView):
    """Who is signed in, as the site's server says."""

    @blueprint.doc(**{SIGNED: True})
    @blueprint.arguments(IdentifySchema)
    @blueprint.response(200, IdentifiedSchema)
    def post(
        self, body: dict[str, Any], site_key: str
    ) -> tuple[dict[str, Any], int, dict[str, str]]:
        """Link this browser's decision to who signed in, and answer the newest of theirs.

        The reference is hashed with a key and forgotten. Only the site's own server can sign
        it, so no visitor can ask for somebody else's decision.
        """
        site = published_sites().find(site_key)
        check_origin(site.origins)
        parts = context()
        parts.budgets.spend(site_key, request.remote_addr or "")
        now = parts.now()
        secrets = open_site_secrets(key_folder(parts.settings), now=now)
        claim = Claim(body["ref"], body["expires"], body["signature"])
        check_claim(claim, site_key, secrets, now=now)
        with parts.database.write() as session:
            found = identify(
                session,
                find_site(session, site_key),
                claim.ref,
                body.get("subject_id"),
                secrets,
                known_at=body.get("known_at"),
                now=now,
            )
        answer: dict[str, Any] = {
            "subject_id": found.subject_id,
            "ask_again": found.is_somebody_elses and found.wanted is None,
            "receipt": None,
        }
        if found.wanted is None:
            return answer, 200, {}
        recorded = parts.writer.write(found.wanted)
        cookie = decision_cookie(site, found.wanted.decision, found.wanted.shown.regime)
        return (
            {**answer, "receipt": recorded.receipt},
            200,
            {"Set-Cookie": cookie} if cookie else {},
        )

    @blueprint.doc(responses={"204": {"description": "What the site's pages may send (CORS)"}})
    def options(self, site_key: str) -> Response:
        """CORS preflight."""
        return answer_preflight(published_sites().find(site_key).origins, "OPTIONS, POST")
