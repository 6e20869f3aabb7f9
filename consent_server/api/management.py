"""Management: sites and exports, for the holder of the token."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict
from datetime import datetime
from typing import IO, Any

from flask import Response, request
from flask.views import MethodView
from sqlalchemy.orm import Session
from werkzeug.exceptions import UnsupportedMediaType

from consent_server import audit
from consent_server.api.bodies import ApiBlueprint
from consent_server.api.context import context
from consent_server.api.guard import require_token
from consent_server.api.publishing import ApplyQuerySchema, PublicationSchema
from consent_server.api.schemas import (
    ErasedSchema,
    ErasureSchema,
    ExportQuerySchema,
    PeriodQuerySchema,
    SiteListSchema,
    SiteSummarySchema,
    VersionListSchema,
    VersionSchema,
)
from consent_server.api.summaries import summarise_archived, summarise_site
from consent_server.archive import archive_version, archive_versions
from consent_server.bundle.selection import Selection, note_export
from consent_server.config import key_folder
from consent_server.erasure import erase_subject
from consent_server.errors import Conflict
from consent_server.record_lines import export_lines
from consent_server.signing import open_signer
from consent_server.site_form import SiteForm
from consent_server.sites import (
    compare_site,
    find_site,
    list_sites,
    list_versions,
    publish_version,
    retire_site,
)
from consent_server.store.models import Site
from consent_server.targets import witness_keys

blueprint = ApiBlueprint("management", __name__, description="Sites and exports (bearer token)")

#: A site with every text in every language fits many times over.
MAX_SITE_BYTES = 1024 * 1024
_JSON_LINES = "application/x-ndjson"
_ZIP = "application/zip"
_CHUNK_BYTES = 256 * 1024
_TOKEN: list[dict[str, list[str]]] = [{"token": []}]


@blueprint.before_request
def guard() -> None:
    """Check the token before anything else is looked at."""
    request.max_content_length = MAX_SITE_BYTES
    require_token()
    told = request.content_length or "Transfer-Encoding" in request.headers
    has_body = request.method == "PUT" or (request.method == "POST" and told)
    if has_body and not request.is_json:
        raise UnsupportedMediaType("Send JSON with Content-Type: application/json.")


@blueprint.after_request
def keep_private(response: Response) -> Response:
    """Nothing behind the token may stay in a cache."""
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.route("/sites")
class Sites(MethodView):
    """Every site."""

    @blueprint.doc(security=_TOKEN)
    @blueprint.response(200, SiteListSchema)
    def get(self) -> dict[str, Any]:
        """List every site of this server, retired ones too."""
        with context().read_session() as session:
            return {"sites": [summarise_site(site) for site in list_sites(session)]}


@blueprint.route("/sites/<site_key>")
class OneSite(MethodView):
    """One site."""

    @blueprint.doc(security=_TOKEN)
    @blueprint.response(200, SiteSummarySchema)
    def get(self, site_key: str) -> dict[str, Any]:
        """Show one site."""
        with context().read_session() as session:
            return summarise_site(find_site(session, site_key))

    @blueprint.doc(security=_TOKEN)
    @blueprint.arguments(SiteForm)
    @blueprint.arguments(ApplyQuerySchema, location="query")
    @blueprint.response(200, PublicationSchema)
    def put(self, form: dict[str, Any], query: dict[str, Any], site_key: str) -> dict[str, Any]:
        """Publish a site description as the next version; `dry_run=true` only compares.

        The body has the fields of a site file, as JSON.
        """
        if form["key"] != site_key:
            raise Conflict(f"The body describes {form['key']!r}, the address says {site_key!r}.")
        if query["dry_run"]:
            with context().read_session() as session:
                return asdict(compare_site(session, form))
        source = json.dumps(request.get_json(), ensure_ascii=False, indent=2)
        with context().database.write() as session:
            publication = publish_version(
                session, form, source=source, author="api", now=context().now()
            )
        context().published.forget()
        return asdict(publication)


@blueprint.route("/sites/<site_key>/retire")
class RetiredSite(MethodView):
    """The end of a site."""

    @blueprint.doc(security=_TOKEN)
    @blueprint.response(200, SiteSummarySchema)
    def post(self, site_key: str) -> dict[str, Any]:
        """Stop serving a site. Versions and ledger stay; publishing revives it."""
        with context().database.write() as session:
            site = retire_site(session, site_key, author="api", now=context().now())
            summary = summarise_site(site)
        context().published.forget()
        return summary


@blueprint.route("/sites/<site_key>/erase")
class Erasure(MethodView):
    """One visitor's right to erasure."""

    @blueprint.doc(security=_TOKEN)
    @blueprint.arguments(ErasureSchema)
    @blueprint.response(200, ErasedSchema)
    def post(self, erasure: dict[str, Any], site_key: str) -> dict[str, Any]:
        """Erase what links records to one visitor. The records and their hashes stay.

        The reason stays in the ledger for ever, so it must name nobody.
        """
        with context().database.write() as session:
            site = find_site(session, site_key)
            erased = erase_subject(session, site, **erasure, actor="api", now=context().now())
            return {"site": site.key, "records": erased}


