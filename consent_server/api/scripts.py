"""Script delivery: one response per site, from memory, ready compressed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from flask import Response, request
from flask.views import MethodView

from consent_server.api.bodies import ApiBlueprint
from consent_server.api.context import context, published_sites
from consent_server.api.schemas import HASH_PATTERN
from consent_server.api.sight import see, vary_by_sight, was_located
from consent_server.errors import NotFound
from consent_server.gpp import compose_gpp
from consent_server.packing import PackedScript
from consent_server.published import PublishedSite
from consent_server.rules.regimes import regime_for
from consent_server.rules.sight import Sight

blueprint = ApiBlueprint("scripts", __name__, description="The widget's script")

#: A new version reaches every page within five minutes; meanwhile, and while we are
#: away, the old one is good enough to hold tags.
POINTER_CACHE = "public, max-age=300, stale-while-revalidate=86400, stale-if-error=604800"
_FOR_EVER = "public, max-age=31536000, immutable"
#: Owners look at what they have just published.
_ASK_FIRST = "public, no-cache"
#: What depends on where the visitor is: a cache that does not look at Vary would mix up states.
_FOR_ONE = "private, max-age=300"
Fields = Sequence[tuple[str, str]]
JAVASCRIPT = "text/javascript; charset=utf-8"


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
        site = published_sites().find(site_key)
        return _answer_here(site, lambda script: script, POINTER_CACHE, _offer(site, site.number))


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
        site = published_sites().find(site_key)
        diagnosis = partial(published_sites().diagnosis, site)
        return _answer_here(site, diagnosis, _ASK_FIRST)


@blueprint.route("/<site_key>/gpp.js")
class GppModule(MethodView):
    """The module behind `__gpp`: fetched by pages of sites that say `gpp`, once somebody asks."""

    @blueprint.doc(
        summary="What GPP says of a visitor",
        responses={
            "200": {
                "description": "The module, for the region of whoever asks",
                "content": {"text/javascript": {"schema": {"type": "string"}}},
            },
            "304": {"description": "The copy you have is current"},
        },
    )
    def get(self, site_key: str) -> Response:
        """Code and the visitor's region in one response; no shared cache may keep it."""
        site = published_sites().find(site_key)
        if not site.config.get("gpp"):  # older versions have no such field
            raise NotFound(f"The site {site_key!r} does not say `gpp = true`.")
        response = _answer(compose_gpp(site.config, see(site.config).region), _FOR_ONE)
        vary_by_sight(response, site.config)
        return response


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
        if served := site.scripts.by_hash(script_hash):
            return _answer(served, _FOR_EVER, _offer(site, site.number))
        if not HASH_PATTERN.fullmatch(script_hash):
            raise NotFound("A script's name is its SHA-256: 64 hex digits.")
        body, version = published_sites().script_bytes(site, script_hash)
        return _send(body, script_hash, _FOR_EVER, offered=_offer(site, version))


def _answer_here(
    site: PublishedSite,
    pack: Callable[[PackedScript], PackedScript],
    cache: str,
    offered: Fields = (),
) -> Response:
    """Answer with what goes with the script for this visitor's region and signal.

    Shared caches may keep that of the strictest regime only: one that does not look at Vary
    then asks a visitor more than it must, and never less. None may keep what an address chose.
    """
    chosen, cache = choose_script(site, see(site.config), cache)
    response = _answer(pack(chosen), cache, offered)
    vary_by_sight(response, site.config)
    return response


def choose_script(site: PublishedSite, sight: Sight, cache: str) -> tuple[PackedScript, str]:
    """Return the script for a visitor, and who may keep it."""
    chosen = site.scripts.find(regime_for(site.config, sight.region), sight.signal)
    is_for_all = chosen is site.script and not was_located(sight)
    return chosen, cache if is_for_all else cache.replace("public", "private")


def _offer(site: PublishedSite, version: int) -> Fields:
    """Return the fields that bring the page a proof with the script of that version."""
    return context().render_proofs.offer(site.key, version)


def _answer(packed: PackedScript, cache: str, offered: Fields = ()) -> Response:
    script = packed.script
    accepted = request.accept_encodings
    if accepted["br"]:
        return _send(packed.brotli, script.script_hash, cache, "br", offered)
    if accepted["gzip"]:
        return _send(packed.gzip, script.script_hash, cache, "gzip", offered)
    return _send(script.body, script.script_hash, cache, offered=offered)


def _send(
    body: bytes, script_hash: str, cache: str, encoding: str = "", offered: Fields = ()
) -> Response:
    response = Response(body, content_type=JAVASCRIPT)
    response.set_etag(f"{script_hash[:32]}-{encoding or 'id'}")
    response.headers["Cache-Control"] = cache
    response.vary.add("Accept-Encoding")
    # Pages on other origins embed it, also those that isolate themselves.
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers.update(offered)
    if encoding:
        response.headers["Content-Encoding"] = encoding
    response.make_conditional(request)
    return response
