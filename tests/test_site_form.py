"""Site files, their form: what is wrong is named by its path, and nothing unknown passes."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from consent_server.errors import InvalidForm
from consent_server.site_form import load_site_form
from tests.conftest import ReadSite

SITES = ["getjenny", "jackbot", "jiminny", "smilee", "ujet"]
OWN_SERVICE = {
    "key": "own-chat",
    "name": "Own chat",
    "category": "functional",
    "retention": "1y",
    "purpose": {"en": "Chats."},
    "provider": {"name": "Own Oy", "country": "FI", "policy": "/privacy"},
    "items": [{"name": "own", "lifetime": "1y", "purpose": {"en": "Remembers."}}],
}


def change(site: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Return a copy of `site` with the value at a field path replaced or added."""
    changed = copy.deepcopy(site)
    *steps, last = path.split(".")
    place: Any = changed
    for step in steps:
        place = place[int(step)] if step.isdigit() else place[step]
    place[int(last) if last.isdigit() else last] = value
    return changed


@pytest.fixture
def site(read_site: ReadSite) -> dict[str, Any]:
    """The Smilee file with an own service as its sixth."""
    found = copy.deepcopy(read_site("smilee"))
    found["services"].append(copy.deepcopy(OWN_SERVICE))
    return found


def errors_of(site: dict[str, Any]) -> dict[str, Any]:
    with pytest.raises(InvalidForm) as refused:
        load_site_form(site)
    assert refused.value.errors is not None
    return refused.value.errors


@pytest.mark.parametrize("key", SITES)
def test_the_files_that_ship_are_right(read_site: ReadSite, key: str) -> None:
    assert load_site_form(read_site(key))["key"] == key


@pytest.mark.parametrize(
    "place",
    [
        "",
        "controller.",
        "data_protection.",
        "supervisory_authority.",
        "links.",
        "theme.",
        "categories.0.",
        "services.0.",
        "services.5.provider.",
        "services.5.items.0.",
    ],
)
@pytest.mark.parametrize("name", ["unknown", "__proto__", "Name"])
def test_an_unknown_field_is_refused_at_every_level(
    site: dict[str, Any], place: str, name: str
) -> None:
    assert errors_of(change(site, f"{place}{name}", 1)) == {f"{place}{name}": ["Unknown field."]}


