"""What a well-formed site description may not mean, each with the reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from consent_server.catalogue import get_service
from consent_server.connector_check import check_connectors
from consent_server.errors import InvalidSite, UnknownService
from consent_server.languages import LANGUAGES, count_missing
from consent_server.regime_check import check_regimes
from consent_server.rules.decision import NECESSARY
from consent_server.rules.languages import base_language
from consent_server.rules.lifetime import least_days, parse_lifetime
from consent_server.rules.regimes import longest_valid_days, with_table
from consent_server.rules.unasked import MARKS
from consent_server.services import CONSENT_RECORD
from consent_server.texts import CATEGORY_TEXTS
from consent_server.theme import ratios
from consent_server.word_check import check_words

Finding = tuple[str, str]

#: Where owners try things out; a cookie domain never holds there.
_LOCAL_HOSTS = {"127.0.0.1", "localhost"}
_NOT_SHOWN = "The site is not shown in this language."
_IS_MARK = (
    f"Take another key: {' and '.join(map(repr, MARKS))} mark in the decision cookie what a "
    "visitor was not asked for."
)


def check_site(form: Mapping[str, Any]) -> None:
    """Refuse a site that could not be shown honestly; every finding names its field.

    Raises InvalidSite with all findings at once.
    """
    errors: dict[str, list[str]] = {}
    for check in _CHECKS:
        for path, message in check(form):
            errors.setdefault(path, []).append(message)
    if errors:
        raise InvalidSite(
            f"The site {form['key']!r} cannot be published: {len(errors)} "
            f"{'field needs' if len(errors) == 1 else 'fields need'} a change.",
            errors=errors,
        )


def _languages(form: Mapping[str, Any]) -> Iterator[Finding]:
    for index, language in enumerate(form["languages"]):
        path, base = f"languages.{index}", base_language(language)
        if language in LANGUAGES:
            if missing := count_missing(language):
                yield (
                    path,
                    f"The texts in {language!r} are not complete ({missing} missing), and visitors "
                    "would read two languages at once (EDPB Guidelines 03/2022). Leave it out for "
                    "now; `consent-server languages` tells which are complete.",
                )
        elif base in LANGUAGES:
            yield path, f"Write {base!r}: visitors of every region get it."
        else:
            yield path, f"No interface texts in {language!r}; there are {', '.join(LANGUAGES)}."
    if len(set(form["languages"])) != len(form["languages"]):
        yield "languages", "A language is listed twice."


def _links(form: Mapping[str, Any]) -> Iterator[Finding]:
    policy = form["links"]["policy"]
    for language in policy:
        if language and language not in form["languages"]:
            yield f"links.policy.{language}", _NOT_SHOWN
    for language in _missing(form, policy):
        if "" not in policy:
            yield (
                f"links.policy.{language}",
                "The policy's address is missing (GDPR article 13 applies in each language).",
            )


def _categories(form: Mapping[str, Any]) -> Iterator[Finding]:
    seen: set[str] = set()
    for index, category in enumerate(form["categories"]):
        key, path = category["key"], f"categories.{index}"
        if key in seen:
            yield f"{path}.key", f"The category {key!r} stands twice."
        if key in MARKS:
            yield f"{path}.key", _IS_MARK
        seen.add(key)
        if key not in CATEGORY_TEXTS:
            for field in ("name", "description"):
                for language in _missing(form, category[field]):
                    yield f"{path}.{field}.{language}", "An own category needs this text."
        for field in ("name", "description"):
            for language in _unread(form, category[field]):
                yield f"{path}.{field}.{language}", _NOT_SHOWN
    if seen <= {NECESSARY}:
        yield "categories", "There is nothing to ask: name at least one optional category."


def _services(form: Mapping[str, Any]) -> Iterator[Finding]:
    categories = {category["key"] for category in form["categories"]} | {NECESSARY}
    seen: set[str] = set()
    for index, service in enumerate(form["services"]):
        path = f"services.{index}"
        key = service.get("use") or service.get("key") or ""
        if key in seen:
            yield path, f"The service {key!r} stands twice."
        if key in categories:
            yield path, f"{key!r} is a category already; a key names one thing only."
        if key in MARKS:
            yield path, _IS_MARK
        if key == CONSENT_RECORD:
            yield path, f"{CONSENT_RECORD!r} is added by itself; leave it out."
        seen.add(key)
        for field, message in _service(form, service, categories):
            yield f"{path}.{field}", message


def _service(
    form: Mapping[str, Any], service: Mapping[str, Any], categories: set[str]
) -> Iterator[Finding]:
    category = service.get("category", "")
    purpose = dict(service["purpose"])
    if service.get("use"):
        try:
            found = get_service(service["use"])
        except UnknownService as error:
            yield "use", error.detail
            return
        category = category or found.category
        purpose = {**dict.fromkeys(LANGUAGES, found.purpose), **purpose}
    else:
        for field in ("key", "name", "category", "provider"):
            if not service.get(field):
                yield field, "Needed where `use` does not name a service of the catalogue."
    if category and category not in categories:
        yield "category", f"The site has no category {category!r}; add it to [[categories]]."
    yield from _purposes(form, service, purpose)
    yield from _ground(service, category)


def _purposes(
    form: Mapping[str, Any], service: Mapping[str, Any], purpose: Mapping[str, str]
) -> Iterator[Finding]:
    for language in _missing(form, purpose):
        yield f"purpose.{language}", "The visitor must be told what it is for, in this language."
    for language in _unread(form, service["purpose"]):
        yield f"purpose.{language}", _NOT_SHOWN
    for index, item in enumerate(service["items"]):
        # In every language or in none: a page must not be told more than its translation.
        for language in _missing(form, item["purpose"]) if item["purpose"] else ():
            yield f"items.{index}.purpose.{language}", "Told in other languages of the site."
        for language in _unread(form, item["purpose"]):
            yield f"items.{index}.purpose.{language}", _NOT_SHOWN


def _ground(service: Mapping[str, Any], category: str) -> Iterator[Finding]:
    if category == NECESSARY:
        if not service["justification"]:
            yield (
                "justification",
                "Say why the site cannot do what visitors ask for without it: wrongly calling "
                "a service necessary is an infringement of its own (ePrivacy article 5(3)).",
            )
    elif service["legal_basis"] != "consent":
        yield (
            "legal_basis",
            "Outside necessary, storing or reading in the browser needs consent; no other "
            "ground replaces it (ePrivacy article 5(3)).",
        )


def _compatible(form: Mapping[str, Any]) -> Iterator[Finding]:
    keys = {NECESSARY, *(category["key"] for category in form["categories"])}
    keys |= {service.get("use") or service.get("key") or "" for service in form["services"]}
    for name, key in form["compatible_names"].items():
        if key not in keys:
            yield f"compatible_names.{name}", f"The site has no category or service {key!r}."
    if not form["compatible"]:
        for field in ("compatible_names", "import_decisions"):
            if form[field]:
                yield field, "Say in `compatible` which consent managers are meant."


def _theme(form: Mapping[str, Any]) -> Iterator[Finding]:
    theme = form["theme"]
    for one in ratios(theme):
        # A border that is nobody's choice follows from text and surface.
        if not one.is_enough and theme[one.field]:
            yield (
                f"theme.{one.field}",
                f"Contrast with {one.behind} is {one.ratio:.1f}:1; at least "
                f"{one.needed:g}:1 is needed (WCAG 2.2, {one.criterion}).",
            )
    if theme["position"] in {"top", "bottom"} and theme["form"] not in {"bar", "banner"}:
        yield "theme.position", f"A {theme['form']} has no such place; a bar or banner has."


def _announcement(form: Mapping[str, Any]) -> Iterator[Finding]:
    announcement = form["announcement"]
    if announcement is None:
        return
    try:
        date.fromisoformat(announcement["date"])
    except ValueError:
        yield "announcement.date", f"There is no day {announcement['date']}."
    for language in announcement["text"]:
        if language not in form["languages"]:
            yield f"announcement.text.{language}", _NOT_SHOWN
    for language in _missing(form, announcement["text"]):
        yield f"announcement.text.{language}", "Visitors must be told in this language, too."


def _domains(form: Mapping[str, Any]) -> Iterator[Finding]:
    """Refuse what would leave a page without its decision."""
    domain = form["cookie_domain"]
    for index, origin in enumerate(form["origins"]):
        host = urlsplit(origin).hostname or ""
        if (
            domain
            and host not in _LOCAL_HOSTS
            and host != domain
            and not host.endswith(f".{domain}")
        ):
            yield (
                f"origins.{index}",
                f"{host} is not inside the cookie domain {domain}: browsers refuse the cookie "
                "there, and every page would ask again. Leave `cookie_domain` empty, or make "
                "this a site of its own.",
            )
    for index, origin in enumerate(form["hand_over"]):
        if origin not in form["origins"]:
            yield (
                f"hand_over.{index}",
                f"{origin} is not among the site's `origins`. A decision goes to addresses of its "
                "own site only: consent does not travel to another controller, nor to services "
                "that nobody was asked about.",
            )
    if len(set(form["hand_over"])) != len(form["hand_over"]):
        yield "hand_over", "An address is listed twice."


def _keeping(form: Mapping[str, Any]) -> Iterator[Finding]:
    kept, days = parse_lifetime(form["keep_records"]), _longest_valid(form)
    if kept and least_days(kept) < days:
        yield (
            "keep_records",
            f"A decision holds for up to {days} days (`valid_days`, `regime`); while it does, you "
            "must be able to show whose it is (GDPR article 7(1)). Keep records at least as long.",
        )


def _longest_valid(form: Mapping[str, Any]) -> int:
    return longest_valid_days(with_table(form))


def _unread(form: Mapping[str, Any], texts: Mapping[str, str]) -> Sequence[str]:
    return [language for language in texts if language not in form["languages"]]


def _missing(form: Mapping[str, Any], texts: Mapping[str, str]) -> Sequence[str]:
    return [language for language in form["languages"] if not texts.get(language)]


_CHECKS = (
    check_connectors,
    _languages,
    _links,
    _categories,
    _services,
    _compatible,
    check_words,
    _theme,
    _announcement,
    _keeping,
    _domains,
    check_regimes,
)
