"""The short way: decisions and scripts, which are asked for most, answered before the framework.

What is asked in the usual form is answered here with the bytes and headers of the long way,
at a part of its cost, and so is what is refused of it without being looked up. Everything else,
every other error too, goes the long way.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache, partial
from typing import Any, Final

from werkzeug.http import http_date
from werkzeug.wrappers import Request

from consent_server.api.admitting import admit
from consent_server.api.context import Context
from consent_server.api.decisions import decision_cookie
from consent_server.api.observing import ROUTE
from consent_server.api.problems import MEDIA_TYPE
from consent_server.api.recording import MET
from consent_server.api.schemas import ReceiptSchema
from consent_server.api.scripts import JAVASCRIPT, POINTER_CACHE, choose_script
from consent_server.api.sight import fields_of_sight, see
from consent_server.api.usual_form import read_usual
from consent_server.errors import ProofNeeded, TooManyRequests
from consent_server.later import LATER, AnsweredLater, Later
from consent_server.ledger import Leaf, Recorded
from consent_server.rules.decision import Decision
from consent_server.rules.receipt import VARYING, LeafForm, Template
from consent_server.wanted import Wanted

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]

_KEY: Final = r"([a-z0-9][a-z0-9-]{0,39})"
#: A name and perhaps a port: what the long way takes as it is.
_HOST: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}(\.[a-z0-9-]{1,63})*(:[0-9]{1,5})?", re.ASCII)
#: What browsers write: names without weights.
_ENCODINGS: Final = re.compile(r"[a-z]+(, ?[a-z]+)*", re.ASCII)
#: Fields that the long way weighs against each other.
_CONDITIONS: Final = frozenset(
    f"HTTP_{name}" for name in ("IF_MATCH", "IF_MODIFIED_SINCE", "IF_RANGE", "RANGE")
)
_HARDENED: Final = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "strict-origin-when-cross-origin"),
)
_REFUSED: Final = {
    ProofNeeded.status: "403 FORBIDDEN",
    TooManyRequests.status: "429 TOO MANY REQUESTS",
}
#: By whether the decision was new.
_RECORDED: Final = {True: "201 CREATED", False: "200 OK"}
#: What decisions may bring in the query; with more, the long way looks at them.
_QUERY: Final = re.compile(r"(?:proof=([A-Za-z0-9_-]{0,64}))?", re.ASCII)
#: In the order of the receipt's schema.
_FIELDS: Final = tuple(ReceiptSchema().fields)
_spell: Final = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode


class ShortWay:
    """WSGI middleware: answers decisions in the usual form, and lets all else pass."""

    def __init__(self, application: Application, parts: Context, max_body: int) -> None:
        """`max_body` is the longest body in bytes that the long way reads, too."""
        self._application = application
        self._parts = parts
        self._max_body = max_body
        path = parts.settings.widget_path
        self._decisions = re.compile(f"{re.escape(path)}/{_KEY}/decisions", re.ASCII)
        self._script = re.compile(rf"{re.escape(path)}/{_KEY}\.js", re.ASCII)
        self._routes = f"{path}/<site_key>/decisions", f"{path}/<site_key>.js"

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request, or let it pass."""
        answer: Iterable[bytes] | None = None
        if _is_plain(environ):
            path, method = environ["PATH_INFO"], environ["REQUEST_METHOD"]
            query = environ.get("QUERY_STRING", "")
            if method == "POST" and (found := self._decisions.fullmatch(path)):
                if said := _QUERY.fullmatch(query):
                    proof = said[1] or ""
                    answer = self._record(found[1], proof, environ, start_response)
            elif method == "GET" and not query and (found := self._script.fullmatch(path)):
                answer = self._send_script(found[1], environ, start_response)
        return self._application(environ, start_response) if answer is None else answer

    def _record(
        self, site_key: str, proof: str, environ: Environ, start_response: StartResponse
    ) -> Iterable[bytes] | None:
        if MET in environ:
            return None  # it has been here
        decision = self._read(environ)
        if decision is None:
            return None
        parts, request = self._parts, Request(environ, populate_request=False)
        try:
            site = parts.published.find(site_key)
            shown = admit(parts, site, decision, request, proof)
            wanted = Wanted(shown, decision, see(shown.config, request, parts.regions))
            fields = _shared(request)
            cookie = decision_cookie(site, decision, shown.regime, request, parts.now())
            if cookie:
                fields.insert(0, ("Set-Cookie", cookie))
            environ[ROUTE] = self._routes[0]
            later: Later | None = environ.get(LATER)
            if later is not None:
                tell = partial(_answer, environ, fields, later)
                parts.writer.submit(wanted, tell, patient=parts.budgets.is_pressed(site_key))
            else:
                recorded = parts.writer.write(wanted)
        except (ProofNeeded, TooManyRequests) as error:
            # Of these a flood meets one each time: each must cost less than a decision does.
            environ[ROUTE] = self._routes[0]
            body = json.dumps(error.members()).encode("ascii")
            fields = [*_kind(MEDIA_TYPE, body), *error.headers.items()]
            start_response(_REFUSED[error.status], [*fields, *_shared(request)])
            return (body,)
        except Exception as error:
            # Whatever it is, the long way knows how to answer it.
            environ[MET] = error
            return None
        if later is not None:
            raise AnsweredLater
        status, body = _RECORDED[recorded.new], _receipt(recorded)
        start_response(status, [*_kind("application/json", body), *fields])
        return (body,)

    def _send_script(
        self, site_key: str, environ: Environ, start_response: StartResponse
    ) -> Iterable[bytes] | None:
        encoding = _encoding(environ)
        if encoding is None or not _CONDITIONS.isdisjoint(environ):
            return None
        regions = self._parts.regions
        try:
            site = self._parts.published.find(site_key)
        except Exception:
            return None  # the long way meets it again, and answers it
        sight = see(site.config, Request(environ, populate_request=False), regions)
        packed, cache = choose_script(site, sight, POINTER_CACHE)
        etag = f'"{packed.script.script_hash[:32]}-{encoding or "id"}"'
        known = environ.get("HTTP_IF_NONE_MATCH", "")
        if known and known != etag:
            return None
        environ[ROUTE] = self._routes[1]
        vary = ", ".join(["Accept-Encoding", *fields_of_sight(site.config, regions)])
        fields = [
            ("ETag", etag),
            ("Cache-Control", cache),
            ("Vary", vary),
            ("Cross-Origin-Resource-Policy", "cross-origin"),
            ("Access-Control-Allow-Origin", "*"),
            *self._parts.render_proofs.offer(site.key, site.number),
        ]
        if known:
            start_response("304 NOT MODIFIED", [*fields, ("Date", http_date()), *_HARDENED])
            return ()
        body = {"br": packed.brotli, "gzip": packed.gzip, "": packed.script.body}[encoding]
        kind = [("Content-Type", JAVASCRIPT), ("Content-Length", str(len(body)))]
        packing = [("Content-Encoding", encoding)] if encoding else []
        start_response("200 OK", [*kind, *fields, *packing, ("Date", http_date()), *_HARDENED])
        return (body,)

    def _read(self, environ: Environ) -> Decision | None:
        """Return the decision in the body; whoever reads the body after us finds it whole."""
        length = environ.get("CONTENT_LENGTH", "")
        if environ.get("CONTENT_TYPE") != "application/json" or not length.isdecimal():
            return None
        size = int(length)
        if not 0 < size <= self._max_body:
            return None
        body: bytes = environ["wsgi.input"].read(size)
        environ["wsgi.input"] = io.BytesIO(body)
        return read_usual(body) if len(body) == size else None


