"""Choose page: who runs no script decides by a plain form, on the words of the notice."""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import Any
from uuid import UUID, uuid4

from flask import Response, make_response, redirect, render_template, request, url_for
from flask.views import MethodView
from flask_babel import force_locale

from consent_server.api.bodies import ApiBlueprint
from consent_server.api.context import context, published_sites
from consent_server.api.guard import check_origin
from consent_server.api.page_schemas import ChooseSchema
from consent_server.api.pages import (
    LANGUAGE_PARAMETER,
    PAGE_CONTENT,
    choose_language,
    keep_private,
)
from consent_server.api.recording import (
    decided_here,
    held_decisions,
    reaches_pages,
    record_decision,
    spell_receipt_cookie,
)
from consent_server.api.sight import regime_here, see
from consent_server.errors import Conflict
from consent_server.own_record import OwnRecord, read_own_record, read_shown_now
from consent_server.rules.decision import (
    Decision,
    Layer,
    Method,
    grants_for,
    optional_keys,
)
from consent_server.rules.methods import keys_in
from consent_server.rules.regimes import sold_or_shared
from consent_server.snapshot import Config

blueprint = ApiBlueprint("choose_page", __name__, description="The form without script")
blueprint.after_request(keep_private)

#: A path of the site: `//host` and `/\host` lead elsewhere.
_PATH = re.compile(r"/(?![/\\])[!-\[\]-~]{0,1999}", re.ASCII)
_BACK = {
    "in": "query",
    "name": "return",
    "schema": {"type": "string"},
    "description": "The path of the site's page to go back to.",
}
Form = Mapping[str, Any]


@blueprint.route("/<site_key>/choose")
class ChoosePage(MethodView):
    """What the site asks, with the same answers as in its notice."""

    @blueprint.doc(
        summary="The form for browsers without script",
        parameters=[LANGUAGE_PARAMETER, _BACK],
        responses={"200": {"description": "A page for people", "content": PAGE_CONTENT}},
    )
    def get(self, site_key: str) -> Response:
        """Ask; nothing is allowed beforehand but what this visitor allowed before."""
        published_sites().find(site_key)
        own, saved = _read(site_key, ""), request.args.get("saved", "")
        said = "saved" if saved in _event_ids(own) else "no_cookie"
        asked = {name: request.args.get(name, "") for name in ("language", "return")}
        return _show(own, asked, said if saved else "")

    @blueprint.doc(
        summary="A decision made without script",
        requestBody={
            "content": {"application/x-www-form-urlencoded": {"schema": ChooseSchema}},
        },
        responses={
            "200": {"description": "A page that asks again", "content": PAGE_CONTENT},
            "303": {"description": "Recorded, and the cookie is set; back to the page"},
        },
    )
    def post(self, site_key: str) -> Response:
        """Record the decision and set the decision cookie over HTTP."""
        site, parts = published_sites().find(site_key), context()
        check_origin(site.origins)
        form: Form = ApiBlueprint.ARGUMENTS_PARSER.parse(ChooseSchema(), request, location="form")
        is_proven = parts.render_proofs.holds(site_key, site.number, form["proof"])
        spend = parts.budgets.spend if is_proven else parts.budgets.spend_unproven
        spend(site_key, request.remote_addr or "")
        own = _read(site_key, form["subject_id"])
        if not reaches_pages(own.config):
            return _show(own, form, "")
        if not is_proven or form["version"] != str(own.current.number):
            return _show(own, form, "changed")
        return _record(own, _decision_of(own, form), form)


def _read(site_key: str, subject_id: str) -> OwnRecord:
    """Return the record of the visitor whom the cookie names, else of the id in the form."""
    held = held_decisions(site_key)
    with context().read_session() as session:
        return read_own_record(session, site_key, held[0].subject_id if held else subject_id)


def _event_ids(own: OwnRecord) -> set[str]:
    return {receipt["event_id"] for receipt in own.receipts}


def _decision_of(own: OwnRecord, form: Form) -> Decision:
    method = Method(form["action"])
    allowed: Collection[str] = form["allow"] if method is Method.SAVE else ()
    signal = see(own.config).signal
    if method is Method.ACCEPT_ALL:
        # What a signal refuses is allowed one by one, never by a button for all.
        refused = keys_in(own.config, sold_or_shared(own.config)) if signal else set()
        allowed = optional_keys(own.config) - refused
    return Decision(
        decision_id=UUID(form["decision_id"]),
        subject_id=own.subject_id,
        method=method,
        layer=Layer.FORM,
        version=own.current.number,
        script="",
        language=choose_language(own.config["languages"], form["language"]),
        grants=grants_for(own.config, allowed),
        decided_at=decided_here(own.site.key),
        signal=signal,
    )


def _record(own: OwnRecord, decision: Decision, form: Form) -> Response:
    """Record once: the same form sent again changes nothing and is answered alike."""
    event_id = str(decision.decision_id)
    if event_id not in _event_ids(own):
        with context().read_session() as session:
            shown = read_shown_now(session, own.site, regime_here(own.config))
        # Somebody else's id, or two clicks at once: what is recorded decides below.
        with suppress(Conflict):
            record_decision(shown, decision)
        own = _read(own.site.key, own.subject_id)
    if event_id not in _event_ids(own):
        return _show(own, form, "changed")
    address = url_for(
        "choose_page.ChoosePage",
        site_key=own.site.key,
        language=decision.language,
        saved=event_id,
        **{"return": form["return"]} if form["return"] else {},
    )
    answer = make_response(redirect(address, 303))
    if cookie := spell_receipt_cookie(own.config, own.receipts[0], own.subject_id):
        answer.headers.add("Set-Cookie", cookie)
    return answer


def _show(own: OwnRecord, asked: Form, said: str) -> Response:
    language = choose_language(own.config["languages"], asked["language"])
    now = context().now()
    with force_locale(language):
        page = render_template(
            "choose.html",
            own=own,
            config=own.config,
            words=own.config["texts"][language],
            holds=own.holding(now),
            said=said,
            reaches=reaches_pages(own.config),
            # An id in the page alone: the browser keeps none before it has decided.
            subject_id=own.subject_id or secrets.token_hex(16),
            new_id=uuid4,
            proof=context().render_proofs.make(own.site.key, own.current.number),
            back=_way_back(own.config, asked["return"]),
            way_back=asked["return"],
        )
    return make_response(page)


def _way_back(config: Config, path: str) -> str:
    """Return where the visitor came from: a page of the site itself, or nothing."""
    if not _PATH.fullmatch(path):
        return ""
    origins: list[str] = config["origins"]
    return path if request.host_url.rstrip("/") in origins else origins[0] + path
