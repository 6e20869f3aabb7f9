"""The service catalogue: what ships is right, and a wrong file is refused by file and field."""

from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from consent_server import catalogue, texts
from consent_server.catalogue import (
    CATEGORIES,
    Service,
    StoredItem,
    get_service,
    load_catalogue,
    read_folder,
)
from consent_server.catalogue.extraction import extract_purposes
from consent_server.errors import CatalogueError, UnknownService
from consent_server.languages import LANGUAGES
from consent_server.rules.lifetime import parse_lifetime

FOLDER = Path(catalogue.__file__).parent
KEYS = {
    "amplitude",
    "aws",
    "consent-record",
    "datadog-rum",
    "getjenny-chat",
    "google-ads",
    "google-analytics",
    "google-maps",
    "google-tag-manager",
    "hotjar",
    "hubspot",
    "intercom",
    "linkedin-insight",
    "logrocket",
    "mailchimp",
    "matomo",
    "meta-pixel",
    "microsoft-clarity",
    "microsoft-uet",
    "mixpanel",
    "new-relic-browser",
    "posthog",
    "segment",
    "sentry",
    "smilee-chat",
    "tiktok-pixel",
    "twilio-flex",
    "vimeo",
    "youtube",
}
SHIPPED = list(load_catalogue().values())

each_service = pytest.mark.parametrize("service", SHIPPED, ids=lambda service: service.key)


PURPOSE = "Does a thing."


def valid_file() -> dict[str, Any]:
    """Give the values of a file that is right in every field."""
    return {
        "key": "example",
        "name": "Example",
        "category": "analytics",
        "tag": True,
        "reviewed": catalogue.load_catalogue()["sentry"].reviewed,
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


# ---- what ships


def test_every_service_that_the_sites_name_is_in_the_catalogue() -> None:
    assert set(load_catalogue()) == KEYS
    assert {file.stem for file in FOLDER.glob("*.toml")} == KEYS


def test_the_catalogue_is_read_once_and_cannot_be_changed() -> None:
    catalogue: Any = load_catalogue()
    assert load_catalogue() is catalogue
    with pytest.raises(TypeError):
        catalogue["sentry"] = get_service("aws")
    with pytest.raises(AttributeError):
        get_service("sentry").category = "necessary"  # type: ignore[misc]


def test_only_hosting_and_our_own_record_are_suggested_as_necessary() -> None:
    assert {s.key for s in SHIPPED if s.category == "necessary"} == {"aws", "consent-record"}


@each_service
def test_every_purpose_is_a_sentence_in_english_and_said_otherwise_elsewhere(
    service: Service,
) -> None:
    for purpose in (service.purpose, *(item.purpose for item in service.items)):
        assert re.fullmatch(r"\S.*\.", purpose)
        said = [texts.translate_purpose(language, purpose) for language in ("en", "fi", "sv")]
        assert said[0] == purpose
        assert len(set(said)) == len(said), f"untranslated: {said}"


@each_service
def test_a_purpose_is_one_sentence_that_fits_the_notice(service: Service) -> None:
    for language in LANGUAGES:
        said = texts.translate_purpose(language, service.purpose)
        # What is short in English may need half as much again elsewhere.
        assert len(said) <= (140 if language in ("en", "fi", "sv") else 200)
        assert said.endswith(".")


@each_service
def test_finnish_says_eväste_and_swedish_says_kaka(service: Service) -> None:
    for purpose in (service.purpose, *(item.purpose for item in service.items)):
        for language in ("fi", "sv"):
            # Within a host name, such as youtube-nocookie.com, it is no word of ours.
            said = texts.translate_purpose(language, purpose)
            assert not re.search(r"\bcookie|keksi|användare|käyttäjä", said, re.I)


def test_translators_are_given_every_purpose_and_told_of_what() -> None:
    for service in SHIPPED:
        with (FOLDER / f"{service.key}.toml").open("rb") as file:
            given = {text: comments for _, _, text, comments in extract_purposes(file, (), (), {})}
        assert set(given) == {service.purpose, *(item.purpose for item in service.items)}
        for item in service.cookies:
            assert given[item.purpose][0].startswith(f"{service.name}: ")


@each_service
def test_a_provider_is_a_legal_person_with_address_and_policy(service: Service) -> None:
    if service.key == "consent-record":
        assert service.provider.name == "{controller}"
        return
    assert service.provider.country in service.provider.country.upper()
    assert "," in service.provider.address
    assert service.provider.policy.startswith("https://")
    assert service.category in CATEGORIES


@each_service
def test_every_fact_has_a_source_and_every_source_names_facts_that_exist(service: Service) -> None:
    sections = {
        "provider": True,
        "processors": bool(service.processors),
        "match": bool(service.hosts or service.paths),
        "cookies": bool(service.cookies),
        "storage": bool(service.storage),
        "texts": True,
    }
    declared = {section for section, there in sections.items() if there}
    declared |= {f"cookies.{item.name}" for item in service.cookies}
    declared |= {f"storage.{item.name}" for item in service.storage}
    named = {fact.strip() for entry in service.provenance for fact in entry.facts.split(",")}
    assert named <= declared
    for item in service.cookies:
        assert {"cookies", f"cookies.{item.name}"} & named
    for item in service.storage:
        assert {"storage", f"storage.{item.name}"} & named
    for section in ("provider", "match", "texts"):
        own = section == "provider" and service.key == "consent-record"
        assert section in named or not sections[section] or own


@each_service
def test_the_open_cookie_database_is_named_with_revision_and_licence(service: Service) -> None:
    for entry in service.provenance:
        if entry.source == "Open Cookie Database":
            assert (entry.revision, entry.licence) == ("0ee5a17", "Apache-2.0")
            assert "texts" not in entry.facts


def test_the_notice_attributes_the_open_cookie_database() -> None:
    text = (Path(__file__).parents[1] / "NOTICE").read_text(encoding="utf-8")
    assert "Open Cookie Database" in text
    assert "0ee5a17" in text
    assert "Apache License, Version 2.0" in text


@each_service
def test_every_lifetime_can_be_said_in_words(service: Service) -> None:
    for item in service.items:
        assert parse_lifetime(item.lifetime) is not None, item


def test_no_request_belongs_to_two_services() -> None:
    for one, other in combinations(SHIPPED, 2):
        for host in one.hosts:
            assert not other.matches_request(host.removeprefix("*.")), (one.key, other.key, host)
            assert not other.matches_request(host.replace("*", "x")), (one.key, other.key, host)
        for path in one.paths:
            host, slash, rest = path.partition("/")
            assert not other.matches_request(host, slash + rest), (one.key, other.key, path)


def test_our_own_cookie_is_described_like_any_other() -> None:
    (cookie,) = get_service("consent-record").cookies
    (outbox,) = get_service("consent-record").storage
    assert (cookie.name, cookie.lifetime) == ("consent_{site_key}", "180d")
    assert (outbox.kind, outbox.name) == ("local_storage", "consent_{site_key}_outbox")


def test_no_pattern_reaches_our_own_decision() -> None:
    for service in SHIPPED:
        if service.key == "consent-record":
            continue
        for item in service.items:
            assert not item.matches("consent_smilee")
            assert not item.matches("consent_smilee_outbox")


@pytest.mark.parametrize(
    "refused", ["__hs_do_not_track", "__hs_opt_out", "_cs_optout", "OptanonConsent"]
)
def test_no_pattern_reaches_a_refusal_that_a_vendor_remembers(refused: str) -> None:
    assert not [s.key for s in SHIPPED for item in s.items if item.matches(refused)]


# ---- matching


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        ("_ga", "_ga", True),
        ("_ga", "_ga_ABC", False),
        ("_ga", "_GA", False),
        ("_ga_*", "_ga_ABC123", True),
        ("_ga_*", "_ga_", True),
        ("_ga_*", "_ga", False),
        ("_ga_*", "x_ga_ABC", False),
        ("*_chatHistory", "4fa7344c_chatHistory", True),
        ("*_chatHistory", "_chatHistory", True),
        ("*_chatHistory", "4fa7344c_chatHistory2", False),
        ("kcob.sid", "kcobXsid", False),
    ],
)
def test_a_stored_item_matches_exactly_or_up_to_its_star(
    pattern: str, name: str, expected: bool
) -> None:
    item = StoredItem("cookie", pattern, "1d", "first", PURPOSE)
    assert item.matches(name) is expected