@pytest.mark.parametrize(
    "path",
    [
        "key",
        "name",
        "origins",
        "languages",
        "controller",
        "controller.name",
        "controller.address",
        "controller.country",
        "controller.email",
        "data_protection.email",
        "supervisory_authority",
        "supervisory_authority.name",
        "supervisory_authority.url",
        "links",
        "links.policy",
        "categories",
        "categories.0.key",
        "services",
        "services.0.retention",
        "services.5.provider.name",
        "services.5.provider.country",
        "services.5.provider.policy",
        "services.5.items.0.name",
        "services.5.items.0.lifetime",
    ],
)
def test_a_missing_field_is_named(site: dict[str, Any], path: str) -> None:
    *steps, last = path.split(".")
    place: Any = site
    for step in steps:
        place = place[int(step)] if step.isdigit() else place[step]
    del place[last]
    assert list(errors_of(site)) == [path]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("key", "Smilee"),
        ("key", "-smilee"),
        ("key", "smilee\n"),
        ("key", "a" * 41),
        ("name", ""),
        ("name", "a" * 81),
        ("name", "a\x00b"),
        ("name", 1),
        ("origins", []),
        ("origins.0", "https://example.com/"),
        ("origins.0", "http://example.com"),
        ("origins.0", "https://Example.com"),
        ("origins.0", "https://*.example.com"),
        ("origins.0", "https://user@example.com"),
        ("origins.0", "https://exämple.com"),
        ("origins.0", "https://example.com\n"),
        ("origins.0", "null"),
        ("origins.0", "*"),
        ("languages", []),
        ("languages.0", "english"),
        ("cookie_domain", "localhost"),
        ("cookie_domain", ".example.com"),
        ("cookie_domain", "example.com; Secure"),
        ("cookie_domain", "example.com\n"),
        ("regime", "opt_maybe"),
        ("regions", {"us-ca": "opt_out"}),
        ("regions", {"US-CA": "by_region"}),
        ("sold_or_shared", "marketing"),
        ("do_not_track", "yes"),
        ("valid_days", 179),
        ("valid_days", 391),
        ("valid_days", "180"),
        ("valid_days", True),
        ("controller.country", "fi"),
        ("controller.email", "nobody"),
        ("controller.email", "a@b.c\x00"),
        ("supervisory_authority.url", "javascript:alert(1)"),
        ("supervisory_authority.url", "http://example.com"),
        ("links.policy", ""),
        ("links.policy", "//evil.example"),
        ("links.policy", "/\\evil.example"),
        ("links.policy", "https://user@evil.example"),
        ("links.policy", "/a b"),
        ("links.policy", "data:text/html,x"),
        ("links.policy", "/" + "a" * 300),
        ("links.archive", "ftp://example.com"),
        ("theme.form", "popup"),
        ("theme.position", "left"),
        ("theme.entry", "nowhere"),
        ("theme.order", "accept_only"),
        ("theme.radius", 25),
        ("theme.radius", 1.5),
        ("children", "sometimes"),
        ("theme.button_radius", -1),
        ("theme.border_width", 4),
        ("theme.shadow", "0 0 9px red"),
        ("theme.spacing", "none"),
        ("theme.font", "Comic Sans"),
        ("theme.text_size", 15),
        ("theme.text_size", 25),
        ("theme.border", "none"),
        ("theme.accent", "#FFF"),
        ("theme.accent", "red"),
        ("theme.accent", "#14509b;}"),
        ("theme.surface_dark", "#14509b\n"),
        ("categories", []),
        ("categories.0.key", "necessary cookies"),
        ("services.0.use", "../secrets"),
        ("services.0.retention", "for ever"),
        ("services.0.retention", "0d"),
        ("services.0.legal_basis", "none"),
        ("services.5.provider.transfers", ["USA"]),
        ("services.5.items.0.kind", "etag"),
        ("services.5.items.0.lifetime", "1 year"),
    ],
)
def test_a_wrong_value_is_named_by_its_path(site: dict[str, Any], path: str, value: Any) -> None:
    (found,) = errors_of(change(site, path, value))
    assert found == path or found.startswith(f"{path}.")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("origins.0", "https://www.example.com:8443"),
        ("origins.0", "http://localhost"),
        ("origins.0", "https://xn--exmple-cua.com"),
        ("cookie_domain", ""),
        ("cookie_domain", "example.co.uk"),
        ("valid_days", 390),
        ("links.policy", "/"),
        ("links.policy", "/tietosuoja?kieli=fi#evästeet"),
        ("links.policy", "https://example.com"),
        ("links.policy", {"sv": "/sv", "fi": "/fi", "en": "/en"}),
        ("data_protection", None),
        ("theme", {}),
        ("services.0.retention", "persistent"),
        ("name", "<b>Bold & “quoted”</b>"),
    ],
)
def test_what_is_right_is_taken_as_it_is(site: dict[str, Any], path: str, value: Any) -> None:
    load_site_form(change(site, path, value))


def test_every_fault_is_told_at_once(site: dict[str, Any]) -> None:
    site["name"] = ""
    site["services"][2]["retention"] = "soon"
    site["extra"] = 1
    assert sorted(errors_of(site)) == ["extra", "name", "services.2.retention"]


@pytest.mark.parametrize("data", [None, [], "text", 1])
def test_what_is_no_table_is_refused(data: Any) -> None:
    assert errors_of(data)


def test_left_out_fields_get_their_documented_defaults(site: dict[str, Any]) -> None:
    for name in ("cookie_domain", "regime", "valid_days", "theme", "texts", "data_protection"):
        site.pop(name, None)
    form = load_site_form(site)
    assert (form["regime"], form["valid_days"], form["cookie_domain"]) == ("opt_in", 180, "")
    assert form["theme"]["form"] == "box"
    assert form["data_protection"] is None


def test_no_service_is_granted_by_the_file_itself(site: dict[str, Any]) -> None:
    for name in ("default", "preselected", "granted", "enabled"):
        assert list(errors_of(change(site, f"services.0.{name}", True))) == [f"services.0.{name}"]
