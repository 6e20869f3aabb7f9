"""Problem page: an error as a page, for people who came by an address or by a form of ours."""

from __future__ import annotations

from http import HTTPStatus

from flask import Response, make_response, render_template, request
from flask_babel import get_locale, gettext

from consent_server.api.pages import PAGE_POLICY
from consent_server.languages import SOURCE_LANGUAGE, direction_of

#: Where people are meant to be. Elsewhere they come by a mistyped address only.
_FOR_PEOPLE = frozenset({"choose_page", "demo", "own_page", "versions"})
_MANAGEMENT = "/api/"
_LEADS_NOWHERE = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED})


def has_page(status: int) -> bool:
    """Tell whether an error of the request at hand is told to people in a page of its own."""
    if request.path.startswith(_MANAGEMENT):
        return False
    return status in _LEADS_NOWHERE or request.blueprint in _FOR_PEOPLE


def prefers_page() -> bool:
    """Tell whether a person asks: browsers name HTML first where they show a page, programs not."""
    offered = ["application/problem+json", "application/json", "text/html"]
    return request.accept_mimetypes.best_match(offered) == "text/html"


def draw_problem(status: int, told: str) -> Response:
    """Return the page that says what to do, in the reader's language, and below what is told."""
    heading, advice = _words(status)
    page = render_template(
        "problem.html",
        status=status,
        heading=heading,
        advice=advice,
        told=told,
        direction=direction_of(str(get_locale() or SOURCE_LANGUAGE)),
    )
    response = make_response(page, status)
    response.headers["Content-Security-Policy"] = PAGE_POLICY
    response.headers["Cache-Control"] = "no-store"
    response.vary.add("Accept-Language")
    return response


def _words(status: int) -> tuple[str, str]:
    is_typed = request.method in {"GET", "HEAD"}
    if status == HTTPStatus.NOT_FOUND or (status in _LEADS_NOWHERE and is_typed):
        return (
            gettext("There is no such page"),
            gettext(
                "Look whether the address is written correctly, or go back to the page that you "
                "came from."
            ),
        )
    heading = gettext("That did not work")
    if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return heading, gettext("Please try again in a few minutes.")
    return heading, gettext("Go back, load that page again, and try once more.")