@pytest.mark.parametrize(
    ("host", "path", "expected"),
    [
        ("www.google-analytics.com", "/g/collect", "google-analytics"),
        ("region1.google-analytics.com", "/g/collect", "google-analytics"),
        ("WWW.Google-Analytics.com.", "/", "google-analytics"),
        ("www.googletagmanager.com", "/gtag/js?id=G-1", "google-analytics"),
        ("www.googletagmanager.com", "/gtm.js?id=GTM-1", "google-tag-manager"),
        ("www.googletagmanager.com", "/ns.html?id=GTM-1", "google-tag-manager"),
        ("www.google.com", "/maps/embed?pb=1", "google-maps"),
        ("www.google.com", "/search", None),
        ("www.facebook.com", "/tr?id=1", "meta-pixel"),
        ("www.facebook.com", "/kommeet", None),
        ("connect.facebook.net", "/en_US/fbevents.js", "meta-pixel"),
        ("snap.licdn.com", "/li.lms-analytics/insight.min.js", "linkedin-insight"),
        ("www.linkedin.com", "/company/smilee", None),
        ("saas.smilee.io", "/assets/javascripts/cobrowse.js", "smilee-chat"),
        ("www.smilee.io", "/", None),
        ("o1.ingest.de.sentry.io", "/api/1/envelope/", "sentry"),
        ("evil-google-analytics.com", "/", None),
        ("google-analytics.com.evil.example", "/", None),
        ("www.youtube-nocookie.com", "/embed/x", "youtube"),
        ("player.vimeo.com", "/video/1", "vimeo"),
    ],
)
def test_a_request_is_told_to_be_of_its_service(host: str, path: str, expected: str | None) -> None:
    found = [service.key for service in SHIPPED if service.matches_request(host, path)]
    assert found == ([expected] if expected else [])


# ---- asking


def test_an_unknown_service_names_those_that_look_alike() -> None:
    with pytest.raises(UnknownService) as caught:
        get_service("google-analitics")
    assert "'google-analitics'" in str(caught.value)
    assert "did you mean google-analytics" in str(caught.value)


def test_a_service_like_no_other_is_answered_with_the_whole_list() -> None:
    with pytest.raises(UnknownService) as caught:
        get_service("qqqqqqqq")
    assert all(key in str(caught.value) for key in KEYS)


# ---- wrong files


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
