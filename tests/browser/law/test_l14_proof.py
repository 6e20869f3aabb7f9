"""L14: consent can be demonstrated: each record leads to the very words and code, by SHA-256."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from click.testing import CliRunner
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from consent_server.cli import main
from consent_server.store.database import Database
from tests.visitor import Visitor


@pytest.fixture
def receipt(visitor: Visitor) -> dict[str, Any]:
    """What a visitor gets who refused everything."""
    answer: Any = visitor.reject_all().json
    return dict(answer)


def test_l14_a_record_leads_to_the_version_that_was_shown_by_its_hash(
    visitor: Visitor, receipt: dict[str, Any]
) -> None:
    answer = visitor.client.get(f"{visitor.address}/versions/{receipt['version']}")
    config = json.loads(answer.text)["config"]
    # By a library that is not ours: RFC 8785, then SHA-256.
    assert hashlib.sha256(rfc8785.dumps(config)).hexdigest() == receipt["version_hash"]
    shown = config["texts"][receipt["language"]]["ui"]
    assert shown["heading"]
    assert shown["reject_all"]


def test_l14_a_record_leads_to_the_very_script_that_ran_by_its_hash(
    visitor: Visitor, receipt: dict[str, Any]
) -> None:
    answer = visitor.client.get(f"{visitor.address}/{receipt['script_hash']}.js")
    assert hashlib.sha256(answer.data).hexdigest() == receipt["script_hash"]
    assert answer.headers["Cache-Control"].endswith("immutable")


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("site_version", "config = '{}'"),
        ("site_script", "body = x'00'"),
        ("consent_event", "answer_number = 2"),
        ("answer", "grants = '{}'"),
    ],
)
def test_l14_neither_the_version_nor_the_script_nor_the_record_can_be_changed(
    database: Database, receipt: dict[str, Any], table: str, column: str
) -> None:
    for statement in (f"UPDATE {table} SET {column}", f"DELETE FROM {table}"):
        with pytest.raises(DBAPIError, match="append-only"), database.write() as session:
            session.execute(text(statement))
    assert receipt["event_id"]


def test_l14_a_record_holds_when_how_and_what_was_decided_yes_and_no(
    receipt: dict[str, Any], visitor: Visitor
) -> None:
    assert receipt["grants"] == visitor.grants()
    for field in ("decided_at", "received_at", "valid_until", "method", "layer", "language"):
        assert receipt[field], field


def test_l14_an_auditor_verifies_it_without_the_database(
    runner: CliRunner, receipt: dict[str, Any], tmp_path: Path
) -> None:
    file = tmp_path / "smilee.jsonl"
    options = ["--site", "smilee", "--format", "jsonl", "-o", str(file)]
    done = runner.invoke(main, ["audit", "export", *options])
    assert done.exit_code == 0, done.output
    lines = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    (found,) = [line for line in lines if line.get("event_id") == receipt["event_id"]]
    leaf = {key: value for key, value in receipt.items() if key not in {"leaf_hash", "salt"}}
    hashed = hashlib.sha256(b"\x00" + rfc8785.dumps(leaf)).hexdigest()
    assert hashed == receipt["leaf_hash"] == found["leaf_hash"]
