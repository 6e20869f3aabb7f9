"""Witness: other people's logs ask here for cosignatures (C2SP tlog-witness).

The answers are those of that protocol, so this is no part of the OpenAPI document.
"""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, Response, request
from sqlalchemy.exc import IntegrityError

from consent_server.api.context import context
from consent_server.config import key_folder
from consent_server.rules.witness import SIZE_TYPE, WitnessRequest, parse_request
from consent_server.witness import OtherSize, cosign_checkpoint, open_cosigner, read_logs

#: Registered only where CONSENT_WITNESS_LOGS names the logs to watch.
blueprint = Blueprint("witness", __name__)


@blueprint.post("/witness/add-checkpoint")
def add_checkpoint() -> Response:
    """Cosign a checkpoint that continues the one that was cosigned last."""
    asked = parse_request(request.get_data())
    try:
        line = _cosign(asked)
    except IntegrityError:
        # Two were the first of their log at once: the other one is remembered now.
        line = _cosign(asked)
    return Response(line, content_type="text/plain; charset=utf-8")


@blueprint.errorhandler(OtherSize)
def tell_size(error: OtherSize) -> Response:
    """Tell the log from which size to prove (C2SP tlog-witness, "add-checkpoint")."""
    return Response(f"{error.size}\n", status=error.status, content_type=SIZE_TYPE)


def _cosign(asked: WitnessRequest) -> str:
    settings = context().settings
    now = context().now()
    # Read each time: a log is added without a restart.
    logs = read_logs(Path(settings.witness_logs))
    cosigner = open_cosigner(key_folder(settings), settings.witness_name, now=now)
    with context().database.write() as session:
        return cosign_checkpoint(session, asked, logs, cosigner, now=now)
