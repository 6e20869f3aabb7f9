"""Admitting: which decisions may be written, told before anything is looked up for them."""

from __future__ import annotations

from typing import Any, Final

from werkzeug.wrappers import Request

from consent_server.api.context import Context
from consent_server.api.guard import check_origin
from consent_server.errors import ProofNeeded, Unavailable
from consent_server.ledger import ShownVersion
from consent_server.published import PublishedSite
from consent_server.rules.decision import Decision

PROOF_PARAMETER: Final[dict[str, Any]] = {
    "in": "query",
    "name": "proof",
    "schema": {"type": "string"},
    "description": "The render proof that came with the script, or with `proof_needed`.",
}


def admit(
    parts: Context,
    site: PublishedSite,
    decision: Decision,
    request: Request,
    proof: str | None = None,
) -> ShownVersion:
    """Return what the decision was made on, once it may be written and its budget is spent.

    `proof` is the one in the query, where that was read already.
    Raises WrongOrigin, ProofNeeded, TooManyRequests, NotFound and Conflict; Unavailable for
    scripts from before there were proofs, where they are not taken any more: browsers then
    keep the decision until they have another script.
    """
    check_origin(site.origins, request)
    address = request.remote_addr or ""
    named = site, decision.version, decision.script
    if proof is None:
        proof = request.args.get("proof", "")
    if parts.render_proofs.holds(site.key, decision.version, proof):
        # Before anything is looked up: what names no version costs its sender, too.
        parts.budgets.spend(site.key, address)
        return parts.published.shown(*named)
    shown = parts.published.known(*named)
    if shown is None or not shown.proves:
        parts.budgets.spend_unproven(site.key, address)
        shown = parts.published.shown(*named)
    if shown.proves:
        raise ProofNeeded(
            "Send the same decision again, with the `proof` of this answer in the query: "
            "/decisions?proof=... . It is good for a day.",
            parts.render_proofs.make(site.key, decision.version),
        )
    if not parts.settings.scripts_without_proof:
        raise Unavailable(
            "The page's script is from before decisions brought a proof, and such decisions are "
            "not recorded here any more. Keep it: the next script of the page sends it.",
            headers={"Retry-After": "60"},
        )
    return shown
