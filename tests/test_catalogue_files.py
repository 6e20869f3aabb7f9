"""Files of the service catalogue: a wrong one is refused by file and field."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from consent_server.catalogue import load_catalogue, read_folder
from consent_server.errors import CatalogueError

PURPOSE = "Does a thing."


def valid_file() -> dict[str, Any]:
    """Give the values of a file that is right in every field."""
    return {
        "key": "example",
        "name": "Example",
        "category": "analytics",
        "tag": True,
        "reviewed": load_catalogue()["sentry"].reviewed,
        "provider": {
            "name": "Example Oy",
            "country": "FI",
            "address": "Esimerkkikatu 1, 00100 Helsinki",
            "policy": "https://example.com/privacy",
            "transfers": ["US"],
        },
        "processors": [{"name": "Example Inc.", "country": "US"}],
        "match": {"hosts": ["*.example.com"], "paths": ["shared.example.org/example.js"]},
        "cookies": [{"name": "_ex_*", "lifetime": "13mo", "party": "first", "purpose": PURPOSE}],
        "storage": [
            {
                "kind": "local_storage",
                "name": "_ex",
                "lifetime": "persistent",
                "purpose": PURPOSE,
            }
        ],
        "texts": {"purpose": PURPOSE},
        "connector": {"kind": "none"},
        "provenance": [
            {
                "source": "Example docs",
                "url": "https://example.com/docs",
                "licence": "facts",
                "facts": "cookies",
            }
        ],
    }


def change(values: dict[str, Any], path: str, value: Any) -> None:
    """Set (or, with `...`, take away) one field, given as `cookies.0.name`."""
    *steps, last = (int(step) if step.isdigit() else step for step in path.split("."))
    place: Any = values
    for step in steps:
        place = place[step]
    if value is ...:
        del place[last]
    else:
        place[last] = value


def write_file(folder: Path, values: dict[str, Any], name: str = "example") -> Path:
    file = folder / f"{name}.toml"
    file.write_text(tomli_w.dumps(values), encoding="utf-8")
    return file


def refusal(folder: Path) -> str:
    with pytest.raises(CatalogueError) as caught:
        read_folder(folder)
    return str(caught.value)


def test_a_file_in_the_documented_form_is_read(tmp_path: Path) -> None:
    write_file(tmp_path, valid_file())
    service = read_folder(tmp_path)["example"]
    assert service.provider.country == "FI"
    assert [item.kind for item in service.items] == ["cookie", "local_storage"]
    assert service.storage[0].party == "first"
    assert service.connector == {}


LONG = "x" * 140 + "."

WRONG = [
    ("colour", "red", "colour", "is not a known field"),
    ("provider.adress", "x", "provider.adress", "did you mean address"),
    ("key", ..., "key", "is missing; add it"),
    ("key", "Example", "key", "write a-z, 0-9 and -"),
    ("key", "-example", "key", "write a-z, 0-9 and -"),
    ("key", "e" * 41, "key", "at most 40"),
    ("key", "another", "key", "rename the file to another.toml"),
    ("name", "", "name", "is empty; fill it"),
    ("name", " Example", "name", "has blanks around it"),
    ("name", 7, "name", "write a text in quotes"),
    ("category", "Functional", "category", "write one of necessary, functional"),
    ("category", "statistics", "category", "write one of necessary, functional"),
    ("category", "necessary", "category", "'necessary' for a tag"),
    ("tag", "yes", "tag", "write true or false"),
    ("tag", False, "match.hosts", "without a tag there is no request"),
    ("reviewed", "2026-11-22", "reviewed", "write a date without quotes"),
    ("provider", ..., "provider", "is missing"),
    ("provider", "Example Oy", "provider", "write a table"),
    ("provider.name", ..., "provider.name", "is missing"),
    ("provider.country", "fi", "provider.country", "two capitals of ISO 3166-1"),
    ("provider.country", "FIN", "provider.country", "two capitals of ISO 3166-1"),
    ("provider.country", "", "provider.country", "is empty"),
    ("provider.address", "", "provider.address", "is empty"),
    ("provider.policy", "http://example.com", "provider.policy", "absolute https link"),
    ("provider.policy", "/privacy", "provider.policy", "absolute https link"),
    ("provider.transfers", "US", "provider.transfers", "write a list"),
    ("provider.transfers", ["USA"], "provider.transfers[0]", "two capitals"),
    ("provider.transfers", ["US", "US"], "provider.transfers[1]", "is there twice"),
    ("processors.0.country", "Finland", "processors[0].country", "two capitals"),
    ("processors.0.role", "host", "processors[0].role", "is not a known field"),
    ("processors", {"name": "x"}, "processors", "write [[processors]]"),
    ("match", ..., "match.hosts", "a tag needs a host or a path"),
    ("match.hosts", ["https://example.com"], "match.hosts[0]", "without scheme or path"),
    ("match.hosts", ["example.com/x"], "match.hosts[0]", "without scheme or path"),
    ("match.hosts", ["Example.com"], "match.hosts[0]", "lower-case host"),
    ("match.hosts", ["localhost"], "match.hosts[0]", "lower-case host"),
    ("match.hosts", ["cdn.*.example.com"], "match.hosts[0]", "lower-case host"),
    ("match.hosts", ["*.com"], "match.hosts[0]", "lower-case host"),
    ("match.hosts", ["example..com"], "match.hosts[0]", "lower-case host"),
    ("match.paths", ["example.com"], "match.paths[0]", "host and path prefix"),
    ("match.paths", ["example.com/"], "match.paths[0]", "host and path prefix"),
    ("match.paths", ["example.com/a?b"], "match.paths[0]", "host and path prefix"),
    ("match.port", 443, "match.port", "is not a known field"),
    ("cookies.0.name", "_ex_*_*", "cookies[0].name", "one * at its end or beginning"),
    ("cookies.0.name", "*", "cookies[0].name", "one * at its end or beginning"),
    ("cookies.0.name", "a b", "cookies[0].name", "one * at its end or beginning"),
    ("cookies.0.name", "a;b", "cookies[0].name", "one * at its end or beginning"),
    ("cookies.0.lifetime", "2 years", "cookies[0].lifetime", 'like "13mo"'),
    ("cookies.0.lifetime", "0d", "cookies[0].lifetime", 'like "13mo"'),
    ("cookies.0.lifetime", "2m", "cookies[0].lifetime", 'like "13mo"'),
    ("cookies.0.lifetime", 30, "cookies[0].lifetime", "write a text in quotes"),
    ("cookies.0.party", "second", "cookies[0].party", "write one of first, third"),
    ("cookies.0.party", ..., "cookies[0].party", "is missing"),
    ("cookies.0.purpose", ..., "cookies[0].purpose", "is missing; add it"),
    ("cookies.0.purpose", "", "cookies[0].purpose", "is empty; fill it"),
    ("cookies.0.purpose", {"en": PURPOSE}, "cookies[0].purpose", "write a text in quotes"),
    ("storage.0.kind", "cookie", "storage[0].kind", "write one of local_storage"),
    ("storage.0.kind", "session_storage", "storage[0].lifetime", 'is "session"'),
    ("storage.0.purpose", LONG, "storage[0].purpose", "has 141 characters; say it in 140"),
    ("storage.0.name", "a*b", "storage[0].name", "one * at its end or beginning"),
    ("texts", ..., "texts", "is missing"),
    ("texts.purpose", ..., "texts.purpose", "is missing"),
    ("texts.purpose", LONG, "texts.purpose", "has 141 characters; say it in 140"),
    ("texts.fi", {"purpose": "x"}, "texts.fi", "is not a known field"),
    ("connector", ..., "connector", "is missing"),
    ("connector.kind", "script", "connector.kind", "write one of none, calls"),
    ("connector.kind", "calls", "connector.kind", 'write "calls" with calls, "none" without'),
    ("connector.grant", [["ex.grant"]], "connector.kind", 'write "calls" with calls'),
    ("provenance", ..., "provenance", "say where the facts come from"),
    ("provenance.0.licence", ..., "provenance[0].licence", "is missing"),
    ("provenance.0.url", ..., "provenance[0].revision", "give a revision or a url"),
    ("provenance.0.url", "docs", "provenance[0].url", "absolute https link"),
]


@pytest.mark.parametrize(
    ("path", "value", "field", "advice"), WRONG, ids=[f"{w[0]}={w[1]!r:.24}" for w in WRONG]
)
def test_a_wrong_file_is_refused_by_file_and_field_and_told_what_to_do(
    tmp_path: Path, path: str, value: Any, field: str, advice: str
) -> None:
    values = valid_file()
    change(values, path, value)
    write_file(tmp_path, values)
    message = refusal(tmp_path)
    assert message.startswith(f"example.toml: {field}: ")
    assert advice in message


@pytest.mark.parametrize(("table", "field"), [("cookies", "cookies[1]"), ("storage", "storage[1]")])
def test_the_same_item_twice_is_refused(tmp_path: Path, table: str, field: str) -> None:
    values = valid_file()
    values[table] *= 2
    write_file(tmp_path, values)
    assert refusal(tmp_path).startswith(f"example.toml: {field}.name: ")


def test_a_time_of_day_is_not_a_date_of_review(tmp_path: Path) -> None:
    file = write_file(tmp_path, valid_file())
    text = file.read_text(encoding="utf-8")
    file.write_text(re.sub(r"(reviewed = \S+)", r"\1T10:00:00", text), encoding="utf-8")
    assert refusal(tmp_path).startswith("example.toml: reviewed: ")


def test_only_the_site_itself_may_leave_its_address_to_the_site_file(tmp_path: Path) -> None:
    values = valid_file()
    values["provider"] = {
        "name": "{controller}",
        "country": "",
        "address": "",
        "policy": "",
        "transfers": [],
    }
    write_file(tmp_path, values)
    assert read_folder(tmp_path)["example"].provider.country == ""


@pytest.mark.parametrize("content", [b'key = "exa', b"key = '\xff'", b"a = 1\na = 2"])
def test_what_is_not_toml_is_refused_by_its_file(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "example.toml").write_bytes(content)
    assert refusal(tmp_path).startswith("example.toml: is not TOML in UTF-8: ")


def test_a_folder_without_files_stops_the_start(tmp_path: Path) -> None:
    assert "holds no service file" in refusal(tmp_path)