@blueprint.route("/sites/<site_key>/versions")
class SiteVersions(MethodView):
    """The versions of a site."""

    @blueprint.doc(security=_TOKEN)
    @blueprint.response(200, VersionListSchema)
    def get(self, site_key: str) -> dict[str, Any]:
        """List every version, newest first."""
        with context().read_session() as session:
            site = find_site(session, site_key)
            versions = archive_versions(session, site, list_versions(session, site))
        return {"site": site.key, "versions": [summarise_archived(v) for v in versions]}


@blueprint.route("/sites/<site_key>/versions/<int:number>")
class SiteVersionDetail(MethodView):
    """One version of a site."""

    @blueprint.doc(security=_TOKEN)
    @blueprint.response(200, VersionSchema)
    def get(self, site_key: str, number: int) -> dict[str, Any]:
        """Show one version with its complete snapshot."""
        with context().read_session() as session:
            archived = archive_version(session, find_site(session, site_key), number)
        return {**summarise_archived(archived), "config": archived.config}


@blueprint.route("/sites/<site_key>/export")
class Export(MethodView):
    """The ledger of a site."""

    @blueprint.doc(
        security=_TOKEN,
        responses={
            "200": {
                "description": "Every record of the period, streamed, or the audit bundle",
                "content": {
                    _JSON_LINES: {"schema": {"type": "string"}},
                    "text/csv": {"schema": {"type": "string"}},
                    _ZIP: {"schema": {"type": "string", "format": "binary"}},
                },
            }
        },
    )
    @blueprint.arguments(ExportQuerySchema, location="query")
    def get(self, query: dict[str, Any], site_key: str) -> Response:
        """Stream the records of a period as JSON lines or CSV, or an audit bundle.

        The ledger notes each export.
        """
        selection = Selection(query.get("since"), query.get("until"))
        if query["format"] == "bundle":
            return _send_bundle(site_key, selection)
        with context().database.write() as session:
            site = find_site(session, site_key)
            now = context().now()
            note_export(session, site, query["format"], selection, actor="api", now=now)
        form = query["format"]

        def read(session: Session, site: Site, *period: datetime | None) -> Iterator[bytes]:
            return (lines for _, lines in export_lines(session, site, form, *period))

        return _send_stream(
            _read_stream(site_key, query, read),
            f"{site_key}-records.{form}",
            "text/csv; charset=utf-8" if form == "csv" else _JSON_LINES,
        )


@blueprint.route("/sites/<site_key>/export/versions")
class ExportVersions(MethodView):
    """The versions that an export names."""

    @blueprint.doc(
        security=_TOKEN,
        responses={
            "200": {
                "description": "The snapshot of every version that the records name, streamed",
                "content": {_JSON_LINES: {"schema": {"type": "string"}}},
            }
        },
    )
    @blueprint.arguments(PeriodQuerySchema, location="query")
    def get(self, query: dict[str, Any], site_key: str) -> Response:
        """Stream the version snapshots that the records of a period name."""

        def read(session: Session, site: Site, *period: datetime | None) -> Iterator[bytes]:
            return audit.write_jsonl(audit.versions_of(session, site, *period))

        stream = _read_stream(site_key, query, read)
        return _send_stream(stream, f"{site_key}-versions.jsonl", _JSON_LINES)


def _read_stream(
    site_key: str,
    query: dict[str, Any],
    read: Callable[..., Iterator[bytes]],
) -> Iterator[bytes]:
    """Return the rows of a site as bytes; raises NotFound before the first of them.

    They are read while they are sent, after the request's context has ended.
    """
    opening = context().read_session()
    with context().read_session() as session:
        find_site(session, site_key)

    def stream() -> Iterator[bytes]:
        with opening as session:
            audit.hold_snapshot(session)
            site = find_site(session, site_key)
            yield from read(session, site, query.get("since"), query.get("until"))

    return stream()


def _send_bundle(site_key: str, selection: Selection) -> Response:
    """Write the bundle to a file that goes when it was sent; errors come before that."""
    from consent_server.bundle.export import export_bundle  # noqa: PLC0415 (for auditors, seldom)

    parts = context()
    signer = open_signer(key_folder(parts.settings), now=parts.now())
    with ExitStack() as kept:
        file = kept.enter_context(tempfile.TemporaryFile())
        export_bundle(
            parts.database,
            signer,
            site_key,
            selection,
            file,
            actor="api",
            clock=parts.now,
            witnesses=witness_keys(parts.settings.checkpoint_targets),
        )
        size = file.tell()
        file.seek(0)
        answer = _send_stream(_empty(file), f"{site_key}-bundle.zip", _ZIP)
        answer.content_length = size
        # A client that goes away leaves the rest unread.
        answer.call_on_close(kept.pop_all().close)
    return answer


def _empty(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        yield from iter(lambda: file.read(_CHUNK_BYTES), b"")


def _send_stream(stream: Iterator[bytes], name: str, content_type: str) -> Response:
    return Response(
        stream,
        content_type=content_type,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
