"""Ledger: signed checkpoints and proofs, for everybody; no person is in them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from flask.views import MethodView

from consent_server.api.bodies import ApiBlueprint
from consent_server.api.context import context
from consent_server.api.schemas import (
    ConsistencyQuerySchema,
    ConsistencySchema,
    InclusionQuerySchema,
    InclusionSchema,
    LedgerKeysSchema,
)
from consent_server.ledger_keys import keys_of
from consent_server.proofs import (
    find_checkpoint,
    newest_checkpoint,
    note_of,
    prove_consistency,
    prove_inclusion,
    spell_inclusion,
)
from consent_server.sealing import origin_of
from consent_server.sites import find_site

blueprint = ApiBlueprint("ledger", __name__, description="Signed checkpoints and proofs")

_NOTE = "text/plain; charset=utf-8"
_NOTE_ANSWER = {
    "200": {
        "description": "A signed note (C2SP signed-note, tlog-checkpoint)",
        "content": {"text/plain": {"schema": {"type": "string"}}},
    }
}


@blueprint.after_request
def share_with_everybody(response: Response) -> Response:
    """Anyone may check: pages of others, too. A newer checkpoint is there any second."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers.setdefault("Cache-Control", "no-store")
    return response


@blueprint.route("/<site_key>/ledger/checkpoint")
class NewestCheckpoint(MethodView):
    """What the ledger says of itself now."""

    @blueprint.doc(summary="The newest checkpoint", responses=_NOTE_ANSWER)
    def get(self, site_key: str) -> Response:
        """Origin, size and root of the ledger, signed; at a stable address."""
        with context().read_session() as session:
            note = note_of(session, newest_checkpoint(session, find_site(session, site_key)))
        return Response(note, content_type=_NOTE)


@blueprint.route("/<site_key>/ledger/checkpoints/<int:size>")
class OneCheckpoint(MethodView):
    """What the ledger said of itself once."""

    @blueprint.doc(summary="An earlier checkpoint", responses=_NOTE_ANSWER)
    def get(self, site_key: str, size: int) -> Response:
        """The checkpoint that was signed at exactly this size."""
        with context().read_session() as session:
            note = note_of(session, find_checkpoint(session, find_site(session, site_key), size))
        return Response(note, content_type=_NOTE)


@blueprint.route("/<site_key>/ledger/keys")
class LedgerKeys(MethodView):
    """Whom to believe."""

    @blueprint.response(200, LedgerKeysSchema)
    def get(self, site_key: str) -> dict[str, Any]:
        """The name of the ledger and every key that ever signed it, oldest first."""
        with context().read_session() as session:
            site = find_site(session, site_key)
            origin = origin_of(newest_checkpoint(session, site))
            keys = [key.to_text() for key in keys_of(session, site)]
        return {"site": site_key, "origin": origin, "keys": keys}


@blueprint.route("/<site_key>/ledger/proof")
class InclusionProof(MethodView):
    """That a record is in the ledger."""

    @blueprint.arguments(InclusionQuerySchema, location="query")
    @blueprint.response(200, InclusionSchema)
    def get(self, query: dict[str, Any], site_key: str) -> dict[str, Any]:
        """Prove that the record of a receipt stands under the newest checkpoint."""
        event_id = UUID(query["event_id"])
        with context().read_session() as session:
            proof = prove_inclusion(session, find_site(session, site_key), event_id)
        return spell_inclusion(event_id, proof)


@blueprint.route("/<site_key>/ledger/consistency")
class ConsistencyProof(MethodView):
    """That the ledger only ever grew."""

    @blueprint.arguments(ConsistencyQuerySchema, location="query")
    @blueprint.response(200, ConsistencySchema)
    def get(self, query: dict[str, Any], site_key: str) -> dict[str, Any]:
        """Prove that the ledger of an old size begins the one of a new size."""
        with context().read_session() as session:
            site = find_site(session, site_key)
            new = int(query["new"]) if "new" in query else None
            proof = prove_consistency(session, site, int(query["old"]), new)
        return {"old": proof.old, "new": proof.new, "path": [one.hex() for one in proof.path]}
