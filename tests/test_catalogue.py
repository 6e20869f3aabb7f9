"""The service catalogue: what ships is right, and is found."""

from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from consent_server import catalogue, texts
from consent_server.catalogue import (
    CATEGORIES,
    Service,
    StoredItem,
    get_service,
    load_catalogue,
)
from consent_server.catalogue.extraction import extract_purposes
from consent_server.errors import UnknownService
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
    item = StoredItem("cookie", pattern, "1d", "first", "Does a thing.")
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
