"""The script: core, configuration, texts and styles composed into one response."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Any
from urllib.parse import urlsplit

import brotli

from consent_server.paths import asset_dir
from consent_server.rules.compatible import names_of
from consent_server.snapshot import known_since

#: One letter per kind of stored item, as the widget reads it.
ITEM_KINDS = {
    "cookie": "c",
    "local_storage": "l",
    "session_storage": "s",
    "indexed_db": "i",
    "cache_storage": "k",
}
#: Interface texts in the order of `Ui` in widget/src/language.ts, its direction apart.
UI_ORDER = (
    "heading",
    "body",
    "services_link",
    "policy",
    "policy_url",
    "accept_all",
    "reject_all",
    "settings",
    "preferences_heading",
    "preferences_body",
    "save",
    "withdraw",
    "close",
    "entry",
    "always_on",
    "provider_label",
    "transfers_label",
    "legal_basis_label",
    "retention_label",
    "items_label",
    "no_items",
    "decided",
    "shown_link",
    "id_label",
    "held",
    "allow_service",
    "load_once",
    "saved",
)
CATEGORY_ORDER = ("name", "description", "count")
SERVICE_ORDER = ("name", "purpose")
#: Words that many services share; each travels once, in the vocabulary.
FACT_ORDER = ("country", "transfers", "legal_basis", "retention")
#: Between texts. A line break always will do; each of the others makes the response smaller.
_SEPARATORS = ("~", "|", "^", "\n")
#: The letter of the vocabulary's first word.
_FIRST_LETTER = ord("0")


#: Which of them is smallest differs from script to script by a few bytes: each is tried once.
_BROTLI_SETTINGS = tuple(product((brotli.MODE_GENERIC, brotli.MODE_FONT), (14, 15, 16, 18)))


@dataclass(frozen=True, slots=True)
class Script:
    """A composed script: `script_id` is what it calls itself, `script_hash` its SHA-256."""

    script_id: str
    script_hash: str
    body: bytes


@dataclass(frozen=True, slots=True)
class PackedScript:
    """A script ready to be sent in each encoding."""

    script: Script
    brotli: bytes
    gzip: bytes


def _brotli(body: bytes, mode: int, window: int) -> bytes:
    packed: bytes = brotli.compress(body, mode=mode, quality=11, lgwin=window)
    return packed


@cache
def read_core(*parts: str) -> str:
    """Return the built core with these parts; the builds are committed under static/widget."""
    name = "-".join(("core", *parts)) + ".js"
    return (asset_dir("static") / "widget" / name).read_text(encoding="utf-8")


def parts_of(config: dict[str, Any], material_since: int) -> tuple[str, ...]:
    """Return the parts of the script that a version asks for, in the order of the files' names."""
    announces = "announcement" in config
    asked = {
        "gate": _has_gate(config),
        "compat": bool(config.get("compatible")),
        # Before the first material change no decision can be older than what is asked.
        "news": material_since > 1 or announces,
        "announced": announces,
    }
    return tuple(part for part, is_asked in asked.items() if is_asked)


def _has_gate(config: dict[str, Any]) -> bool:
    return bool(
        config.get("blocking", "declared") != "declared"
    )  # older versions have no such field


@cache
def read_forms() -> dict[str, str]:
    """Return the built styles of each form of the notice, and those that an announcement adds."""
    found: dict[str, str] = json.loads(
        (asset_dir("static") / "widget" / "forms.json").read_text(encoding="utf-8")
    )
    return found


def compose_script(config: dict[str, Any], version: int, material_since: int) -> Script:
    """Compose the script of a version; the same inputs give the same bytes."""
    core = read_core(*parts_of(config, material_since))
    known = widget_config(config, version, material_since)
    seed = hashlib.sha256(core.encode() + _to_json(known).encode()).hexdigest()
    script_id = seed[:16]
    known["script"] = script_id
    body = f"(function(SITE_CONFIG){{{core}}})({_to_json(known)});".encode()
    return Script(script_id, hashlib.sha256(body).hexdigest(), body)


def pack_script(script: Script) -> PackedScript:
    """Compress once, as well as the formats can."""
    return PackedScript(
        script,
        min((_brotli(script.body, *settings) for settings in _BROTLI_SETTINGS), key=len),
        gzip.compress(script.body, compresslevel=9, mtime=0),
    )


def widget_config(config: dict[str, Any], version: int, material_since: int) -> dict[str, Any]:
    """Return the part of a snapshot that the browser needs, as widget/src/config.ts reads it."""
    theme = config["theme"]
    vocabulary = _vocabulary(config)
    return {
        # Styles and services first, beside the code that is most like them: it compresses better.
        "css": _theme_css(theme, read_forms()["announcement"] if "announcement" in config else ""),
        "services": _services(config, vocabulary),
        "site": config["site"],
        "version": version,
        "material": material_since,
        "script": "",
        "days": config["valid_days"],
        "domain": config["cookie_domain"],
        **{name: theme[name] for name in ("position", "entry", "order")},
        "categories": [
            [category["key"], *category["services"]] for category in config["categories"]
        ],
        **({"gate": _gate(config)} if _has_gate(config) else {}),
        **({"compat": _compat(config)} if config.get("compatible") else {}),
        **({"news": _news(config, material_since)} if material_since > 1 else {}),
        **({"announcement": _announcement(config)} if "announcement" in config else {}),
        "texts": {
            language: _join_texts((*_texts(config, language), *words))
            for language, words in zip(
                config["languages"], zip(*vocabulary, strict=True), strict=True
            )
        },
    }


