"""Documented examples: what a reader copies from the docs does what they say."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from consent_server.config import Settings
from consent_server.rules.cookie import parse_cookie, spell_cookie
from consent_server.rules.decision import Layer, Method
from tests.documentation import ROOT, page
from tests.visitor import Visitor

BIN = Path(sys.executable).parent


def _environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CONSENT_")}
    return {**kept, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", **more}


def _shell(script: str, folder: Path, **more: str) -> str:
    """Return all that a shell printed, in order."""
    done = subprocess.run(
        ["bash", "-c", script],
        check=False,
        cwd=folder,
        env=_environment(**more),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
    )
    return done.stdout


def _parts(console: str) -> list[tuple[str, str]]:
    """Return each command of a console block with what it prints."""
    commands = re.split(r"^\$ ", console, flags=re.M)[1:]
    return [(line, said) for line, _, said in (one.partition("\n") for one in commands)]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the docs in it, as a reader has them."""
    folder = tmp_path_factory.mktemp("checkout")
    (folder / "docs").symlink_to(ROOT / "docs")
    return folder


def test_the_walk_through_of_a_site_file_prints_what_is_told(checkout: Path) -> None:
    steps = [
        step for block in page("docs/sites.md").tested("walk-through") for step in _parts(block)
    ]
    mark = "--- next ---"
    script = "\n".join(f"{command}\necho '{mark}'" for command, _ in steps)
    printed = _shell(script, checkout).split(f"{mark}\n")
    for (command, told), said in zip(steps, printed, strict=False):
        assert said == told, command
    assert len(printed) == len(steps) + 1


def test_the_readme_shows_the_tag_that_the_command_prints() -> None:
    [tag] = {
        line.strip() for line in page("docs/sites.md").text.splitlines() if "<script async" in line
    }
    assert tag in page("README.md").text
    assert tag in page("docs/embed.md").text


def test_a_pinned_tag_spells_one_hash_in_both_ways() -> None:
    text = page("docs/embed.md").text
    found = re.search(r'/([0-9a-f]{64})\.js"\s+integrity="sha256-([^"]+)"', text)
    assert found
    assert base64.b64encode(bytes.fromhex(found[1])).decode() == found[2]


def test_the_check_of_an_export_needs_python_only_and_finds_a_change(
    visitor: Visitor, settings: Settings, tmp_path: Path
) -> None:
    visitor.accept_all()
    visitor.withdraw()
    (tmp_path / "var" / "demo").mkdir(parents=True)
    url = settings.database_url
    [console] = page("docs/audit.md").tested("export")
    [_, *commands] = [command for command, _ in _parts(console)]
    _shell("\n".join(commands), tmp_path, CONSENT_DATABASE_URL=url)
    records, versions = tmp_path / "smilee.jsonl", tmp_path / "smilee.versions.jsonl"
    assert len((tmp_path / "smilee.csv").read_text("utf-8-sig").splitlines()) == 3
    [program] = page("docs/audit.md").tested("leaf-hash")
    check = [sys.executable, "-I", "-S", "-c", program, str(records), str(versions)]
    right = subprocess.run(check, check=True, capture_output=True, text=True)
    assert right.stdout == "Records: 2, versions: 1. All hashes are right.\n"
    records.write_text(records.read_text("utf-8").replace(":true", ":false", 1), "utf-8")
    wrong = subprocess.run(check, check=False, capture_output=True, text=True)
    assert (wrong.returncode, "was changed" in wrong.stderr) == (1, True)


def test_a_record_is_matched_with_its_visitor_as_told(visitor: Visitor) -> None:
    receipt = visitor.reject_all().json
    names: dict[str, Any] = {}
    [program] = page("docs/audit.md").tested("commitment")
    exec(program, names)
    assert names["belongs_to"](receipt, visitor.subject_id) is True
    assert names["belongs_to"](receipt, "0" * 32) is False


def test_the_decision_that_is_told_is_taken_and_answered_with_a_receipt(
    visitor: Visitor, client: FlaskClient
) -> None:
    [body] = page("docs/api.md").tested("decision")
    decision = {**json.loads(body), "script": visitor.read_script()["script"]}
    assert [visitor.send(decision).status_code for _ in range(2)] == [201, 200]
    own = {"Authorization": f"Bearer {decision['subject_id']}"}
    assert client.get("/w/smilee/decision", headers=own).status_code == 200


def test_the_decision_cookie_that_is_told_is_one() -> None:
    [spelled] = page("docs/embed.md").tested("cookie")
    stored = parse_cookie(spelled.strip())
    assert stored is not None
    assert (stored.version, spell_cookie(stored)) == (3, spelled.strip())


def test_every_method_and_layer_of_a_record_is_told() -> None:
    rows = {row[0]: row[1] for row in page("docs/audit.md").table("## What a record holds")}
    assert all(f"`{method}`" in rows["`method`"] for method in Method)
    assert all(f"`{layer}`" in rows["`layer`"] for layer in Layer)
