"""What a well-formed site description may not mean, each with the reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from consent_server.catalogue import get_service
from consent_server.errors import InvalidSite, UnknownService
from consent_server.rules.contrast import MIN_TEXT_CONTRAST, contrast
from consent_server.rules.decision import NECESSARY
from consent_server.services import CONSENT_RECORD
from consent_server.texts import CATEGORY_TEXTS, LANGUAGES, OVERRIDABLE

Finding = tuple[str, str]


def check_site(form: Mapping[str, Any]) -> None:
    """Refuse a site that could not be shown honestly; every finding names its field.

    Raises InvalidSite with all findings at once.
    """
    errors: dict[str, list[str]] = {}
    for check in (
        _languages,
        _links,
        _categories,
        _services,
        _compatible,
        _texts,
        _theme,
        _announcement,
    ):
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
        if language not in LANGUAGES:
            yield (
                f"languages.{index}",
                f"No interface texts in {language!r}; there are {', '.join(LANGUAGES)}.",
            )
    if len(set(form["languages"])) != len(form["languages"]):
        yield "languages", "A language is listed twice."


def _links(form: Mapping[str, Any]) -> Iterator[Finding]:
    policy = form["links"]["policy"]
    for language in policy:
        if language and language not in form["languages"]:
            yield f"links.policy.{language}", "The site is not shown in this language."
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
        seen.add(key)
        if key not in CATEGORY_TEXTS:
            for field in ("name", "description"):
                for language in _missing(form, category[field]):
                    yield f"{path}.{field}.{language}", "An own category needs this text."
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
        purpose = {**{lang: texts.purpose for lang, texts in found.texts.items()}, **purpose}
    else:
        for field in ("key", "name", "category", "provider"):
            if not service.get(field):
                yield field, "Needed where `use` does not name a service of the catalogue."
    if category and category not in categories:
        yield "category", f"The site has no category {category!r}; add it to [[categories]]."
    for language in _missing(form, purpose):
        yield f"purpose.{language}", "The visitor must be told what it is for, in this language."
    yield from _ground(service, category)


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


def _texts(form: Mapping[str, Any]) -> Iterator[Finding]:
    for language, texts in form["texts"].items():
        if language not in form["languages"]:
            yield f"texts.{language}", "The site is not shown in this language."
        for key in texts:
            if key not in OVERRIDABLE:
                yield (
                    f"texts.{language}.{key}",
                    "This text cannot be replaced; those that can: "
                    f"{', '.join(sorted(OVERRIDABLE))}.",
                )


def _theme(form: Mapping[str, Any]) -> Iterator[Finding]:
    theme = form["theme"]
    for suffix in ("", "_dark"):
        for name in ("text", "accent"):
            ratio = contrast(theme[name + suffix], theme["surface" + suffix])
            if ratio < MIN_TEXT_CONTRAST:
                yield (
                    f"theme.{name}{suffix}",
                    f"Contrast with surface{suffix} is {ratio:.1f}:1; at least "
                    f"{MIN_TEXT_CONTRAST}:1 is needed (WCAG 2.2, 1.4.3).",
                )


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
            yield f"announcement.text.{language}", "The site is not shown in this language."
    for language in _missing(form, announcement["text"]):
        yield f"announcement.text.{language}", "Visitors must be told in this language, too."


def _missing(form: Mapping[str, Any], texts: Mapping[str, str]) -> Sequence[str]:
    return [language for language in form["languages"] if not texts.get(language)]
