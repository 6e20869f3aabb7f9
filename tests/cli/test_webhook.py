"""Webhook commands: where a site's server is told, and with which secret."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from consent_server.cli import main
from consent_server.cli.deliveries import Deliverer
from consent_server.config import Settings
from consent_server.store.database import Database
from tests.visitor import Visitor

URL = "http://127.0.0.1:9/hook"


@pytest.fixture(autouse=True)
def folder(runner: CliRunner, tmp_path: Path) -> Path:
    runner.env = {**runner.env, "CONSENT_KEY_FOLDER": str(tmp_path / "keys")}
    return tmp_path / "keys"


def _run(runner: CliRunner, *arguments: str, code: int = 0) -> Result:
    result = runner.invoke(main, ["webhook", *arguments])
    assert result.exit_code == code, result.output
    return result


def test_the_secret_is_printed_and_stays_until_it_is_replaced(runner: CliRunner) -> None:
    said = _run(runner, "set", "smilee", URL).output.splitlines()
    assert said[0] == f"Decisions on smilee are told to {URL}. The secret that signs them:"
    assert said[1].startswith("whsec_")
    assert _run(runner, "secret", "smilee").output.splitlines() == said[1:]
    assert _run(runner, "set", "smilee", f"{URL}2").output.splitlines()[1] == said[1]
    assert _run(runner, "rotate", "smilee").output.splitlines()[1] != said[1]


def test_what_waits_is_listed_and_told_by_the_doctor(
    runner: CliRunner, visitor: Visitor, database: Database, folder: Path, settings: Settings
) -> None:
    assert _run(runner, "list").output == "No site has a webhook.\n"
    _run(runner, "set", "smilee", URL)
    visitor.accept_all()
    visitor.withdraw()
    assert Deliverer(database, folder).run() == 0
    row = _run(runner, "list").output.splitlines()[1].split()
    assert row[:3] == ["smilee", URL, "1"]
    assert "refused" in " ".join(row)
    found = json.loads(runner.invoke(main, ["doctor", "--json"]).output)["findings"]
    assert [one["good"] for one in found if one["name"] == "webhook smilee"] == [True]
    with database.write() as session:
        session.connection().exec_driver_sql("UPDATE webhook_delivery SET due_at = NULL")
    found = json.loads(runner.invoke(main, ["doctor", "--json"]).output)["findings"]
    [finding] = [one for one in found if one["name"] == "webhook smilee"]
    assert finding["good"] is False
    assert "1 were given up" in finding["said"]
    assert finding["todo"].endswith("consent-server webhook retry smilee")
    assert _run(runner, "retry", "smilee").output == "1 is tried by the running server now.\n"


def test_where_nothing_waits_nothing_is_said_to_be_tried(runner: CliRunner) -> None:
    _run(runner, "set", "smilee", URL)
    assert _run(runner, "retry", "smilee").output == (
        "Nothing waits for the server of smilee, and nothing was given up: "
        "there is nothing to try.\n"
    )


def test_a_removed_webhook_is_gone(runner: CliRunner) -> None:
    _run(runner, "set", "smilee", URL)
    assert "no webhook any more" in _run(runner, "remove", "smilee", "--yes").output
    assert "has no webhook" in _run(runner, "secret", "smilee", code=1).output


@pytest.mark.parametrize(
    "arguments",
    [
        ("set", "nobody", URL),
        ("set", "smilee", "http://www.example.com/"),
        ("rotate", "smilee"),
        ("retry", "smilee"),
        ("remove", "smilee", "--yes"),
    ],
)
def test_what_cannot_be_is_refused(runner: CliRunner, arguments: tuple[str, ...]) -> None:
    _run(runner, *arguments, code=1)
