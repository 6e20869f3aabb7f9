"""Own page: a visitor sees, changes and takes away their record, without any script."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any
from uuid import UUID, uuid4

from flask import Response, make_response, render_template, request
from flask.views import MethodView
from flask_babel import force_locale

from consent_server.api.bodies import ApiBlueprint
from consent_server.api.context import context
from consent_server.api.guard import check_origin
from consent_server.api.page_schemas import OwnPageSchema
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
    spell_removal,
)
from consent_server.api.sight import regime_here, see
from consent_server.erasure import erase_subject
from consent_server.errors import Conflict
from consent_server.own_record import (
    OwnRecord,
    Proofs,
    export_own_record,
    prove_own_record,
    read_own_record,
    read_shown_now,
)
from consent_server.paths import asset_dir
from consent_server.rules.decision import SUBJECT_ID, Decision, Layer, Method, grants_for
from consent_server.rules.times import parse_time
from consent_server.sites import find_site
from consent_server.snapshot import Config

blueprint = ApiBlueprint("own_page", __name__, description="The visitor's own page")
blueprint.after_request(keep_private)

#: In the ledger for ever, so it says nothing that the visitor might have written.
_REASON = "asked for on the visitor's own page"
Form = Mapping[str, Any]


@blueprint.route("/<site_key>/me")
class OwnPage(MethodView):
    """What one visitor decided on a site."""

    @blueprint.doc(
        summary="A visitor's own page",
        parameters=[LANGUAGE_PARAMETER],
        responses={"200": {"description": "A page for people", "content": PAGE_CONTENT}},
    )
    def get(self, site_key: str) -> Response:
        """The visitor's record by the decision cookie, else a form that asks for the id."""
        held = held_decisions(site_key)
        own = _read(site_key, held[0].subject_id if held else "")
        return _show(own, request.args.get("language", ""))

    @blueprint.doc(
        summary="A visitor's own record: show, change, take away",
        requestBody={
            "content": {"application/x-www-form-urlencoded": {"schema": OwnPageSchema}},
        },
        responses={
            "200": {
                "description": "A page for people, or the file that was asked for",
                "content": {**PAGE_CONTENT, "application/json": {"schema": {"type": "object"}}},
            }
        },
    )
    def post(self, site_key: str) -> Response:
        """Every form of the page; the secret subject id stands in each of them."""
        own = _read(site_key, "")
        check_origin(own.config["origins"])
        form: Form = ApiBlueprint.ARGUMENTS_PARSER.parse(OwnPageSchema(), request, location="form")
        context().budgets.spend(site_key, request.remote_addr or "")
        subject_id = form["subject_id"].strip().lower()
        if not SUBJECT_ID.fullmatch(subject_id):
            return _ask(own, form["language"], was_wrong=True)
        own = _read(site_key, subject_id)
        if not own.receipts:
            return _ask(own, form["language"], was_wrong=True)
        return _ACTIONS[form["action"]](own, form)


def _read(site_key: str, subject_id: str) -> OwnRecord:
    with context().read_session() as session:
        return read_own_record(session, site_key, subject_id)


def _show_again(own: OwnRecord, form: Form) -> Response:
    return _show(own, form["language"])


def _save(own: OwnRecord, form: Form) -> Response:
    is_withdrawal = form["action"] == Method.WITHDRAW
    grants = grants_for(own.config, () if is_withdrawal else form["allow"])
    if form["version"] != str(own.current.number) or not form["decision_id"]:
        return _show(own, form["language"], said="changed")
    decision = Decision(
        decision_id=UUID(form["decision_id"]),
        subject_id=own.subject_id,
        method=Method.WITHDRAW if is_withdrawal else Method.SAVE,
        layer=Layer.PAGE,
        version=own.current.number,
        script="",
        language=choose_language(own.config["languages"], form["language"]),
        grants=grants,
        decided_at=decided_here(own.site.key),
        signal=see(own.config).signal,
    )
    return _record(own, decision, form["language"])


def _record(own: OwnRecord, decision: Decision, language: str) -> Response:
    """Record once: a page that is loaded again sends the same form again."""
    event_id = str(decision.decision_id)
    if event_id not in {receipt["event_id"] for receipt in own.receipts}:
        with context().read_session() as session:
            shown = read_shown_now(session, own.site, regime_here(own.config))
        # Two clicks at once, or somebody else's id: what is recorded decides below.
        with suppress(Conflict):
            record_decision(shown, decision)
        own = _read(own.site.key, own.subject_id)
    last = own.receipts[0]
    if last["event_id"] != event_id or last["grants"] != decision.grants:
        return _show(own, language, said="used")
    response = _show(own, language, said="saved")
    cookie = spell_receipt_cookie(own.config, last, own.subject_id)
    if cookie and _reaches_browser(own):
        response.headers.add("Set-Cookie", cookie)
    return response


