"""Connectors: calls are data, and what is not the form of a call is refused."""

from __future__ import annotations

from typing import Any

import pytest

from consent_server.catalogue import load_catalogue
from consent_server.rules.connector import compile_call, fill_ids, find_faults, keys_in


@pytest.mark.parametrize(
    ("call", "compiled"),
    [
        (["gtag", "consent", "update"], ["@", "dataLayer", "consent", "update"]),
        (
            ["uetq.push", "consent", {"a": "granted if this"}],
            ["+", "uetq", "consent", {"a": "?it"}],
        ),
        (["fbq", "consent", "grant"], ["~", "fbq", "consent", "grant"]),
        (["other", 1, False], [".", "other", 1, False]),
        (["a.b().c", [["true if ads"]]], [".", "a.b().c", [["!ads"]]]),
        (["a.b.push", "value of w"], [".", "a.b.push", "$w"]),
        (["ga-disable-G-1 =", True], ["=", "ga-disable-G-1", True]),
        (["a.enabled =", "all grants"], ["=", "a.enabled", "*"]),
    ],
)
def test_a_call_is_written_tersely(call: list[Any], compiled: list[Any]) -> None:
    assert compile_call(call, "it", ["fbq"]) == compiled
    assert list(find_faults({"grant": [call]})) == []


@pytest.mark.parametrize(
    ("connector", "field"),
    [
        ("fbq", ""),
        ({"allow": []}, "allow"),
        ({"grant": "fbq"}, "grant"),
        ({"grant": [["f"]] * 11}, "grant"),
        ({"grant": ["fbq"]}, "grant[0]"),
        ({"grant": [[]]}, "grant[0]"),
        ({"grant": [["f"], ["alert(1)"]]}, "grant[1]"),
        ({"grant": [["f()"]]}, "grant[0]"),
        ({"grant": [["a b"]]}, "grant[0]"),
        ({"grant": [["f\n"]]}, "grant[0]"),
        ({"grant": [["name =", 1, 2]]}, "grant[0]"),
        ({"grant": [["f", None]]}, "grant[0]"),
        ({"grant": [["f", "?analytics"]]}, "grant[0]"),
        ({"grant": [["f", "x" * 201]]}, "grant[0]"),
        ({"grant": [["f", [[[[[1]]]]]]]}, "grant[0]"),
        ({"opt_out": {"revoke": [["f", None]]}}, "opt_out.revoke[0]"),
        ({"opt_out": {"stoppable": True}}, "opt_out"),
        ({"awaits": ["a.b"]}, "awaits"),
        ({"consent_types": ["ads"]}, "consent_types"),
        ({"stoppable": 1, "revoke": [["f"]]}, "stoppable"),
        ({"stoppable": True}, "stoppable"),
        ({"until_heard": 1, "grant": [["f"]]}, "until_heard"),
        ({"until_heard": True}, "until_heard"),
    ],
)
def test_what_is_no_connector_is_refused_by_its_field(connector: Any, field: str) -> None:
    assert [found for found, _advice in find_faults(connector)] == [field]


def test_a_call_with_an_id_is_made_once_for_each_and_never_without() -> None:
    calls = [["ga-disable-{id} =", True], ["f", 1]]
    assert fill_ids(calls, ["G-1", "G-2"]) == [
        ["ga-disable-G-1 =", True],
        ["ga-disable-G-2 =", True],
        ["f", 1],
    ]
    assert fill_ids(calls, []) == [["f", 1]]


def test_the_keys_that_a_connector_depends_on_are_found() -> None:
    connector = {
        "grant": [["f", {"a": "granted if ads", "b": ["true if maps"]}]],
        "opt_out": {"revoke": [["f", "granted if other"], ["f", "value of thing"]]},
    }
    assert keys_in(connector) == {"ads", "maps", "other"}


def test_every_connector_of_the_catalogue_depends_on_usual_categories_alone() -> None:
    usual = {"this", "necessary", "functional", "analytics", "marketing"}
    for service in load_catalogue().values():
        assert keys_in(service.connector) <= usual, service.key