def _is_plain(environ: Environ) -> bool:
    """Tell whether nothing in the request asks for a further look."""
    host = environ.get("HTTP_HOST", "")
    return (
        not environ.get("SCRIPT_NAME")
        and "HTTP_TRANSFER_ENCODING" not in environ
        and "HTTP_CONTENT_ENCODING" not in environ
        and _HOST.fullmatch(host) is not None
    )


def _answer(
    environ: Environ, fields: list[tuple[str, str]], later: Later, outcome: Recorded | Exception
) -> None:
    """Answer a decision whose outcome is known; what it met is told the long way."""
    if isinstance(outcome, Exception):
        environ[MET] = outcome
        later.ask_again(environ)
        return
    body = _receipt(outcome)
    status = int(_RECORDED[outcome.new][:3])
    later.answer(status, [*_kind("application/json", body), *fields], body)


def _receipt(recorded: Recorded) -> bytes:
    told = recorded.told
    if isinstance(told, Leaf):
        return _receipt_form(told.form).fill(told.own).encode("ascii")
    return _spell_receipt(told).encode("ascii")


@lru_cache(4_096)
def _receipt_form(form: LeafForm) -> Template:
    """Return what the receipts of one answer have in common."""
    own = (*VARYING, "leaf_hash", "salt")
    return Template(_spell_receipt, form.entry(dict.fromkeys(VARYING, "")), own)


def _spell_receipt(receipt: Mapping[str, Any]) -> str:
    return f"{_spell({name: receipt[name] for name in _FIELDS})}\n"


def _kind(media_type: str, body: bytes) -> list[tuple[str, str]]:
    return [("Content-Type", media_type), ("Content-Length", str(len(body)))]


def _shared(request: Request) -> list[tuple[str, str]]:
    """Return the fields after those of the answer itself, in the order of the long way."""
    headers = [("Cache-Control", "no-store"), ("Vary", "Origin")]
    origin = request.environ.get("HTTP_ORIGIN")
    if origin is not None:
        headers += [
            ("Access-Control-Allow-Origin", origin),
            ("Access-Control-Allow-Credentials", "true"),
            ("Access-Control-Expose-Headers", "Retry-After"),
        ]
    return [*headers, *_HARDENED]


def _encoding(environ: Environ) -> str | None:
    """Return how the script is packed for whoever asks; None where weights decide."""
    accepted = environ.get("HTTP_ACCEPT_ENCODING", "")
    if accepted and _ENCODINGS.fullmatch(accepted) is None:
        return None
    names = accepted.split(",")
    return next((one for one in ("br", "gzip") if one in map(str.strip, names)), "")
