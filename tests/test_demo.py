"""Demo: what a newcomer sees first, and what the five sites promise by their mark-up."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import urldefrag, urljoin

import pytest
from flask.testing import FlaskClient

import consent_server.demo
from consent_server.app import create_app
from consent_server.catalogue import get_service
from consent_server.config import Settings
from consent_server.demo.showcase import demo_sites, words
from consent_server.rules.contrast import MIN_TEXT_CONTRAST, contrast
from consent_server.rules.cookie import StoredDecision, cookie_name, spell_cookie
from consent_server.rules.times import parse_time
from tests.browser.demo_pages import pages_with, tags_of
from tests.browser.sites import SITES
from tests.conftest import ReadSite
from tests.served_markup import Markup, read
from tests.visitor import Visitor

STATIC = Path(consent_server.demo.__file__).parent / "static"
SITE_KEYS = list(SITES)
PAGES = ("", "contact", "privacy", "record")
# Names that Mailchimp's form brings along: its own script looks for them.
VENDORS_CLASSES = {"clear", "email", "mc-field-group", "required", "response", "validate"}

each_site = pytest.mark.parametrize("key", SITE_KEYS)
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page or "home")


def _read(client: FlaskClient, address: str) -> Markup:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return read(answer.text)


def _file(client: FlaskClient, address: str) -> str:
    """Fetch a file; closed at once, since it is open while it is sent."""
    answer = client.get(address)
    text = answer.text
    answer.close()
    assert answer.status_code == 200, address
    return text


def _addresses() -> list[str]:
    return ["/", *(f"/demo/{key}/{page}" for key in SITE_KEYS for page in PAGES)]


@pytest.mark.parametrize("address", _addresses())
def test_every_link_and_file_of_a_page_answers(client: FlaskClient, address: str) -> None:
    markup = _read(client, address)
    ids = markup.ids
    for link in markup.links + markup.files:
        if re.match(r"[a-z]+:", link):
            assert link.startswith(("https:", "http:", "mailto:", "tel:")), link
            continue
        path, fragment = urldefrag(urljoin(address, link))
        if path == address:
            assert not fragment or fragment in ids, link
        else:
            _file(client, path)


@pytest.mark.parametrize("address", _addresses())
def test_no_page_loads_anything_from_elsewhere_before_a_decision(
    client: FlaskClient, address: str
) -> None:
    markup = _read(client, address)
    assert markup.foreign == []
    for file in markup.files:
        if file.endswith(".css"):
            style = _file(client, file)
            assert "url(" not in style
            assert "@import" not in style


def test_the_start_page_leads_to_each_site_its_record_and_what_was_shown(
    client: FlaskClient,
) -> None:
    markup = _read(client, "/")
    for key in SITE_KEYS:
        for address in (f"/demo/{key}/", f"/demo/{key}/record", f"/w/{key}/versions/1"):
            assert address in markup.links
    text = " ".join(markup.text)
    assert '<script async src="http://localhost/w/smilee.js"></script>' in text
    assert "--site smilee --format jsonl -o smilee.jsonl" in text
    for site in demo_sites().values():
        assert all(get_service(service.key).name in text for service in site.services)


@each_site
@each_page
def test_pages_are_in_the_language_of_the_site(client: FlaskClient, key: str, page: str) -> None:
    assert _read(client, f"/demo/{key}/{page}").language == SITES[key].languages[0]


@each_site
@each_page
def test_our_tag_stands_first_in_the_head(client: FlaskClient, key: str, page: str) -> None:
    head = client.get(f"/demo/{key}/{page}").text.partition("<head>")[2].lstrip()
    assert head.startswith(f'<script async src="/w/{key}.js"></script>')


@each_site
@pytest.mark.parametrize("page", ["", "contact"], ids=["home", "contact"])
def test_the_list_of_tags_is_what_the_page_holds(client: FlaskClient, key: str, page: str) -> None:
    held = _read(client, f"/demo/{key}/{page}").held
    listed = tags_of(key, page)
    assert [(tag.service, tag.kind) for tag in held] == [(t.service, t.kind) for t in listed]
    for tag, expected in zip(held, listed, strict=True):
        assert tag.address.startswith(expected.prefix)


@each_site
def test_every_service_that_needs_consent_has_a_tag(key: str) -> None:
    services = SITES[key].optional_services
    assert [service for service in services if not pages_with(key, service)] == []
    assert any(tag.kind == "embed" for tag in tags_of(key, "contact"))


@each_site
def test_nothing_waits_for_a_service_that_the_site_does_not_name(
    client: FlaskClient, key: str
) -> None:
    for page in PAGES:
        held = {tag.service for tag in _read(client, f"/demo/{key}/{page}").held}
        assert held <= set(SITES[key].optional_services)


@pytest.mark.parametrize("address", _addresses())
def test_every_class_of_a_page_is_styled(client: FlaskClient, address: str) -> None:
    markup = _read(client, address)
    styles = "".join(_file(client, file) for file in markup.files if file.endswith(".css"))
    styled = set(re.findall(r"\.([a-z][\w-]*)", styles))
    of_body = {*SITE_KEYS, "home", "contact", "privacy", "record"}
    assert markup.classes - styled - of_body - VENDORS_CLASSES == set()


def _colours(name: str) -> dict[str, dict[str, str]]:
    """Custom properties that are colours: scheme -> name -> #rrggbb; dark builds on light."""
    light, _, dark = (STATIC / name).read_text("utf-8").partition("prefers-color-scheme: dark")
    found: dict[str, dict[str, str]] = {}
    for scheme, text in (("light", light), ("dark", dark)):
        pairs = re.findall(r"--([a-z-]+): (#[0-9a-f]{3,6});", text)
        colours = {
            key: value if len(value) == 7 else "#" + "".join(2 * digit for digit in value[1:])
            for key, value in pairs
        }
        found[scheme] = {"on-accent": "#ffffff", **found.get("light", {}), **colours}
    return found


