"""Pages: what the server's own HTML pages share."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from babel import Locale
from flask import Flask, Response, request, send_from_directory
from flask_babel import format_date, format_datetime, get_locale

from consent_server.languages import SOURCE_LANGUAGE, isolate_name, own_name
from consent_server.paths import asset_dir
from consent_server.rules.languages import match_language
from consent_server.rules.times import spell_time
from consent_server.texts import spell_country

#: What every page of the server's own may load: nothing of others.
PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_CACHE_SECONDS = 3600
#: Language -> what stands between two words of a list, where it is not ", ".
_COMMAS = {"ar": "، "}

#: For the specification.
PAGE_CONTENT: dict[str, Any] = {"text/html": {"schema": {"type": "string"}}}
LANGUAGE_PARAMETER: dict[str, Any] = {
    "in": "query",
    "name": "language",
    "schema": {"type": "string"},
    "description": "The page's language.",
}


def register_pages(app: Flask) -> None:
    """Add the filters and files that the templates use."""
    app.jinja_env.filters.update(
        utc=spell_time,
        day=_day,
        iso_day=_iso_day,
        moment=_moment,
        language_name=own_name,
        language_here=_language_here,
        country=_country,
        listed=_listed,
        region=_region,
    )
    app.context_processor(_speak)

    @app.get("/pages/<path:name>")
    def page_files(name: str) -> Response:
        return send_from_directory(asset_dir("static") / "pages", name, max_age=_CACHE_SECONDS)


def _speak() -> dict[str, str]:
    language = str(get_locale() or SOURCE_LANGUAGE)
    return {"language": language, "comma": _COMMAS.get(language, ", ")}


def keep_private(response: Response) -> Response:
    """Let nobody keep, index or be told of what belongs to one person."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    # Not no-referrer: under it browsers call the origin of our own forms "null".
    response.headers["Referrer-Policy"] = "same-origin"
    response.vary.update(["Cookie", "Accept-Language"])
    return response


def choose_language(known: Sequence[str], wanted: str = "") -> str:
    """Return one of the languages known: as wanted, else the browser's, else the first."""
    accepted = (tag for tag, quality in request.accept_languages if quality > 0)
    return match_language((wanted, *accepted), known) or known[0]


def _day(moment: datetime) -> str:
    return str(format_date(moment, "long"))


def _iso_day(day: str) -> str:
    """Return a day of a site file in words."""
    return str(format_date(date.fromisoformat(day), "long"))


def _moment(moment: datetime) -> str:
    """Return day and time in words, with the zone."""
    return str(format_datetime(moment, "long", rebase=False))


def _listed(names: Sequence[str]) -> str:
    """Return names with the comma of the page's language between them."""
    spoken = _speak()
    return spoken["comma"].join(isolate_name([spoken["language"]], name) for name in names)


def _country(code: str, language: str) -> str:
    return spell_country(language, code)


def _region(region: str) -> str:
    """Return a region in words: "Germany", "United States (US-CA)"."""
    name = spell_country(str(get_locale() or "en"), region.partition("-")[0])
    return f"{name} ({region})" if "-" in region else name


def _language_here(code: str) -> str:
    """Return a language's name in the language of the page."""
    return Locale.parse(code).get_display_name(get_locale()) or code
