"""Demo pages: the start page, five websites, and the visitor's own record on each."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flask import (
    Blueprint,
    abort,
    current_app,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue

from consent_server.config import sqlite_path
from consent_server.demo.record import present_records
from consent_server.demo.region import CHOICES
from consent_server.demo.region import COOKIE as REGION_COOKIE
from consent_server.demo.showcase import DemoSite, demo_sites, words
from consent_server.rights import decisions_of
from consent_server.rules.cookie import cookie_name, parse_cookie
from consent_server.sites import list_sites

PAGES = ("home", "contact", "privacy")

blueprint = Blueprint(
    "demo",
    __name__,
    template_folder="templates",
    static_folder="static",
    static_url_path="/demo/static",
)


@blueprint.get("/")
def show_start() -> str:
    """Say what this is and what to click, with a card for each site."""
    return render_template(
        "demo/start.html",
        sites=list(demo_sites().values()),
        words=words("en"),
        versions=current_versions(),
        widget_path=widget_path(),
        script_address=f"{request.url_root.rstrip('/')}{widget_path()}/smilee.js",
        export_command=export_command("smilee"),
        regions=CHOICES,
        region=request.cookies.get(REGION_COOKIE, ""),
    )


@blueprint.post("/demo/region")
def choose_region() -> ResponseReturnValue:
    """Stand in for a proxy that tells where the visitor is, then show the site that asks for it."""
    chosen = request.form.get("region", "")
    if chosen not in CHOICES:
        abort(404)
    response = redirect(url_for("demo.show_page", key="ujet"), 303)
    response.set_cookie(REGION_COOKIE, chosen, samesite="Lax", httponly=True)
    return response


@blueprint.get("/demo/<key>/", defaults={"page": "home"})
@blueprint.get("/demo/<key>/<any(contact, privacy):page>")
def show_page(key: str, page: str) -> str:
    """Show one page of a demo site."""
    site = find_demo_site(key)
    return render_template(f"demo/{key}/{page}.html", page=page, **page_context(site))


@blueprint.get("/demo/<key>/record")
def show_record(key: str) -> ResponseReturnValue:
    """Show the visitor what the server holds of their decisions on this site."""
    site = find_demo_site(key)
    stored = parse_cookie(request.cookies.get(cookie_name(key), ""))
    receipts = records_of_visitor(key, stored.subject_id) if stored else []
    context = page_context(site)
    response = make_response(
        render_template(
            "demo/record.html",
            page="record",
            base=f"demo/{key}/base.html",
            stored=stored,
            entries=present_records(receipts, context["words"], site.language, datetime.now(UTC)),
            **context,
        )
    )
    # A record of one person must stay in no cache.
    response.headers["Cache-Control"] = "private, no-store"
    return response


def records_of_visitor(site_key: str, subject_id: str) -> Sequence[Mapping[str, Any]]:
    """Return the visitor's receipts, newest first."""
    with current_app.extensions["consent"].read_session() as session:
        return decisions_of(session, site_key, subject_id)


def current_versions() -> Mapping[str, int]:
    """Return the number of the version that each site shows now."""
    with current_app.extensions["consent"].read_session() as session:
        return {site.key: site.current_version for site in list_sites(session)}


def export_command(key: str) -> str:
    """Return the command that exports a site's record, as typed where the demo was started."""
    program = _from_here(Path(sys.executable))
    command = "consent-server" if program.is_absolute() else f"{program} -m consent_server"
    export = f"{command} audit export \\\n    --site {key} --format jsonl -o {key}.jsonl"
    database = sqlite_path(current_app.extensions["consent"].settings.database_url)
    if database is None:
        return export
    return f"CONSENT_DATABASE_URL=sqlite:///{_from_here(database)} \\\n  {export}"


def _from_here(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def find_demo_site(key: str) -> DemoSite:
    """Return the demo site, or end the request with 404."""
    site = demo_sites().get(key)
    if site is None:
        abort(404)
    return site


def page_context(site: DemoSite) -> dict[str, Any]:
    """Return what every page of a demo site needs."""
    return {"site": site, "words": words(site.language), "widget_path": widget_path()}


def widget_path() -> str:
    """Return where the scripts are served: a setting of the server."""
    services = current_app.extensions.get("consent")
    settings = getattr(services, "settings", None)
    path: str = getattr(settings, "widget_path", "/w")
    return path
