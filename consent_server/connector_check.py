"""What a site description may not mean about connectors, and what its owner should know."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from consent_server.catalogue import load_catalogue
from consent_server.rules.connector import THIS, find_faults, keys_in
from consent_server.rules.decision import NECESSARY

Finding = tuple[str, str]

#: Google's own advertising on pages, for which Google asks more than telling its tags.
_ADSENSE = re.compile(r"adsense|pagead2\.googlesyndication|doubleclick\.net/gampad", re.I)


def check_connectors(form: Mapping[str, Any]) -> Iterator[Finding]:
    """Give what cannot be meant; every finding names its field."""
    keys = {NECESSARY, *(category["key"] for category in form["categories"])}
    keys |= {_key_of(service) for service in form["services"]}
    for name, key in form["consent_mode"]["types"].items():
        if key not in keys:
            yield f"consent_mode.types.{name}", f"The site has no category or service {key!r}."
    for index, service in enumerate(form["services"]):
        connector, path = service["connector"], f"services.{index}"
        if "use" in connector:
            yield from _check_use(connector, f"{path}.connector")
            continue
        faults = list(find_faults(connector))
        yield from ((f"{path}.connector.{field}", advice) for field, advice in faults)
        if faults:
            continue
        for key in keys_in(connector) - keys - {THIS}:
            yield f"{path}.connector", f"The site has no category or service {key!r}."


def _check_use(connector: Mapping[str, Any], path: str) -> Iterator[Finding]:
    key = connector["use"]
    found = load_catalogue().get(key) if isinstance(key, str) else None
    if found is None or not found.connector:
        yield f"{path}.use", "The catalogue has no such connector."
    for name in set(connector) - {"use"}:
        yield f"{path}.{name}", "Write `use` alone, or calls of your own without it."


def warn_of_connectors(form: Mapping[str, Any]) -> Iterator[Finding]:
    """Give what is allowed, and what its owner should know before publishing it."""
    mode = form["consent_mode"]
    if mode["mode"] == "advanced":
        yield (
            "consent_mode.mode",
            "In advanced mode Google's tags load before visitors have decided and send what "
            "needs no cookie: address, browser, time, page. In the EEA, the United Kingdom and "
            "Switzerland that needs consent by the authorities' reading (EDPB guidelines "
            "2/2023). Take the marks off these tags only if your lawyer agrees.",
        )
    if mode["url_passthrough"]:
        yield (
            "consent_mode.url_passthrough",
            "Links carry click identifiers while storing is denied (ePrivacy article 5(3)).",
        )
    for index, service in enumerate(form["services"]):
        told = (_key_of(service), service["name"], *service["hosts"], *service["paths"])
        if any(_ADSENSE.search(one) for one in told):
            yield (
                f"services.{index}",
                "Google serves personalised AdSense, Ad Manager and AdMob ads in the EEA, the "
                "United Kingdom and Switzerland only with a consent manager that it has certified "
                "and the TCF. This one is not certified.",
            )


def _key_of(service: Mapping[str, Any]) -> str:
    return str(service.get("use") or service.get("key") or "")
