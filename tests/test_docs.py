"""Documentation: what it names exists, and what exists is named."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import fields as settings_fields
from http import HTTPStatus
from pathlib import Path
from typing import Any

import click
import pytest
from flask import Flask
from flask.testing import FlaskClient
from marshmallow import Schema, fields, missing

from consent_server import config, errors, texts
from consent_server.api.schemas import DecisionSchema
from consent_server.api.specification import list_operations
from consent_server.audit import COLUMNS
from consent_server.catalogue import load_catalogue
from consent_server.cli import main
from consent_server.rules import canonical, checkpoint, merkle, note, times
from consent_server.rules.connector import CONSENT_TYPES, FIELDS
from consent_server.site_form import SiteForm
from tests.connector_table import connector_rows
from tests.documentation import ROOT, Page, all_pages, code, codes, page
from tests.test_layers import LAYERS

PAGES = all_pages()
WIDGET = {file.name: file.read_text("utf-8") for file in (ROOT / "widget" / "src").glob("*.ts")}
API_SOURCE = WIDGET["api.ts"]

#: Codes that come from the framework, named by the status.
_OF_THE_FRAMEWORK = {
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.METHOD_NOT_ALLOWED,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
}


@pytest.fixture(params=PAGES, ids=[one.name for one in PAGES])
def any_page(request: pytest.FixtureRequest) -> Page:
    found: Page = request.param
    return found


def test_every_link_leads_somewhere(any_page: Page) -> None:
    for link in any_page.links:
        target, _, anchor = link.partition("#")
        if target.startswith("https://"):
            continue
        file = (any_page.file.parent / target).resolve() if target else any_page.file
        assert file.exists(), f"{any_page.name} links to {target}"
        if anchor:
            assert anchor in Page(file).anchors, f"{any_page.name} links to {link}"


def test_every_file_that_is_named_exists(any_page: Page) -> None:
    roots = {"consent_server", "widget", "tests", "static", "translations", "docs", ".ci"}
    for name in any_page.codes:
        if name.partition("/")[0] in roots and "/" in name and not re.search(r"[<*\s]", name):
            made = "static" in name and name.startswith("consent_server")
            assert made or (ROOT / name).exists(), f"{any_page.name} names {name}"


def test_every_page_is_reached_from_the_readme() -> None:
    start = page("README.md")
    seen: set[Path] = set()
    waiting = [start.file.resolve()]
    while waiting:
        file = waiting.pop()
        if file in seen or file.suffix != ".md":
            continue
        seen.add(file)
        targets = (link.partition("#")[0] for link in Page(file).links)
        waiting += [(file.parent / one).resolve() for one in targets if one and "://" not in one]
    assert seen == {one.file.resolve() for one in PAGES}


def test_the_documentation_speaks_of_no_setting_that_does_not_exist(any_page: Page) -> None:
    known = {f"CONSENT_{field.name.upper()}" for field in settings_fields(config.Settings)}
    assert set(re.findall(r"CONSENT_[A-Z_]+\b", any_page.text)) <= known | {"CONSENT_"}


def test_every_setting_is_told_with_its_default() -> None:
    told = {
        code(name): code(default)
        for name, default, _ in page("docs/settings.md").table("# Settings")
    }
    defaults = {
        f"CONSENT_{one.name.upper()}": one.default for one in settings_fields(config.Settings)
    }
    assert told == {name: _spell_setting(value) for name, value in defaults.items()}


def _spell_setting(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value) or "empty"


@pytest.mark.parametrize(
    ("assignment", "message"), page("docs/settings.md").table("## What a wrong value says")
)
def test_a_wrong_setting_says_what_is_told(
    assignment: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, _, value = code(assignment).partition("=")
    monkeypatch.setenv(name, value)
    with pytest.raises(errors.ConfigError) as caught:
        config.load_settings()
    assert str(caught.value) == message


def _commands(
    group: click.Command = main, name: str = "consent-server"
) -> Iterator[tuple[str, Any]]:
    if not isinstance(group, click.Group):
        yield name, group
        return
    context = click.Context(group)
    for key in group.list_commands(context):
        command = group.get_command(context, key)
        assert command is not None, key
        yield from _commands(command, f"{name} {key}")


COMMANDS = dict(_commands())


def _options(command: click.Command) -> set[str]:
    options = [one for one in command.params if isinstance(one, click.Option)]
    return {spelling for option in options for spelling in option.opts}


def test_every_command_has_its_section_and_no_other_has_one() -> None:
    headings = re.findall(r"^### `([^`]+)`$", page("docs/cli.md").text, re.M)
    assert sorted(headings) == sorted(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_of_a_command_is_told(name: str) -> None:
    section = page("docs/cli.md").section(f"### `{name}`")
    rows = re.findall(r"^\| (`-.*?) \|", section, re.M)
    assert {one for row in rows for one in codes(row)} == _options(COMMANDS[name])


def test_every_command_that_is_shown_exists_with_its_options(any_page: Page) -> None:
    shown = [line for block in any_page.blocks for line in block.text.splitlines()]
    for line in [*shown, *any_page.codes]:
        for called in re.findall(r"consent-server ((?:(?!['#`|]|\\$).)+)", line):
            words = called.split()
            name = next(
                (n for n in COMMANDS if f"consent-server {called} ".startswith(f"{n} ")), ""
            )
            assert name or words[0].startswith("-"), f"{any_page.name}: {line}"
            options = {word.partition("=")[0] for word in words if word.startswith("-")}
            known = _options(COMMANDS[name]) if name else {"--version"}
            assert options <= known | {"-h", "--help"}, f"{any_page.name}: {line}"


def test_every_route_is_told_and_no_other(client: FlaskClient) -> None:
    document = client.get("/openapi.json").json
    assert document is not None
    rows = page("docs/api.md").table("## Routes")
    told = {(code(method), code(path)) for method, path, *_ in rows}
    assert told == set(list_operations(document))


def test_every_error_code_is_told_with_its_status(app: Flask) -> None:
    assert app, "the application imports every module that has errors"
    family = {one.code: one.status for one in _family(errors.ConsentError)}
    family |= {"internal": 500, canonical.NotCanonical.code: 500, times.NotATime.code: 422}
    family |= {merkle.NoSuchProof.code: 404, merkle.BrokenFrontier.code: 500}
    family |= {note.NotANote.code: 422, note.NotSigned.code: 422}
    family |= {checkpoint.NotACheckpoint.code: 422}
    family |= {s.phrase.lower().replace(" ", "_"): int(s) for s in _OF_THE_FRAMEWORK}
    told = {code(name): int(status) for name, status, _ in page("docs/api.md").table("## Errors")}
    assert told == family


def _family(base: type[errors.ConsentError]) -> Iterator[type[errors.ConsentError]]:
    for one in base.__subclasses__():
        yield one
        yield from _family(one)


def test_the_fields_of_a_decision_and_of_a_record_are_told() -> None:
    decision = [one for row in page("docs/api.md").table("## Decisions") for one in codes(row[0])]
    assert sorted(decision) == sorted(DecisionSchema().fields)
    record = [code(row[0]) for row in page("docs/audit.md").table("## What a record holds")]
    assert record == list(COLUMNS)


def test_the_catalogue_is_told_as_it_is() -> None:
    rows = page("docs/categories-and-services.md").table("## The catalogue")
    told = [[code(key), *rest] for key, *rest in rows]
    assert told == [
        [
            one.key,
            one.name,
            one.category,
            one.provider.name,
            one.provider.country or "-",
            "yes" if one.tag else "no",
        ]
        for one in load_catalogue().values()
    ]


def test_the_fields_of_a_catalogue_file_are_told() -> None:
    rows = page("docs/categories-and-services.md").table("### The fields of a service file")
    folder = ROOT / "consent_server" / "catalogue"
    used = {
        name for file in folder.glob("*.toml") for name in tomllib.loads(file.read_text("utf-8"))
    }
    assert {code(name) for name, *_ in rows} == used


def test_what_each_service_is_told_stands_as_in_its_file() -> None:
    assert page("docs/connectors.md").table("## What each service is told") == connector_rows()


def test_every_field_of_a_connector_is_told() -> None:
    rows = page("docs/connectors.md").table("## A connector of your own")
    assert {code(name) for name, *_ in rows} == set(FIELDS)


def test_every_consent_type_is_told_with_what_decides_on_it() -> None:
    rows = page("docs/connectors.md").table("## Google Consent Mode")
    told = {code(name): words for name, words in rows}
    assert set(told) == set(CONSENT_TYPES)
    for name, key in CONSENT_TYPES.items():
        assert told[name].startswith("always granted" if key == "necessary" else f"`{key}`")


def test_the_categories_are_told_as_visitors_read_them() -> None:
    rows = page("docs/categories-and-services.md").table("## The categories")
    told = {code(key): words for key, words, _ in rows}
    assert told == {key: description for key, (_, description) in texts.CATEGORY_TEXTS.items()}


def _forms(form: type[Schema], heading: str) -> Iterator[tuple[str, Schema]]:
    yield heading, form()
    for name, field in form().fields.items():
        inner = field.inner if isinstance(field, fields.List) else field
        if isinstance(inner, fields.Nested):
            many = isinstance(field, fields.List)
            path = f"services.{name}" if "services" in heading else name
            below = f"### `[[{path}]]`" if many else f"### `[{path}]`"
            yield from _forms(type(inner.schema), below)


FORMS = dict(_forms(SiteForm, "### The top of the file"))


@pytest.mark.parametrize("heading", FORMS)
def test_every_field_of_a_site_file_is_told_with_its_default(heading: str) -> None:
    told = {code(name): default for name, _, default, _ in page("docs/sites.md").table(heading)}
    form = FORMS[heading]
    assert set(told) == set(form.fields)
    for name, field in form.fields.items():
        assert told[name] in _spellings(field), f"{heading} {name}: {told[name]}"


def _spellings(field: fields.Field[Any]) -> set[str]:
    if field.required:
        return {"needed"}
    default = field.load_default
    if default is missing or default is None:
        return {"none"}
    if callable(default):
        made = default()
        return {f"`{json.dumps(made)}`", "none" if not made else "all defaults"}
    return {f"`{json.dumps(default)}`"}


def test_the_texts_that_may_be_replaced_are_told_as_they_are() -> None:
    told = {code(key): words for key, words in page("docs/sites.md").table("## Texts")}
    assert told == {key: texts.UI_TEXTS[key] for key in texts.OVERRIDABLE}


def test_the_members_of_the_pages_interface_are_told() -> None:
    body = re.search(r"interface ConsentApi \{(.*?)^\}", API_SOURCE, re.M | re.S)
    assert body
    members = re.findall(r"^  (?:readonly )?(\w+)[(:]", body[1], re.M)
    rows = page("docs/embed.md").table("## `window.consent`")
    told = [match[1] for row in rows if (match := re.match(r"`consent\.(\w+)", row[0]))]
    assert sorted(told) == sorted(members)


def test_the_events_of_the_page_are_told() -> None:
    named = re.search(r"tellPage\(type: ([^)]+)\)", WIDGET["decide.ts"])
    assert named
    events = {f"consent:{one}" for one in re.findall(r'"(\w+)"', named[1])}
    assert set(re.findall(r"consent:(?!nonce)\w+", page("docs/embed.md").text)) == events


def test_the_actions_of_buttons_are_told() -> None:
    _, _, rest = WIDGET["actions.ts"].partition("export const actions")
    actions = set(re.findall(r"^  (\w+): ", rest.partition("\n};")[0], re.M))
    assert {code(row[0]) for row in page("docs/embed.md").table("## Stable hooks")} == actions


def test_the_attributes_of_held_mark_up_are_told() -> None:
    pattern = r"data-consent(?:-[a-z]+)*"
    parts = [file.read_text("utf-8") for file in (ROOT / "widget" / "src" / "parts").glob("*.ts")]
    sources = [*WIDGET.values(), *parts]
    known = {one for source in sources for one in re.findall(rf"{pattern}\b", source)}
    rows = page("docs/embed.md").table("## Marking what needs consent")
    held = {code(written) for written, *_ in rows}
    assert all(f"data-consent-{code(becomes)}" == code(written) for written, becomes, _ in rows)
    proved = (ROOT / "tests" / "browser" / "test_declared_markup.py").read_text("utf-8")
    assert held <= set(re.findall(pattern, proved)), "each is released by a test"
    told = set(re.findall(pattern, page("docs/embed.md").text))
    assert told - held == known - held
    for one in PAGES:
        assert set(re.findall(pattern, one.text)) <= told, one.name


def test_the_layers_are_told_as_the_test_of_layers_has_them() -> None:
    rows = page("docs/architecture.md").table("## Layers")
    told = {name: set(codes(modules)) for name, modules, _ in rows}
    assert told == {name: set(layer.modules) for name, layer in LAYERS.items()}


def test_every_function_on_the_way_of_a_decision_is_where_it_is_told() -> None:
    for _, files, functions in page("docs/architecture.md").table("## The way of one decision"):
        sources = "".join((ROOT / name).read_text("utf-8") for name in codes(files))
        for name in codes(functions):
            last = name.rpartition(".")[2]
            assert re.search(rf"\b(def|class|function) {last}\b", sources), name


def test_the_two_commands_of_the_readme_are_in_the_makefile_and_are_what_is_checked() -> None:
    block = next(block for block in page("README.md").blocks if block.kind == "sh")
    told = re.findall(r"^make (\w+)", block.text, re.M)
    makefile = (ROOT / "Makefile").read_text("utf-8")
    assert told == ["run", "test"]
    assert all(re.search(rf"^{name}:", makefile, re.M) for name in told)
    assert "\nmake test\n" in (ROOT / ".ci" / "run").read_text("utf-8")


def test_every_make_target_that_is_named_exists(any_page: Page) -> None:
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text("utf-8"), re.M))
    shown = "\n".join([*(block.text for block in any_page.blocks), *any_page.codes])
    assert set(re.findall(r"^(?:\w+=\S+ )?make (\w+)", shown, re.M)) <= targets