def _news(config: dict[str, Any], material_since: int) -> dict[str, Any]:
    """Return what is new to visitors who decided before, and how they are told."""
    return {
        "since": known_since(config, material_since),
        "said": {
            language: config["texts"][language]["ui"].get("news", "")
            for language in config["languages"]
        },
    }


def _announcement(config: dict[str, Any]) -> dict[str, Any]:
    """Return a coming change: when it is told, and in each language the words and the button."""
    told = config["announcement"]
    said = {language: [one["text"], one["close"]] for language, one in told["texts"].items()}
    return {"start": told["shown_from"], "end": told["date"], "said": said}


def _join_texts(texts: Iterable[str]) -> str:
    """Write a separator before each text: the first of these that stands in none of them."""
    folded = [" ".join(text.split()) for text in texts]  # as the browser folds white space
    separator = next(one for one in _SEPARATORS if not any(one in text for text in folded))
    return separator + separator.join(folded)


def _theme_css(theme: dict[str, Any], more: str) -> str:
    def colours(scheme: str) -> str:
        found = theme[scheme].items()
        return "".join(
            f"--consent-{name.replace('_', '-')}:{_shorten(value)};" for name, value in found
        )

    light, dark = colours("light"), colours("dark")
    return (
        f"{read_forms()[theme['form']]}{more}:host{{{light}--consent-radius:{theme['radius']}px}}"
        f"@media(prefers-color-scheme:dark){{:host{{{dark[:-1]}}}}}"
    )


def _shorten(colour: str) -> str:
    """Write #rrggbb as #rgb where both are the same colour."""
    return "#" + colour[1::2] if colour[1::2] == colour[2::2] else colour


def _texts(config: dict[str, Any], language: str) -> Iterator[str]:
    """Give every text in the one order that the widget knows."""
    found = config["texts"][language]
    stores_always = all(service["items"] for service in config["services"])
    yield found["direction"]
    for name in UI_ORDER:
        # Versions published before a text existed do without what it names.
        yield "" if name == "no_items" and stores_always else found["ui"].get(name, "")
    for category in config["categories"]:
        for name in CATEGORY_ORDER:
            yield found["categories"][category["key"]][name]
        for key in category["services"]:
            for name in SERVICE_ORDER:
                yield found["services"][key][name]


def _facts(config: dict[str, Any], key: str) -> Iterator[tuple[str, ...]]:
    """Give a service's facts and its items' lifetimes, each in every language."""
    told = [config["texts"][language]["services"][key] for language in config["languages"]]
    for name in FACT_ORDER:
        yield tuple(words[name] for words in told)
    for number in range(len(told[0]["items"])):
        yield tuple(words["items"][number]["lifetime"] for words in told)


def _vocabulary(config: dict[str, Any]) -> list[tuple[str, ...]]:
    """Return the facts that occur, in every language, each once."""
    found = (fact for service in config["services"] for fact in _facts(config, service["key"]))
    return list(dict.fromkeys(found))


def _services(config: dict[str, Any], vocabulary: list[tuple[str, ...]]) -> dict[str, list[str]]:
    def describe(service: dict[str, Any]) -> list[str]:
        facts = _facts(config, service["key"])
        letters = "".join(chr(_FIRST_LETTER + vocabulary.index(fact)) for fact in facts)
        items = zip(service["items"], letters[len(FACT_ORDER) :], strict=True)
        return [
            service["provider"],
            service["policy"],
            letters[: len(FACT_ORDER)],
            *(f"{ITEM_KINDS[item['kind']]}{letter}{item['name']}" for item, letter in items),
        ]

    return {service["key"]: describe(service) for service in config["services"]}


def _compat(config: dict[str, Any]) -> dict[str, Any]:
    """Give whose mark-up is understood, and what its names are here."""
    return {
        "products": config["compatible"],
        "names": names_of(config),
        "imports": config["import_decisions"],
    }


def _gate(config: dict[str, Any]) -> dict[str, Any]:
    """Give what the gate knows services by; in strict mode also which other hosts are allowed."""
    known = {
        service["key"]: " ".join((*service["hosts"], *service["paths"]))
        for service in config["services"]
        if service["hosts"] or service["paths"]
    }
    if config["blocking"] != "strict":
        return {"services": known}
    own = (urlsplit(origin).hostname or "" for origin in config["origins"])
    return {"services": known, "allowed": " ".join((*own, *config["allowed_hosts"]))}


def _to_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
