"""Versions, screenshots and CSV in a bundle: what they say is what the ledger says."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from consent_server.bundle.archive import spell_json
from consent_server.rules.canonical import canonical_json
from consent_server.rules.times import spell_time
from tests.verification.checking import change, said, said_by_the_small_one
from tests.verification.logs import (
    START,
    Log,
    jsonl,
    leaf_hash,
    missing_pictures,
    rows,
    version_file,
    write_bundle,
)


def test_a_version_with_a_hash_made_anew_is_not_what_the_records_name(
    log: Log, tmp_path: Path
) -> None:
    version: dict[str, Any] = version_file()
    version["config"] = {**version["config"], "valid_days": 181}
    spelled = json.dumps(
        version["config"], sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )
    version["config_hash"] = hashlib.sha256(spelled.encode()).hexdigest()
    more = {"versions/1.json": b"".join(spell_json(version))}
    file = write_bundle(log, tmp_path / "bundle.zip", more=more)
    assert "version 1 than the bundle holds" in said(file)
    assert "names a version or script" in said_by_the_small_one(file)


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        ({"published_by": "somebody"}, "versions/1.json was published by 'operator'."),
        ({"published_at": "2026-11-01T07:58:00.000Z"}, "versions/1.json was published at 2026-11"),
        ({"published_at": "2026-11-01T08:01:00.000Z"}, "versions/1.json was published at 2026-11"),
        ({"published_at": "once"}, "versions/1.json was published at 2026-11"),
        ({"published_at": 5}, "versions/1.json is not the snapshot of that version."),
        ({"material_since": 2}, "versions/1.json has another material_since"),
        ({"material_since": "1"}, "versions/1.json is not the snapshot of that version."),
    ],
)
def test_what_a_version_says_of_itself_is_what_the_ledger_says(
    log: Log, tmp_path: Path, edit: dict[str, Any], expected: str
) -> None:
    more = {"versions/1.json": b"".join(spell_json({**version_file(), **edit}))}
    file = write_bundle(log, tmp_path / "bundle.zip", more=more)
    assert said(file).startswith(expected)


def test_a_version_that_nobody_published_is_found(log: Log, tmp_path: Path) -> None:
    names = [name.replace("/1/", "/2/") for name in missing_pictures()]
    index = {"taken": [], "missing": [*missing_pictures(), *names]}
    more = {
        "versions/2.json": b"".join(spell_json({**version_file(), "version": 2})),
        "screenshots/index.json": b"".join(spell_json(index)),
    }
    file = write_bundle(log, tmp_path / "bundle.zip", more=more)
    assert said(file) == "versions/2.json: no event says that it was published."


def test_a_version_whose_texts_are_none_is_named(log: Log, tmp_path: Path) -> None:
    version: dict[str, Any] = version_file()
    version["config"] = {**version["config"], "texts": 5}
    version["config_hash"] = hashlib.sha256(canonical_json(version["config"])).hexdigest()
    more = {"versions/1.json": b"".join(spell_json(version))}
    file = write_bundle(log, tmp_path / "bundle.zip", more=more)
    assert said(file) == "versions/1.json holds no configuration."


def test_screenshots_are_held_against_their_index(log: Log, tmp_path: Path) -> None:
    names, picture = missing_pictures(), b"\x89PNG"
    name = names.pop(0)
    taken = {
        "file": name,
        "version": 1,
        "language": "en",
        "part": "notice",
        "viewport": "mobile",
        "sha256": hashlib.sha256(picture).hexdigest(),
        "taken_at": spell_time(START),
    }
    index = b"".join(spell_json({"taken": [taken], "missing": names}))
    more = {"screenshots/index.json": index, name: picture}
    file = write_bundle(log, tmp_path / "bundle.zip", more=more)
    assert said(file) == ""
    change(file, name, lambda raw: raw + b"x")
    assert f"{name} was changed" in said(file)
    for odd in ({"language": ["en"]}, {"file": 5}, {"viewport": None}):
        index = b"".join(spell_json({"taken": [{**taken, **odd}], "missing": names}))
        odd_files = {**more, "screenshots/index.json": index}
        assert "the form of this" in said(write_bundle(log, file, more=odd_files))
    file = write_bundle(log, tmp_path / "bundle.zip", more={**more, names[0]: picture})
    assert "does not list" in said(file)


def test_a_record_in_the_csv_that_a_spreadsheet_would_run_is_found(
    log: Log, tmp_path: Path
) -> None:
    log.events[7]["region"] = "=1+1"
    log.events[7]["leaf_hash"] = leaf_hash(log.events[7]).hex()
    csv = rows(log.records)
    assert b"'=1+1" in csv
    hostile = {"records.csv": csv.replace(b"'=1+1", b"=1+1"), "records.jsonl": jsonl(log.records)}
    file = write_bundle(log, tmp_path / "bundle.zip", more=hostile)
    assert "a spreadsheet would run a cell of its row" in said(file)