def _download(own: OwnRecord, _form: Form) -> Response:
    body = export_own_record(own, base=_base(own), now=context().now(), proofs=_prove(own))
    text = json.dumps(body, ensure_ascii=False, indent=2) + "\n"
    return _attach(text, "application/json", f"{own.site.key}-records.json")


def _receipt(own: OwnRecord, form: Form) -> Response:
    receipt = own.find_receipt(form["event_id"])
    config = own.shown[receipt["version"]]
    # The receipt speaks the language in which the question was asked.
    with force_locale(receipt["language"]):
        text = render_template(
            "receipt.html",
            own=own,
            receipt=receipt,
            config=config,
            words=config["texts"][receipt["language"]],
            services={service["key"]: service for service in config["services"]},
            proof=_prove(own).get(receipt["event_id"]),
            parse_time=parse_time,
            base=_base(own),
            style=(asset_dir("static") / "pages" / "page.css").read_text(encoding="utf-8"),
        )
    return _attach(text, "text/html", f"{own.site.key}-receipt-{receipt['event_id'][:8]}.html")


def _ask_to_erase(own: OwnRecord, form: Form) -> Response:
    return _page("me_erase.html", own, form["language"], reaches_browser=_reaches_browser(own))


def _erase(own: OwnRecord, form: Form) -> Response:
    """Erase, and let the browser forget: the visitor is somebody new, and is asked."""
    with context().database.write() as session:
        erase_subject(
            session,
            find_site(session, own.site.key),
            own.subject_id,
            actor="visitor",
            reason=_REASON,
            now=context().now(),
        )
    reaches = _reaches_browser(own)
    response = _page("me_ask.html", own, form["language"], said="erased", reaches_browser=reaches)
    if reaches:
        response.headers.add("Set-Cookie", spell_removal(own.site.key, own.config))
    return response


_ACTIONS: Mapping[str, Callable[[OwnRecord, Form], Response]] = {
    "show": _show_again,
    "save": _save,
    "withdraw": _save,
    "download": _download,
    "receipt": _receipt,
    "erase": _ask_to_erase,
    "erase_now": _erase,
}


def _prove(own: OwnRecord) -> Proofs:
    with context().read_session() as session:
        return prove_own_record(session, own)


def _show(own: OwnRecord, wanted: str, said: str = "") -> Response:
    if not own.receipts:
        return _ask(own, wanted, was_wrong=bool(own.subject_id))
    last, now = own.receipts[0], context().now()
    return _page(
        "me.html",
        own,
        wanted,
        said=said,
        last=last,
        holds=own.holding(now, regime_here(own.config)),
        new_id=uuid4,
        has_run_out=own.has_run_out(now),
        reaches_browser=_reaches_browser(own),
        parse_time=parse_time,
    )


def _ask(own: OwnRecord, wanted: str, *, was_wrong: bool) -> Response:
    """Ask for the id; an id without records and one that is none look the same."""
    said = "unknown" if was_wrong else ""
    return _page("me_ask.html", own, wanted, said=said, reaches_browser=True)


def _page(template: str, own: OwnRecord, wanted: str, **values: Any) -> Response:
    language = choose_language(own.config["languages"], wanted)

    def words_of(config: Config) -> Mapping[str, Any]:
        """Return the words of another version, in its first language where it lacks this one."""
        spoken = language if language in config["texts"] else config["languages"][0]
        return {"language": spoken, **config["texts"][spoken]}

    with force_locale(language):
        page = render_template(
            template,
            own=own,
            config=own.config,
            words=words_of(own.config),
            words_of=words_of,
            **values,
        )
    return make_response(page)


def _reaches_browser(own: OwnRecord) -> bool:
    """Tell whether this browser's own cookie of the visitor can be set from here."""
    held = held_decisions(own.site.key)
    return reaches_pages(own.config) and any(one.subject_id == own.subject_id for one in held)


def _base(own: OwnRecord) -> str:
    settings = context().settings
    root = settings.public_url or request.host_url.rstrip("/")
    return f"{root}{settings.widget_path}/{own.site.key}"


def _attach(text: str, kind: str, name: str) -> Response:
    response = Response(text, content_type=f"{kind}; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
