"""The application: the only place where the parts meet."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime

from flask import Flask, Response, request
from flask_babel import Babel
from sqlalchemy.orm import Session
from werkzeug.middleware.proxy_fix import ProxyFix

from consent_server.api import (
    choose_page,
    decisions,
    grants,
    handing_over,
    health,
    identifying,
    ledger,
    management,
    own_page,
    scripts,
    versions,
    well_known,
    witness,
)
from consent_server.api import metrics as metrics_route
from consent_server.api.bodies import ApiBlueprint, BoundedRequest
from consent_server.api.budgets import Budgets
from consent_server.api.context import Context
from consent_server.api.observing import Observer, count_requests, log_request, observe_requests
from consent_server.api.pages import PAGE_POLICY, choose_language, register_pages
from consent_server.api.problems import register_problems
from consent_server.api.short_way import ShortWay
from consent_server.api.specification import serve_specification
from consent_server.api.telemetry import telemetry_observer
from consent_server.appending import append_together
from consent_server.config import Settings, key_folder, load_settings
from consent_server.errors import Conflict
from consent_server.gauges import health_gauges, process_gauges, writer_gauges
from consent_server.languages import LANGUAGES, check_translations
from consent_server.ledger import Recorded
from consent_server.metrics import Metrics
from consent_server.paths import asset_dir
from consent_server.published import PublishedSites
from consent_server.readiness import Readiness, looks_of
from consent_server.regions import Regions
from consent_server.render_proofs import RenderProofs
from consent_server.rules.times import to_utc
from consent_server.store.database import Database
from consent_server.store.writer import GroupWriter
from consent_server.wanted import Wanted
from consent_server.witness import check_witness

#: A decision on 100 services is about 6 KiB.
MAX_BODY_BYTES = 16 * 1024


def create_app(settings: Settings | None = None) -> Flask:
    """Build the WSGI application; settings come from the environment when not given."""
    settings = settings or load_settings()
    check_translations()
    _set_levels(settings)
    app = Flask(__name__, static_folder=None)
    app.request_class = BoundedRequest
    app.config.update(SETTINGS=settings, MAX_CONTENT_LENGTH=MAX_BODY_BYTES)
    # A path that is joined anew would be sent to where the client says that this server is.
    app.url_map.merge_slashes = False
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.extensions["consent"] = _put_together(settings)
    Babel(
        app,
        locale_selector=_page_language,
        default_translation_directories=str(asset_dir("translations")),
    )
    register_problems(app)
    register_pages(app)
    _register_routes(app, settings)
    app.after_request(_harden)
    app.wsgi_app = ShortWay(  # type: ignore[method-assign]
        app.wsgi_app, app.extensions["consent"], MAX_BODY_BYTES
    )
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops
        )
    _observe(app, settings)
    return app


def _observe(app: Flask, settings: Settings) -> None:
    observers: list[Observer] = []
    if settings.metrics_token:
        observers.append(count_requests(app.extensions["consent"].metrics))
    if settings.request_log:
        observers.append(log_request)
    telemetry = telemetry_observer(app.extensions["consent"].metrics)
    if telemetry is not None:
        observers.append(telemetry)
    observe_requests(app, *observers)


def _set_levels(settings: Settings) -> None:
    logging.getLogger("consent_server").setLevel(settings.log_level.upper())
    # Asked for by a setting of its own, whatever the level of the rest.
    logging.getLogger("consent_server.requests").setLevel("INFO")


def _put_together(settings: Settings) -> Context:
    database = Database(settings.database_url)
    metrics = Metrics()
    writer: GroupWriter[Wanted, Recorded] = GroupWriter(
        database,
        _append,
        committed=metrics.commit_decisions.observe,
        site_of=lambda wanted: wanted.shown.site_id,
    )
    readiness = Readiness(looks_of(settings, database, writer.busy_seconds, _now))
    for source in (
        lambda: writer_gauges(writer),
        lambda: health_gauges(readiness, database, _now),
        lambda: process_gauges(database),
    ):
        metrics.add_source(source)
    return Context(
        settings=settings,
        database=database,
        published=PublishedSites(database),
        budgets=Budgets(settings),
        writer=writer,
        readiness=readiness,
        metrics=metrics,
        now=_now,
        regions=_find_regions(settings),
        render_proofs=RenderProofs(key_folder(settings), _now),
    )


def _find_regions(settings: Settings) -> Regions:
    if settings.demo:
        from consent_server.demo.region import DemoRegions  # noqa: PLC0415 (only the demo needs it)

        return DemoRegions(settings)
    return Regions(settings)


def _append(session: Session, wanted: Sequence[Wanted]) -> list[Recorded | Conflict]:
    return append_together(session, wanted, now=_now())


def _now() -> datetime:
    return to_utc(datetime.now(UTC))


def _register_routes(app: Flask, settings: Settings) -> None:
    for part in (
        scripts,
        decisions,
        grants,
        handing_over,
        identifying,
        own_page,
        choose_page,
        versions,
        ledger,
    ):
        app.register_blueprint(part.blueprint, url_prefix=settings.widget_path)
    app.register_blueprint(management.blueprint, url_prefix="/api/v1")
    app.register_blueprint(health.blueprint)
    app.register_blueprint(well_known.blueprint)
    serve_specification(
        app, [one for one in app.blueprints.values() if isinstance(one, ApiBlueprint)]
    )
    if settings.metrics_token:
        app.register_blueprint(metrics_route.blueprint)
    check_witness(settings)
    if settings.witness_logs:
        app.register_blueprint(witness.blueprint)
    if settings.demo:
        from consent_server.demo.views import blueprint as demo  # noqa: PLC0415 (only the demo needs it)

        app.register_blueprint(demo)


def _page_language() -> str:
    return choose_language(LANGUAGES, request.args.get("language", ""))


def _harden(response: Response) -> Response:
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "strict-origin-when-cross-origin")
    is_page = response.mimetype == "text/html"
    if is_page and not request.path.startswith("/demo/") and request.path != "/":
        response.headers.setdefault("Content-Security-Policy", PAGE_POLICY)
    return response
