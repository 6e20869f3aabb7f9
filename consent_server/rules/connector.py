"""Connectors: the calls by which a vendor's own code is told of consent, as data."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

#: What to call, then its arguments, as a service file writes it.
Call = Sequence[Any]
Connector = Mapping[str, Any]
Fault = tuple[str, str]

#: When calls are made: before everything else; when the service is granted; when it is refused;
#: and at each decision, whatever it says of the service.
MOMENTS: Final = ("default", "grant", "revoke", "update")
FIELDS: Final = (*MOMENTS, "awaits", "stoppable", "until_heard", "consent_types", "opt_out")

#: Google Consent Mode, second version: its types and the category that usually decides on each
#: (https://developers.google.com/tag-platform/security/guides/consent).
CONSENT_TYPES: Final[Mapping[str, str]] = {
    "ad_storage": "marketing",
    "ad_user_data": "marketing",
    "ad_personalization": "marketing",
    "analytics_storage": "analytics",
    "functionality_storage": "functional",
    "personalization_storage": "functional",
    "security_storage": "necessary",
}

_NAME: Final = r"[A-Za-z_$][\w$]*"
_STEP: Final = rf"{_NAME}(\(\))?"
_TARGET: Final = re.compile(rf"({_STEP}\.)*{_NAME}( =)?|[A-Za-z_$][\w$-]*(\{{id\}})? =", re.ASCII)
_AWAITED: Final = re.compile(_NAME, re.ASCII)
_KEY: Final = r"([a-z0-9][a-z0-9-]{0,39})"
#: As written -> the sign that the widget reads before it.
_CONDITIONS: Final = (
    (re.compile(rf"granted if {_KEY}"), "?"),
    (re.compile(rf"true if {_KEY}"), "!"),
    (re.compile(rf"value of ({_NAME})"), "$"),
    (re.compile(r"all (grants)"), "*"),
)
_RESERVED: Final = "?!$*"
_MAX_CALLS, _MAX_TEXT, _MAX_DEPTH = 10, 200, 4
#: From there on a browser reads another whole number than was written (RFC 8785, 3.2.2.3).
_MAX_NUMBER: Final = 2**53
#: In the place of a key: the service whose connector it is.
THIS: Final = "this"


def find_faults(connector: object) -> Iterator[Fault]:
    """Give each field of a connector that cannot be right, with what to write."""
    if not isinstance(connector, Mapping):
        yield "", "Write a table."
        return
    for name in connector:
        if name not in FIELDS:
            yield name, f"Is not a known field; known are {', '.join(FIELDS)}."
    awaits = connector.get("awaits", [])
    if not _is_list(awaits, lambda one: isinstance(one, str) and bool(_AWAITED.fullmatch(one))):
        yield "awaits", 'Write names of functions, like ["fbq"].'
    types = connector.get("consent_types", [])
    if not _is_list(types, CONSENT_TYPES.__contains__):
        yield "consent_types", f"Write some of {', '.join(CONSENT_TYPES)}."
    yield from _find_faulty_traits(connector)
    yield from _find_faulty_calls(connector, "")
    opt_out = connector.get("opt_out", {})
    if not isinstance(opt_out, Mapping) or not set(opt_out) <= set(MOMENTS):
        yield "opt_out", f"Write a table of {', '.join(MOMENTS)}."
    else:
        yield from _find_faulty_calls(opt_out, "opt_out.")


def keys_in(connector: Connector) -> set[str]:
    """Return the categories and services that the arguments of a connector depend on."""
    tables = [connector, connector.get("opt_out", {})]
    values = [call[1:] for table in tables for moment in MOMENTS for call in table.get(moment, ())]
    return {
        found[1]
        for text in _texts_in(values)
        for pattern, sign in _CONDITIONS
        if sign in "?!" and (found := pattern.fullmatch(text))
    }


def connector_for(connector: Connector, *, opted_out: bool) -> Connector:
    """Return a connector as it is where things run until they are refused, or are asked first."""
    return {**connector, **connector.get("opt_out", {})} if opted_out else connector


def compile_call(call: Call, service: str, awaits: Sequence[str]) -> list[Any]:
    """Return a call as widget/src/config.ts describes it: form, name, arguments."""
    target, *given = call
    arguments = [_compile_value(value, service) for value in given]
    if target == "gtag":
        return ["@", "dataLayer", *arguments]
    if target.endswith(" ="):
        return ["=", target.removesuffix(" ="), *arguments]
    if target in awaits:
        return ["~", target, *arguments]
    owner, _, method = target.rpartition(".")
    if method == "push" and "." not in owner:
        return ["+", owner, *arguments]
    return [".", target, *arguments]


def fill_ids(calls: Sequence[Call], ids: Sequence[str]) -> list[Call]:
    """Return the calls with those that name `{id}` once for each id, and none without one."""
    found: list[Call] = []
    for target, *arguments in calls:
        if "{id}" in target:
            found += [[target.replace("{id}", one), *arguments] for one in ids]
        else:
            found.append([target, *arguments])
    return found


def _find_faulty_traits(connector: Connector) -> Iterator[Fault]:
    for name in ("stoppable", "until_heard"):
        if not isinstance(connector.get(name, False), bool):
            yield name, "Write true or false."
    if connector.get("stoppable") and not connector.get("revoke"):
        yield "stoppable", "Nothing stops it: write the calls in `revoke`."
    if connector.get("until_heard") and not connector.get("grant"):
        yield "until_heard", "There is nothing to hear: write the calls in `grant`."


def _find_faulty_calls(table: Mapping[str, Any], place: str) -> Iterator[Fault]:
    for moment in MOMENTS:
        calls = table.get(moment, [])
        if not isinstance(calls, Sequence) or isinstance(calls, str) or len(calls) > _MAX_CALLS:
            yield f"{place}{moment}", f"Write a list of at most {_MAX_CALLS} calls."
            continue
        for index, call in enumerate(calls):
            advice = _fault_of_call(call)
            if advice:
                yield f"{place}{moment}[{index}]", advice


def _fault_of_call(call: object) -> str:
    if not isinstance(call, Sequence) or isinstance(call, str) or not call:
        return 'Write what to call and its arguments, like ["fbq", "consent", "grant"].'
    target = call[0]
    if not isinstance(target, str) or not _TARGET.fullmatch(target):
        return 'Begin with a function, "name.push" for a queue, or "name =" to set a value.'
    if target.endswith(" =") and len(call) != 2:
        return "Give one value to set."
    if not all(_is_plain(value, _MAX_DEPTH) for value in call[1:]):
        return (
            "Arguments are texts, numbers, true, false, lists and tables; texts of at most "
            f"{_MAX_TEXT} characters that do not begin with one of {_RESERVED}."
        )
    return ""


def _is_plain(value: object, depth: int) -> bool:
    if isinstance(value, str):
        return len(value) <= _MAX_TEXT and value[:1] not in tuple(_RESERVED)
    if isinstance(value, (bool, int, float)):
        return abs(value) < _MAX_NUMBER
    if not depth:
        return False
    if isinstance(value, Mapping):
        return all(
            isinstance(name, str) and _is_plain(one, depth - 1) for name, one in value.items()
        )
    return isinstance(value, Sequence) and all(_is_plain(one, depth - 1) for one in value)


def _is_list(value: object, is_right: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str) and all(map(is_right, value))


def _texts_in(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _texts_in(one)
    elif isinstance(value, Sequence):
        for one in value:
            yield from _texts_in(one)


def _compile_value(value: Any, service: str) -> Any:
    if isinstance(value, Mapping):
        return {name: _compile_value(one, service) for name, one in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_compile_value(one, service) for one in value]
    if isinstance(value, str):
        for pattern, sign in _CONDITIONS:
            found = pattern.fullmatch(value)
            if found:
                return "*" if sign == "*" else sign + (service if found[1] == THIS else found[1])
    return value
