"""Handing over: tokens that take a decision to another address of the site."""

from __future__ import annotations

from typing import Any

from flask import Response, request
from flask.views import MethodView

from consent_server.api.bodies import ApiBlueprint
from consent_server.api.context import context, published_sites
from consent_server.api.copy_schemas import HandOverSchema, TakeSchema, TokenSchema
from consent_server.api.decisions import decision_cookie, require_json, share_with_site
from consent_server.api.guard import answer_preflight, check_origin, require_subject
from consent_server.api.schemas import ReceiptSchema
from consent_server.errors import WrongOrigin
from consent_server.handing_over import issue_token, take_token
from consent_server.rules.times import spell_time
from consent_server.sites import find_site

blueprint = ApiBlueprint(
    "handing_over", __name__, description="Decisions that follow a visitor on a site"
)
blueprint.before_request(require_json)
blueprint.after_request(share_with_site)

_METHODS = "OPTIONS, POST"
_CORS = {"204": {"description": "What the site's pages may send (CORS)"}}


@blueprint.route("/<site_key>/hand-over")
class HandingOver(MethodView):
    """The way out."""

    @blueprint.doc(security=[{"subject": []}])
    @blueprint.arguments(HandOverSchema)
    @blueprint.response(201, TokenSchema)
    def post(self, body: dict[str, Any], site_key: str) -> dict[str, Any]:
        """Make a token for the visitor's current decision, good once, for a minute, at `target`.

        It goes behind the `#` of a link, as `#consent=<token>`, which no server is sent.
        """
        site = published_sites().find(site_key)
        check_origin(site.origins)
        subject_id, now = require_subject(), context().now()
        context().budgets.spend(site_key, request.remote_addr or "")
        with context().database.write() as session:
            row = find_site(session, site_key)
            token = issue_token(session, row, subject_id, body["target"], now=now)
        return {"token": token.token, "expires_at": spell_time(token.expires_at)}

    @blueprint.doc(responses=_CORS)
    def options(self, site_key: str) -> Response:
        """CORS preflight."""
        return answer_preflight(published_sites().find(site_key).origins, _METHODS)


@blueprint.route("/<site_key>/hand-over/take")
class TakingOver(MethodView):
    """The way in."""

    @blueprint.arguments(TakeSchema)
    @blueprint.response(201, ReceiptSchema, description="Recorded here; this is the receipt")
    def post(self, body: dict[str, Any], site_key: str) -> tuple[dict[str, Any], int, Any]:
        """Use a token up: record its decision for this browser, with the method `handover`.

        Only a page at the token's target may, and only one that was reached from a page of
        the site: otherwise anybody could send a visitor there with somebody else's consent.
        """
        site = published_sites().find(site_key)
        check_origin(site.origins)
        target = request.headers.get("Origin")
        if target is None or body["came_from"] not in site.origins:
            raise WrongOrigin("Only a page of the site that a link of the site led to may take it.")
        context().budgets.spend(site_key, request.remote_addr or "")
        with context().database.write() as session:
            wanted = take_token(
                session,
                find_site(session, site_key),
                body["token"],
                target=target,
                subject_id=body["subject_id"],
                known_at=body.get("known_at"),
                now=context().now(),
            )
        recorded = context().writer.write(wanted)
        cookie = decision_cookie(site, wanted.decision, wanted.shown.regime)
        return recorded.receipt, 201, {"Set-Cookie": cookie} if cookie else {}

    @blueprint.doc(responses=_CORS)
    def options(self, site_key: str) -> Response:
        """CORS preflight."""
        return answer_preflight(published_sites().find(site_key).origins, _METHODS)
