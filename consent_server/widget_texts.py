"""Widget texts: the words of a version in the order in which the widget reads them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from consent_server.languages import isolate_name
from consent_server.rules.regimes import Regime
from consent_server.services import CONSENT_RECORD

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
    "honoured",
)
CATEGORY_ORDER = ("name", "description", "count")
SERVICE_ORDER = ("name", "purpose")
#: Words that many services share; each travels once, in the vocabulary.
FACT_ORDER = ("country", "transfers", "legal_basis", "retention")
#: Between texts. A line break always will do; each of the others makes the response smaller.
_SEPARATORS = ("~", "|", "^", "\n")


def join_texts(texts: Iterable[str]) -> str:
    """Write a separator before each text: the first of these that stands in none of them."""
    folded = [" ".join(text.split()) for text in texts]  # as the browser folds white space
    separator = next(one for one in _SEPARATORS if not any(one in text for text in folded))
    return separator + separator.join(folded)


def order_texts(
    config: dict[str, Any], language: str, regime: Regime, *, tells_signal: bool
) -> Iterator[str]:
    """Give every text in the one order that the widget knows."""
    found = config["texts"][language]
    ui = {**found["ui"], **found.get("regimes", {}).get(regime, {})}
    if all(service["items"] for service in config["services"]):
        ui["no_items"] = ""
    if not tells_signal:
        ui["honoured"] = ""
    yield found["direction"]
    for name in UI_ORDER:
        # Versions published before a text existed do without what it names.
        yield ui.get(name, "")
    for category in config["categories"]:
        for name in CATEGORY_ORDER:
            yield found["categories"][category["key"]][name]
        for key in category["services"]:
            for name in SERVICE_ORDER:
                told = found["services"][key][name]
                yield isolate_name([language], told) if name == "name" else told


def facts_of(config: dict[str, Any], key: str, regime: Regime) -> Iterator[tuple[str, ...]]:
    """Give a service's facts and its items' lifetimes, each in every language.

    Our own cookie and what it says live longer where things run first.
    """
    texts = [config["texts"][language] for language in config["languages"]]
    told = [words["services"][key] for words in texts]
    longer = tuple(words.get("regimes", {}).get(regime, {}).get("valid", "") for words in texts)
    is_ours = key == CONSENT_RECORD and all(longer)
    for name in FACT_ORDER:
        yield longer if is_ours and name == "retention" else tuple(words[name] for words in told)
    for number in range(len(told[0]["items"])):
        lifetimes = tuple(words["items"][number]["lifetime"] for words in told)
        yield longer if is_ours and not number else lifetimes  # the cookie is the first


def vocabulary_of(config: dict[str, Any], regime: Regime) -> list[tuple[str, ...]]:
    """Return the facts that occur, in every language, each once."""
    services = (service["key"] for service in config["services"])
    found = (fact for key in services for fact in facts_of(config, key, regime))
    return list(dict.fromkeys(found))
