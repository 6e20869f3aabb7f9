"""Versions: what was shown, for people and for machines."""

from __future__ import annotations

from typing import Any

from flask import Response, make_response, render_template, request
from flask.views import MethodView
from flask_babel import force_locale

from consent_server.api.bodies import ApiBlueprint
from consent_server.api.context import context
from consent_server.api.pages import choose_language
from consent_server.api.schemas import VersionListSchema, VersionSchema
from consent_server.api.summaries import summarise_archived
from consent_server.archive import ArchivedVersion, archive_version, archive_versions
from consent_server.sites import find_site, list_versions
from consent_server.snapshot import Config
from consent_server.store.models import Site

blueprint = ApiBlueprint("versions", __name__, description="Published versions")

_HTML = "text/html"
_JSON = "application/json"
_PAGE = {_HTML: {"schema": {"type": "string"}}}
#: A version never changes, but a page about it may look better tomorrow.
_CACHE = "public, max-age=3600"


@blueprint.route("/<site_key>/versions")
class Versions(MethodView):
    """The archive of a site."""

    @blueprint.doc(summary="Every version of a site")
    @blueprint.response(200, VersionListSchema, description="As JSON, or a page for people")
    def get(self, site_key: str) -> Any:
        """Every published version, newest first; HTML for browsers."""
        with context().read_session() as session:
            site = find_site(session, site_key)
            versions = archive_versions(session, site, list_versions(session, site))
        if _wants_page():
            config = versions[0].config
            return _page("versions.html", site, config, versions=versions)
        return _cached({"site": site.key, "versions": [summarise_archived(v) for v in versions]})


@blueprint.route("/<site_key>/versions/<int:number>")
class Version(MethodView):
    """One version."""

    @blueprint.doc(
        summary="What a version showed",
        parameters=[
            {
                "in": "query",
                "name": "language",
                "schema": {"type": "string"},
                "description": "The page's language; JSON holds every language.",
            }
        ],
    )
    @blueprint.response(200, VersionSchema, description="As JSON, or a page for people")
    def get(self, site_key: str, number: int) -> Any:
        """Every word that visitors were shown, with its hash; HTML for browsers."""
        with context().read_session() as session:
            site = find_site(session, site_key)
            archived = archive_version(session, site, number)
        if _wants_page():
            return _version_page(site, archived)
        return _cached({**summarise_archived(archived), "config": archived.config})


def _wants_page() -> bool:
    best = request.accept_mimetypes.best_match([_JSON, _HTML], default=_JSON)
    return best == _HTML


def _cached(body: dict[str, Any]) -> tuple[dict[str, Any], int, dict[str, str]]:
    return body, 200, {"Cache-Control": _CACHE, "Vary": "Accept"}


def _version_page(site: Site, archived: ArchivedVersion) -> Response:
    config = archived.config
    return _page(
        "version.html",
        site,
        config,
        archived=archived,
        version=archived.version,
        services={service["key"]: service for service in config["services"]},
    )


def _page(template: str, site: Site, config: Config, **values: Any) -> Response:
    """Draw a page in one language: the frame speaks the language of the words it shows."""
    language = choose_language(config["languages"], request.args.get("language", ""))
    with force_locale(language):
        text = render_template(
            template, site=site, config=config, words=config["texts"][language], **values
        )
    response = make_response(text)
    response.headers["Cache-Control"] = _CACHE
    response.vary.update(["Accept", "Accept-Language"])
    return response
