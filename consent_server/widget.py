"""The script: core, configuration, texts and styles composed into one response."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from consent_server.connectors import compile_connectors, is_held, part_of_connectors
from consent_server.cores import read_core
from consent_server.languages import RIGHT_TO_LEFT, isolate_name
from consent_server.paths import asset_dir
from consent_server.regime_texts import REGIME_BUTTONS
from consent_server.rules.children import ALWAYS, PAGES, for_children, mode_of
from consent_server.rules.compatible import names_of
from consent_server.rules.decision import NECESSARY
from consent_server.rules.regimes import (
    Regime,
    honours_dnt,
    regimes_of,
    running_first,
    sensitive,
    signals_heeded,
    sold_or_shared,
    valid_days,
)
from consent_server.snapshot import known_since
from consent_server.theme import theme_css
from consent_server.widget_texts import FACT_ORDER, facts_of, join_texts, order_texts, vocabulary_of

#: One letter per kind of stored item, as the widget reads it.
ITEM_KINDS = {
    "cookie": "c",
    "local_storage": "l",
    "session_storage": "s",
    "indexed_db": "i",
    "cache_storage": "k",
}
#: As a theme's `order` has them unless it says otherwise.
_ANSWERS = ("accept_all", "reject_all")
#: The letter of the vocabulary's first word.
_FIRST_LETTER = ord("0")
#: In right-to-left text; names of cookies begin and end with signs of no direction.
_CODE_CSS = "code{unicode-bidi:isolate;direction:ltr}"


@dataclass(frozen=True, slots=True)
class Script:
    """A composed script: `script_id` is what it calls itself, `script_hash` its SHA-256."""

    script_id: str
    script_hash: str
    body: bytes
    regime: Regime = Regime.OPT_IN
    #: The signal that came with the request for it; a page may see one that did not.
    signal: str = ""


def added_parts(config: dict[str, Any], regime: Regime = Regime.OPT_IN) -> tuple[str, ...]:
    """Return the names of the parts that are added to the core of a version."""
    asked = {
        part_of_connectors(compile_connectors(config, regime)): True,
        "children": mode_of(config) == PAGES,
        "gpp": bool(config.get("gpp")),
        "handover": bool(config.get("hand_over")),
        "identify": bool(config.get("identify")),
        "stores": _has_rare_stores(config),
    }
    return tuple(part for part, is_asked in asked.items() if part and is_asked)


def _has_rare_stores(config: dict[str, Any]) -> bool:
    """Tell whether a service that can be refused keeps anything but cookies and localStorage."""
    optional = {
        key
        for category in config["categories"]
        if category["key"] != NECESSARY
        for key in category["services"]
    }
    kinds = {
        item["kind"]
        for service in config["services"]
        if service["key"] in optional
        for item in service["items"]
    }
    return not kinds <= {"cookie", "local_storage"}


def parts_of(
    config: dict[str, Any], material_since: int, regime: Regime = Regime.OPT_IN
) -> tuple[str, ...]:
    """Return the parts of the script that a version asks for, in the order of the files' names."""
    announces = "announcement" in config
    asked = {
        "gate": _has_gate(config),
        "strict": config.get("blocking") == "strict",
        "compat": bool(config.get("compatible")),
        "regimes": regime is not Regime.OPT_IN,
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


def compose_script(
    config: dict[str, Any],
    version: int,
    material_since: int,
    regime: Regime | None = None,
    signal: str = "",
) -> Script:
    """Compose the script of a version; the same inputs give the same bytes.

    Without a regime it is the strictest that the version has.
    """
    regime = regime or regimes_of(config)[0]
    parts, added = parts_of(config, material_since, regime), added_parts(config, regime)
    core = read_core(*parts, added=added)
    known = widget_config(config, version, material_since, regime, signal)
    if signal:
        known["signal"] = signal
    seed = hashlib.sha256(core.encode() + _to_json(known).encode()).hexdigest()
    script_id = seed[:16]
    known["script"] = script_id
    body = f"(function(SITE_CONFIG){{{core}}})({_to_json(known)});".encode()
    return Script(script_id, hashlib.sha256(body).hexdigest(), body, regime, signal)


def compose_scripts(config: dict[str, Any], version: int, material_since: int) -> list[Script]:
    """Compose a script for each regime of a version, strictest first, and each for each signal.

    What the header says is in the script, for browsers that say it in the header only.
    """
    return [
        compose_script(config, version, material_since, regime, signal)
        for regime in regimes_of(config)
        for signal in ("", *signals_heeded(config))
    ]


def widget_config(
    config: dict[str, Any],
    version: int,
    material_since: int,
    regime: Regime = Regime.OPT_IN,
    signal: str = "",
) -> dict[str, Any]:
    """Return the part of a snapshot that the browser needs, as widget/src/config.ts reads it."""
    theme = config["theme"]
    mode = mode_of(config)
    shown = for_children(config) if mode == ALWAYS else config
    # Where everybody is asked first, only those whose browser sent a signal need to read of it.
    tells_signal = bool(signal) or regime is not Regime.OPT_IN
    asked = _asked(shown, regime, tells_signal=tells_signal)
    connectors = compile_connectors(shown, regime)
    return {
        # Styles and services first, beside the code that is most like them: it compresses better.
        "css": _css(config, regime),
        "services": asked["services"],
        "site": config["site"],
        "version": version,
        "material": material_since,
        "script": "",
        "days": valid_days(config, regime),
        **({"domain": config["cookie_domain"]} if config["cookie_domain"] else {}),
        **{name: theme[name] for name in ("position", "entry")},
        "answers": _ANSWERS[:: -1 if theme["order"] == "reject_first" else 1],
        "categories": asked["categories"],
        "sold": sold_or_shared(config),
        **({} if honours_dnt(config) else {"deaf": 1}),
        **({"regime": _regime(config, regime)} if regime is not Regime.OPT_IN else {}),
        **({"connectors": connectors} if connectors else {}),
        **({"handOver": config["hand_over"]} if config.get("hand_over") else {}),
        **({"gate": _gate(config)} if _has_gate(config) else {}),
        **({"compat": _compat(config)} if config.get("compatible") else {}),
        **({"news": _news(config, material_since)} if material_since > 1 else {}),
        **({"announcement": _announcement(config)} if "announcement" in config else {}),
        **(
            {"child": _asked(for_children(config), regime, tells_signal=tells_signal)}
            if mode == PAGES
            else {}
        ),
        "texts": asked["texts"],
    }


def _asked(config: dict[str, Any], regime: Regime, *, tells_signal: bool) -> dict[str, Any]:
    """Return what visitors are asked, and every word of it."""
    vocabulary = vocabulary_of(config, regime)
    return {
        "services": _services(config, vocabulary, regime),
        "categories": [
            [category["key"], *category["services"]] for category in config["categories"]
        ],
        "texts": {
            language: join_texts(
                (*order_texts(config, language, regime, tells_signal=tells_signal), *words)
            )
            for language, words in zip(
                config["languages"], zip(*vocabulary, strict=True), strict=True
            )
        },
    }


def _regime(config: dict[str, Any], regime: Regime) -> dict[str, Any]:
    """Return what runs first, what the buttons of the regime refuse, and their labels."""
    words = {
        language: told["regimes"].get(regime, {}) for language, told in config["texts"].items()
    }
    return {
        "name": regime,
        "runs": running_first(config, regime),
        "sensitive": sensitive(config),
        "said": {
            language: [told.get(name, "") for name in REGIME_BUTTONS]
            for language, told in words.items()
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


def _css(config: dict[str, Any], regime: Regime) -> str:
    """Return the styles of the form and of what else the site has, then the theme."""
    forms, theme = read_forms(), config["theme"]
    announced = forms["announcement"] if "announcement" in config else ""
    more = forms["regimes"] if regime is not Regime.OPT_IN else ""
    code = _CODE_CSS if RIGHT_TO_LEFT.intersection(config["languages"]) else ""
    return forms[theme["form"]] + announced + more + code + theme_css(theme)


def _services(
    config: dict[str, Any], vocabulary: list[tuple[str, ...]], regime: Regime
) -> dict[str, list[str]]:
    def describe(service: dict[str, Any]) -> list[str]:
        facts = facts_of(config, service["key"], regime)
        letters = "".join(chr(_FIRST_LETTER + vocabulary.index(fact)) for fact in facts)
        items = zip(service["items"], letters[len(FACT_ORDER) :], strict=True)
        return [
            isolate_name(config["languages"], service["provider"]),
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
        if is_held(service) and (service["hosts"] or service["paths"])
    }
    if config["blocking"] != "strict":
        return {"services": known}
    own = [urlsplit(origin).hostname or "" for origin in config["origins"]]
    for service in config["services"]:
        if not is_held(service):
            hosts = (path.partition("/")[0] for path in service["paths"])
            own += [*service["hosts"], *hosts]
    return {"services": known, "allowed": " ".join((*own, *config["allowed_hosts"]))}


def _to_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
