"""An owner's own words: which may be replaced, and what they may not do to the choice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from consent_server.rules.decision import NECESSARY
from consent_server.rules.wording import (
    LONGEST_DESCRIPTION,
    LONGEST_NAME,
    LONGEST_PURPOSE,
    doubt_words,
    refuse_length,
    refuse_words,
    sounds_necessary,
)
from consent_server.texts import OVERRIDABLE, UI_TEXTS

Finding = tuple[str, str]

#: The label says what is pressed: a refusal by another name is none.
_LABELS = frozenset({"accept_all", "reject_all", "settings", "save", "withdraw"})


def check_words(form: Mapping[str, Any]) -> Iterator[Finding]:
    """Give what is wrong with the words of a site, by field."""
    yield from _texts(form)
    yield from _categories(form)
    for index, service in enumerate(form["services"]):
        for language, text in service["purpose"].items():
            for message in refuse_length(text, LONGEST_PURPOSE):
                yield f"services.{index}.purpose.{language}", message


def doubt_site_words(form: Mapping[str, Any]) -> Iterator[Finding]:
    """Give what may be published, and what an authority may dislike in it, by field."""
    for language, texts in form["texts"].items():
        for key, text in texts.items():
            doubt = doubt_words(language, text)
            if doubt:
                yield f"texts.{language}.{key}", doubt


def _texts(form: Mapping[str, Any]) -> Iterator[Finding]:
    for language, texts in form["texts"].items():
        if language not in form["languages"]:
            yield f"texts.{language}", "The site is not shown in this language."
        for key, text in texts.items():
            path = f"texts.{language}.{key}"
            if key not in OVERRIDABLE:
                yield path, _why_not(key)
                continue
            for message in refuse_words(language, key, text):
                yield path, message
        yield from _told(form, language, texts)


def _why_not(key: str) -> str:
    others = f"those that can: {', '.join(sorted(OVERRIDABLE))}."
    if key not in _LABELS:
        return f"This text cannot be replaced; {others}"
    return (
        "The label of a button cannot be replaced: a refusal is called by its name, and so is "
        f"a consent (EDPB Guidelines 03/2022, ambiguous wording); {others}"
    )


def _told(form: Mapping[str, Any], language: str, texts: Mapping[str, str]) -> Iterator[Finding]:
    """What visitors must read before they answer, whoever wrote it."""
    body = texts.get("body", UI_TEXTS["body"])
    if "{entry}" not in body:
        yield (
            f"texts.{language}.body",
            "Visitors are told before they consent that they can withdraw, and where: write "
            "{entry} where it names the way back (GDPR article 7(3)).",
        )
    heading = texts.get("heading", "")
    name = form["controller"]["name"]
    if not any(who in heading + body for who in ("{controller}", name)):
        yield (
            f"texts.{language}.body",
            "Say in heading or body who asks: write {controller} (GDPR article 13(1)(a); EDPB "
            "Guidelines 05/2020, paragraph 64).",
        )


def _categories(form: Mapping[str, Any]) -> Iterator[Finding]:
    limits = {"name": LONGEST_NAME, "description": LONGEST_DESCRIPTION}
    for index, category in enumerate(form["categories"]):
        for field, longest in limits.items():
            for language, text in category[field].items():
                path = f"categories.{index}.{field}.{language}"
                for message in refuse_length(text, longest):
                    yield path, message
        if category["key"] == NECESSARY:
            continue
        for language, name in category["name"].items():
            if sounds_necessary(language, name):
                yield (
                    f"categories.{index}.name.{language}",
                    f"“{name}” sounds as if it were necessary, and it is asked for (EDPB Cookie "
                    "Banner Taskforce 2023, type I; GDPR article 5(1)(a)).",
                )
