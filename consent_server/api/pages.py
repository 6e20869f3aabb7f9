"""Pages: what the server's own HTML pages share."""

from __future__ import annotations

from datetime import datetime

from babel import Locale
from flask import Flask, Response, send_from_directory
from flask_babel import format_date, format_datetime, get_locale

from consent_server.paths import asset_dir
from consent_server.rules.times import spell_time
from consent_server.texts import spell_country

_CACHE_SECONDS = 3600


def register_pages(app: Flask) -> None:
    """Add the filters and files that the templates use."""
    app.jinja_env.filters.update(
        utc=spell_time,
        day=_day,
        moment=_moment,
        language_name=_language_name,
        language_here=_language_here,
        country=_country,
    )
    app.context_processor(lambda: {"language": str(get_locale() or "en")})

    @app.get("/pages/<path:name>")
    def page_files(name: str) -> Response:
        return send_from_directory(asset_dir("static") / "pages", name, max_age=_CACHE_SECONDS)


def _day(moment: datetime) -> str:
    return str(format_date(moment, "long"))


def _moment(moment: datetime) -> str:
    """Return day and time in words, with the zone."""
    return str(format_datetime(moment, "long", rebase=False))


def _country(code: str, language: str) -> str:
    return spell_country(language, code)


def _language_name(code: str) -> str:
    """Return a language's name in that language, as language menus should."""
    return (Locale.parse(code).get_display_name(code) or code).capitalize()


def _language_here(code: str) -> str:
    """Return a language's name in the language of the page."""
    return Locale.parse(code).get_display_name(get_locale()) or code
