"""The application: the only place where the parts meet."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime

from flask import Flask, Response, request
from flask_babel import Babel
from sqlalchemy.orm import Session
from werkzeug.middleware.proxy_fix import ProxyFix

from consent_server import texts
from consent_server.api import (
    decisions,
    health,
    ledger,
    management,
    own_page,
    scripts,
    versions,
)
from consent_server.api.context import Context
from consent_server.api.guard import Budgets
from consent_server.api.pages import register_pages
from consent_server.api.problems import register_problems
from consent_server.api.specification import create_api, serve_specification
from consent_server.appending import Wanted, append_together
from consent_server.config import Settings, load_settings
from consent_server.errors import Conflict
from consent_server.ledger import Recorded
from consent_server.paths import asset_dir
from consent_server.published import PublishedSites
from consent_server.rules.times import to_utc
from consent_server.store.database import Database
from consent_server.store.writer import GroupWriter

#: A decision on 100 services is about 6 KiB.
MAX_BODY_BYTES = 16 * 1024
_PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def create_app(settings: Settings | None = None) -> Flask:
    """Build the WSGI application; settings come from the environment when not given."""
    settings = settings or load_settings()
    texts.check_translations()
    logging.getLogger("consent_server").setLevel(settings.log_level.upper())
    app = Flask(__name__, static_folder=None)
    app.config.update(SETTINGS=settings, MAX_CONTENT_LENGTH=MAX_BODY_BYTES)
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    database = Database(settings.database_url)
    app.extensions["consent"] = Context(
        settings=settings,
        database=database,
        published=PublishedSites(database),
        budgets=Budgets(settings),
        writer=GroupWriter(
            database, lambda session, wanted: append_together(session, wanted, now=_now())
        ),
        now=_now,
    )
    Babel(
        app,
        locale_selector=_page_language,
        default_translation_directories=str(asset_dir("translations")),
    )
    register_problems(app)
    register_pages(app)
    _register_routes(app, settings)
    app.after_request(_harden)
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops
        )
    return app


def _append(session: Session, wanted: Sequence[Wanted]) -> list[Recorded | Conflict]:
    return append_together(session, wanted, now=_now())


def _now() -> datetime:
    return to_utc(datetime.now(UTC))


def _register_routes(app: Flask, settings: Settings) -> None:
    api = create_api(app)
    for part in (scripts, decisions, own_page, versions, ledger):
        api.register_blueprint(part.blueprint, url_prefix=settings.widget_path)
    api.register_blueprint(management.blueprint, url_prefix="/api/v1")
    api.register_blueprint(health.blueprint)
    serve_specification(app, api)
    if settings.demo:
        from consent_server.demo.views import blueprint as demo  # noqa: PLC0415 (only the demo needs it)

        app.register_blueprint(demo)


def _page_language() -> str:
    chosen = request.args.get("language", "")
    if chosen in texts.LANGUAGES:
        return chosen
    return request.accept_languages.best_match(texts.LANGUAGES) or "en"


def _harden(response: Response) -> Response:
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "strict-origin-when-cross-origin")
    is_page = response.mimetype == "text/html"
    if is_page and not request.path.startswith("/demo/") and request.path != "/":
        response.headers.setdefault("Content-Security-Policy", _PAGE_POLICY)
    return response
