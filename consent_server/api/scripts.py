"""Script delivery: one response per site, from memory, ready compressed."""

from __future__ import annotations

from flask import Response, request
from flask.views import MethodView

from consent_server.api.bodies import ApiBlueprint
from consent_server.api.context import published_sites
from consent_server.api.schemas import HASH_PATTERN
from consent_server.errors import NotFound
from consent_server.widget import PackedScript

blueprint = ApiBlueprint("scripts", __name__, description="The widget's script")

#: A new version reaches every page within five minutes; meanwhile, and while we are
#: away, the old one is good enough to hold tags.
_POINTER_CACHE = "public, max-age=300, stale-while-revalidate=86400, stale-if-error=604800"
_FOR_EVER = "public, max-age=31536000, immutable"
#: Owners look at what they have just published.
_ASK_FIRST = "public, no-cache"
_JAVASCRIPT = "text/javascript; charset=utf-8"


@blueprint.route("/<site_key>.js")
class CurrentScript(MethodView):
    """The script of the published version: what the page's one tag loads."""

    @blueprint.doc(
        summary="The site's script",
        responses={
            "200": {
                "description": "The script",
                "content": {"text/javascript": {"schema": {"type": "string"}}},
            },
            "304": {"description": "The copy you have is current"},
        },
    )
    def get(self, site_key: str) -> Response:
        """Core, configuration, texts and styles in one response; brotli or gzip."""
        packed = published_sites().find(site_key).script
        return _answer(packed, _POINTER_CACHE)


@blueprint.route("/<site_key>/diagnose.js")
class DiagnosisScript(MethodView):
    """The module behind `consent.diagnose()`: for owners, never loaded by visitors."""

    @blueprint.doc(
        summary="The site's diagnosis",
        responses={
            "200": {
                "description": "The module, for the published version",
                "content": {"text/javascript": {"schema": {"type": "string"}}},
            },
            "304": {"description": "The copy you have is current"},
        },
    )
    def get(self, site_key: str) -> Response:
        """Code, the patterns of the whole catalogue and texts in one response."""
        sites = published_sites()
        return _answer(sites.diagnosis(sites.find(site_key)), _ASK_FIRST)


@blueprint.route("/<site_key>/<script_hash>.js")
class HashedScript(MethodView):
    """A script by its SHA-256: for Subresource Integrity, and for auditors."""

    @blueprint.doc(
        summary="A script by its SHA-256",
        responses={
            "200": {
                "description": "The script, for ever the same",
                "content": {"text/javascript": {"schema": {"type": "string"}}},
            },
            "304": {"description": "The copy you have is current"},
        },
    )
    def get(self, site_key: str, script_hash: str) -> Response:
        """The exact bytes that were served under this hash; immutable."""
        site = published_sites().find(site_key)
        if site.script.script.script_hash == script_hash:
            return _answer(site.script, _FOR_EVER)
        if not HASH_PATTERN.fullmatch(script_hash):
            raise NotFound("A script's name is its SHA-256: 64 hex digits.")
        body = published_sites().script_bytes(site, script_hash)
        return _send(body, script_hash, _FOR_EVER)


def _answer(packed: PackedScript, cache: str) -> Response:
    script = packed.script
    accepted = request.accept_encodings
    if accepted["br"]:
        return _send(packed.brotli, script.script_hash, cache, "br")
    if accepted["gzip"]:
        return _send(packed.gzip, script.script_hash, cache, "gzip")
    return _send(script.body, script.script_hash, cache)


def _send(body: bytes, script_hash: str, cache: str, encoding: str = "") -> Response:
    response = Response(body, content_type=_JAVASCRIPT)
    response.set_etag(f"{script_hash[:32]}-{encoding or 'id'}")
    response.headers["Cache-Control"] = cache
    response.vary.add("Accept-Encoding")
    # Pages on other origins embed it, also those that isolate themselves.
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.headers["Access-Control-Allow-Origin"] = "*"
    if encoding:
        response.headers["Content-Encoding"] = encoding
    response.make_conditional(request)
    return response