@pytest.mark.parametrize("name", [*SITE_KEYS, "start"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_every_ground(name: str, scheme: str) -> None:
    colours = _colours(f"{name}.css")[scheme]
    for ground in ("ground", "surface", "tint"):
        for text in ("text", "quiet", "accent"):
            assert contrast(colours[text], colours[ground]) >= MIN_TEXT_CONTRAST, (text, ground)
    assert contrast(colours["on-accent"], colours["accent"]) >= MIN_TEXT_CONTRAST


@each_site
def test_page_and_notice_have_the_same_accent(read_site: ReadSite, key: str) -> None:
    theme, colours = read_site(key)["theme"], _colours(f"{key}.css")
    assert colours["light"]["accent"] == theme["accent"]
    assert colours["dark"]["accent"] == theme["accent_dark"]


def test_the_record_page_says_that_nothing_is_recorded_before_a_decision(
    client: FlaskClient,
) -> None:
    answer = client.get("/demo/smilee/record")
    assert "Inget är antecknat ännu" in answer.text
    assert answer.headers["Cache-Control"] == "private, no-store"


def test_the_record_page_shows_every_field_of_the_visitors_own_decision(visitor: Visitor) -> None:
    receipt, cookie = _decide(visitor)
    page = visitor.client.get("/demo/smilee/record", headers={"Cookie": cookie}).text
    assert "Samtycke lämnat" in page
    for name, value in receipt.items():
        assert f"{words('sv')['fields'][name]} <code>{name}</code>" in page
        if isinstance(value, str) and value:
            assert value in page
    assert visitor.subject_id not in page


def test_the_record_page_tells_a_decision_that_is_still_on_its_way(visitor: Visitor) -> None:
    _, cookie = _decide(visitor)
    cookie = cookie.replace(visitor.subject_id, Visitor(visitor.client).subject_id)
    page = visitor.client.get("/demo/smilee/record", headers={"Cookie": cookie}).text
    assert "Din webbläsare minns ett beslut" in page


def _decide(visitor: Visitor) -> tuple[dict[str, Any], str]:
    """Allow the chat alone; return the receipt and the cookie that the widget then writes."""
    decision = visitor.decision("smilee-chat")
    answer = visitor.send(decision)
    assert answer.status_code == 201, answer.text
    stored = StoredDecision(
        version=decision["version"],
        decided_at=parse_time(decision["decided_at"]),
        subject_id=visitor.subject_id,
        grants=decision["grants"],
    )
    return answer.get_json(), f"{cookie_name('smilee')}={spell_cookie(stored)}"


def test_the_sites_of_every_language_have_the_same_words() -> None:
    of_start_page = {"abouts", "categories", "entries", "forms"}
    english = words("en")
    for language in ("fi", "sv"):
        assert words(language).keys() == english.keys() - of_start_page
        for name in ("fields", "kinds", "values"):
            assert words(language)[name].keys() == english[name].keys()


def test_an_unknown_demo_site_is_not_found(client: FlaskClient) -> None:
    for page in PAGES:
        assert client.get(f"/demo/nobody/{page}").status_code == 404


def test_a_server_in_earnest_has_no_demo_pages(settings: Settings) -> None:
    app = create_app(Settings(database_url=settings.database_url))
    client = app.test_client()
    assert [client.get(path).status_code for path in ("/", "/demo/smilee/")] == [404, 404]
    app.extensions["consent"].database.close()
