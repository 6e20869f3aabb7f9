"""Decisions: recorded once each, and shown to the visitor they belong to."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Response, request
from flask.views import MethodView
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import UnsupportedMediaType
from werkzeug.wrappers import Request

from consent_server.api.admitting import PROOF_PARAMETER, admit
from consent_server.api.bodies import ApiBlueprint
from consent_server.api.context import context, published_sites
from consent_server.api.guard import (
    allow_origin,
    answer_preflight,
    check_origin,
    require_subject,
)
from consent_server.api.recording import (
    raise_met,
    record_decision,
    shares_domain,
    spell_decision_cookie,
)
from consent_server.api.schemas import DecisionSchema, ReceiptListSchema, ReceiptSchema
from consent_server.errors import ConsentError, NotFound
from consent_server.published import PublishedSite
from consent_server.rights import decisions_of
from consent_server.rules.decision import Decision
from consent_server.sites import find_site, find_version, read_config

blueprint = ApiBlueprint("decisions", __name__, description="Visitors' decisions")

_METHODS = "GET, HEAD, OPTIONS, POST"


@blueprint.route("/<site_key>/decisions")
class Decisions(MethodView):
    """All decisions of one visitor on one site."""

    @blueprint.doc(parameters=[PROOF_PARAMETER])
    @blueprint.arguments(DecisionSchema)
    @blueprint.response(201, ReceiptSchema, description="Recorded; this is the receipt")
    @blueprint.alt_response(
        200, schema=ReceiptSchema, description="Recorded before; the same receipt again"
    )
    def post(self, decision: Decision, site_key: str) -> tuple[dict[str, Any], int, dict[str, str]]:
        """Record a decision. Repeating it with the same `decision_id` is safe.

        Answered only after the commit. When the caller is on the same site as this
        server the answer sets the decision cookie again over HTTP, because browsers
        cut the life of cookies that scripts set.
        """
        raise_met(request.environ)
        site = published_sites().find(site_key)
        shown = admit(context(), site, decision, request)
        recorded = record_decision(shown, decision)
        cookie = decision_cookie(site, decision, shown.regime)
        headers = {"Set-Cookie": cookie} if cookie else {}
        return recorded.receipt, 201 if recorded.new else 200, headers

    @blueprint.doc(security=[{"subject": []}])
    @blueprint.response(200, ReceiptListSchema)
    def get(self, site_key: str) -> dict[str, Any]:
        """The visitor's own decisions, newest first, by their secret subject id."""
        return {"decisions": _own_decisions(site_key)}

    @blueprint.doc(responses={"204": {"description": "What the site's pages may send (CORS)"}})
    def options(self, site_key: str) -> Response:
        """CORS preflight."""
        return answer_preflight(published_sites().find(site_key).origins, _METHODS)


@blueprint.route("/<site_key>/decision")
class CurrentDecision(MethodView):
    """The decision in force."""

    @blueprint.doc(security=[{"subject": []}])
    @blueprint.response(200, ReceiptSchema)
    def get(self, site_key: str) -> dict[str, Any]:
        """The visitor's own current decision, by their secret subject id."""
        return _own_decisions(site_key)[0]

    @blueprint.doc(responses={"204": {"description": "What the site's pages may send (CORS)"}})
    def options(self, site_key: str) -> Response:
        """CORS preflight."""
        return answer_preflight(published_sites().find(site_key).origins, "GET, HEAD, OPTIONS")


@blueprint.before_request
def require_json() -> None:
    """Refuse bodies that are not JSON by name: a form post needs no preflight."""
    if request.method == "POST" and not request.is_json:
        raise UnsupportedMediaType("Send JSON with Content-Type: application/json.")


@blueprint.after_request
def share_with_site(response: Response) -> Response:
    """Let the site's pages read answers and errors alike; nobody may keep them."""
    response.headers["Cache-Control"] = "no-store"
    site_key = (request.view_args or {}).get("site_key", "")
    try:
        site = published_sites().find(site_key)
    except (ConsentError, DBAPIError, PoolTimeout):
        return response
    return allow_origin(site.origins, response)


def _own_decisions(site_key: str) -> list[dict[str, Any]]:
    """Return the visitor's records, of a retired site too: the right of access outlives it."""
    subject_id = require_subject()
    with context().read_session() as session:
        site = find_site(session, site_key)
        check_origin(read_config(find_version(session, site, site.current_version))["origins"])
        found = decisions_of(session, site.key, subject_id)
    if not found:
        raise NotFound("There is no record for this subject id on this site.")
    return found


def decision_cookie(
    site: PublishedSite,
    decision: Decision,
    regime: str,
    request: Request = request,
    now: datetime | None = None,
) -> str:
    """Spell the cookie again where the page that sent the decision reads it."""
    if not _shares_host(site, request):
        return ""
    return spell_decision_cookie(site.key, site.config, decision, regime, request, now)


def _shares_host(site: PublishedSite, request: Request) -> bool:
    """Tell whether a cookie set from here is one that the page itself reads."""
    if site.config["cookie_domain"]:
        return shares_domain(site.config, request)
    origin = request.environ.get("HTTP_ORIGIN")
    if origin is None:
        return True
    # Most come from another host: that costs less to tell than what this one is.
    name = request.environ.get("HTTP_HOST", "").partition(":")[0]
    return name in origin and origin == f"{request.scheme}://{request.host}"
