"""The small verifier: what the program inside a bundle refuses by itself."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest

from consent_server.rules.times import parse_time
from consent_server.verification import verify as small
from tests.verification.checking import said_by_the_small_one
from tests.verification.logs import WHOLE, Log, log_key, make_log, write_bundle


@pytest.fixture
def log() -> Log:
    """A log to change before it is written."""
    return make_log(300)


@pytest.mark.parametrize(
    "filters", [{"from": "0001"}, {"versions": [1]}, {"subject": "00" * 32}, {"to": "9999"}]
)
def test_a_whole_bundle_that_lost_records_is_no_selection(
    log: Log, tmp_path: Path, filters: dict[str, Any]
) -> None:
    keep = [one["event_id"] for one in log.records[:-1]]
    file = write_bundle(log, tmp_path / "bundle.zip", filters={**WHOLE, **filters}, keep=keep)
    found = said_by_the_small_one(file, log_key().to_text())
    assert found == "the manifest speaks of another selection than the signed export"


def test_a_selection_is_called_one(log: Log, tmp_path: Path) -> None:
    whole = write_bundle(log, tmp_path / "whole.zip")
    filters = {**WHOLE, "versions": [1]}
    chosen = make_log(300, filters=filters)
    part = write_bundle(chosen, tmp_path / "part.zip", filters=filters)
    told = []
    for file in (whole, part):
        with zipfile.ZipFile(file) as bundle:
            told.append(small.verify(bundle, []))
    assert "selection" not in told[0]
    assert "300 records and 3 admin events of a selection" in told[1]
    assert "'versions': [1]" in told[1]


def test_an_export_in_another_form_is_not_that_of_the_bundle(tmp_path: Path) -> None:
    log = make_log(300)
    export = log.events.pop()
    details = {**export["details"], "format": "csv"}
    log.add({k: v for k, v in export.items() if k[:4] != "leaf"} | {"details": details})
    log.seal(parse_time(export["happened_at"]))
    file = write_bundle(log, tmp_path / "bundle.zip")
    assert "another selection" in said_by_the_small_one(file)
