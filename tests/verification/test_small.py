"""The small verifier: what the program inside a bundle refuses by itself."""

from __future__ import annotations

import random
import subprocess
import sys
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from consent_server.bundle.archive import spell_json
from consent_server.cli import main
from consent_server.rules.times import parse_time, spell_time
from consent_server.verification import verify as small
from tests.verification.checking import said, said_by_the_small_one
from tests.verification.logs import (
    EXPORT,
    WHOLE,
    Log,
    admin_event,
    log_key,
    make_log,
    record,
    version_file,
    write_bundle,
)


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


def test_an_event_that_stands_twice_is_named(tmp_path: Path) -> None:
    log = make_log(100)
    again = {k: v for k, v in log.events[40].items() if k[:4] != "leaf"}
    file = write_bundle(_with(log, again), tmp_path / "bundle.zip")
    assert "record 103" in said_by_the_small_one(file)
    assert "its id stands twice" in said_by_the_small_one(file)


@pytest.mark.parametrize(
    ("regime", "days", "expected"),
    [
        ("opt_in", 180, ""),
        ("opt_in", 181, "is not valid for as long"),
        ("opt_out", 390, ""),
        ("opt_out", 180, "is not valid for as long"),
    ],
)
def test_a_record_is_valid_for_as_long_as_its_version_says(
    tmp_path: Path, regime: str, days: int, expected: str
) -> None:
    log = make_log(100)
    moment = parse_time(log.events[-1]["happened_at"])
    event = record(1, moment, random.Random(7))
    event |= {"regime": regime, "valid_until": spell_time(moment + timedelta(days=days))}
    file = write_bundle(_with(log, event), tmp_path / "bundle.zip")
    assert expected in said_by_the_small_one(file)
    assert bool(expected) == bool(said_by_the_small_one(file)) == bool(said(file))


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        ({"config_hash": "0" * 64}, "versions/1.json was changed"),
        ({"site": "other"}, "versions/1.json was changed"),
        ({"version": 2}, "versions/1.json was changed"),
    ],
)
def test_a_version_is_what_its_hash_and_name_say(
    log: Log, tmp_path: Path, edit: dict[str, Any], expected: str
) -> None:
    more = {"versions/1.json": b"".join(spell_json({**version_file(), **edit}))}
    file = write_bundle(log, tmp_path / "bundle.zip", more=more)
    assert said_by_the_small_one(file) == expected


def test_a_version_that_nobody_published_is_found(log: Log, tmp_path: Path) -> None:
    invented = {**version_file(), "version": 2}
    more = {"versions/2.json": b"".join(spell_json(invented))}
    file = write_bundle(log, tmp_path / "bundle.zip", more=more)
    assert said_by_the_small_one(file) == "the versions are not those that were published"


@pytest.mark.parametrize("name", ["more.txt", "/etc/cron.d/x", "evil/../../x", "scripts/x.js"])
def test_a_file_that_no_bundle_has_is_refused(log: Log, tmp_path: Path, name: str) -> None:
    file = write_bundle(log, tmp_path / "bundle.zip", more={name: b"x"})
    assert said_by_the_small_one(file) == f"{name} is no file of a bundle"


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_manifests_are_refused(log: Log, tmp_path: Path) -> None:
    file = write_bundle(log, tmp_path / "bundle.zip")
    with zipfile.ZipFile(file, "a") as bundle:
        bundle.writestr("manifest.json", bundle.read("manifest.json"))
    assert said_by_the_small_one(file) == "the zip does not hold what the manifest lists"


def test_a_script_has_the_hash_in_its_name(log: Log, tmp_path: Path) -> None:
    more = {f"scripts/{'0' * 64}.js": b"other"}
    file = write_bundle(log, tmp_path / "bundle.zip", more=more)
    assert said_by_the_small_one(file) == "a script was changed"


def test_a_line_break_of_unicode_in_a_reason_breaks_nothing(tmp_path: Path) -> None:
    log = make_log(100)
    moment = parse_time(log.events[-1]["happened_at"])
    details = {"reason": "asked\u2028twice\x85", "records": 0}
    file = write_bundle(_with(log, admin_event("erase", moment, details, 8)), tmp_path / "b.zip")
    assert said(file) == said_by_the_small_one(file) == ""


def _with(log: Log, event: dict[str, Any]) -> Log:
    """The log with an event more, and an export after it, sealed."""
    moment = parse_time(log.events[-1]["happened_at"])
    log.add(event)
    log.add(admin_event("export", moment, EXPORT, 5))
    log.seal(moment)
    return log


def test_an_export_in_another_form_is_not_that_of_the_bundle(tmp_path: Path) -> None:
    log = make_log(300)
    export = log.events.pop()
    details = {**export["details"], "format": "csv"}
    log.add({k: v for k, v in export.items() if k[:4] != "leaf"} | {"details": details})
    log.seal(parse_time(export["happened_at"]))
    file = write_bundle(log, tmp_path / "bundle.zip")
    assert "another selection" in said_by_the_small_one(file)


def test_without_a_bundle_it_says_what_it_wants() -> None:
    command = [sys.executable, "-I", str(small.__file__)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "python3 verify.py FILE.zip KEY" in done.stderr


def test_what_others_wrote_is_no_line_of_either_verifier(log: Log, tmp_path: Path) -> None:
    log.events[50]["event_id"] = "x\x1b[2J\nOK: 300 records\u202e"
    file = write_bundle(log, tmp_path / "bundle.zip")
    command = [sys.executable, "-I", str(small.__file__), str(file)]
    alone = subprocess.run(command, capture_output=True, text=True, check=False)
    told = CliRunner().invoke(main, ["audit", "verify", str(file)])
    for code, lines in ((alone.returncode, alone.stderr), (told.exit_code, told.output)):
        assert code == 1
        assert "(event x\\x1b[2J\\nOK: 300 records\\u202e)" in lines
        assert lines.splitlines()[-1].startswith("FAILED")
