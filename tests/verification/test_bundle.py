"""Bundles: each record and signature is held against what was signed; the first fault is named."""

from __future__ import annotations

import ast
import random
import subprocess
import sys
import zipfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from consent_server.rules import note
from consent_server.rules.times import parse_time, spell_time
from consent_server.verification import verify as small
from consent_server.verification.bundle import Outside
from tests.verification.checking import change, said, said_by_the_small_one, swap
from tests.verification.conftest import SIZE
from tests.verification.logs import (
    EXPORT,
    OTHER_SEED,
    SEED,
    START,
    WITNESS,
    Log,
    admin_event,
    leaf_hash,
    log_key,
    make_log,
    record,
    write_bundle,
)


def test_a_true_bundle_is_found_true_by_both_verifiers(file: Path) -> None:
    key = log_key()
    assert said(file) == ""
    assert said(file, Outside(keys=[key, WITNESS])) == ""
    assert said_by_the_small_one(file) == ""
    assert said_by_the_small_one(file, key.to_text()) == ""


def test_the_verifier_in_the_bundle_needs_python_only(file: Path) -> None:
    with zipfile.ZipFile(file) as bundle:
        bundle.extract("verify.py", file.parent)
    command = [sys.executable, "-I", "-S", str(file.parent / "verify.py"), str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "OK: 600 records and 4 admin events" in done.stdout
    assert "the bundle's own word" in done.stdout
    change(file, "records.jsonl", swap('"language":"fi"', '"language":"sv"'))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, "record 2 (event" in done.stderr) == (1, True)


def test_the_small_verifier_stays_small_and_needs_nothing() -> None:
    source = Path(small.__file__).read_text("utf-8")
    assert len(source.splitlines()) <= 230
    ast.parse(source, feature_version=(3, 9))
    imported = {line.split()[1] for line in source.splitlines() if line[:5] in {"impor", "from "}}
    assert imported <= sys.stdlib_module_names


def test_the_first_bad_record_is_named(log: Log, tmp_path: Path) -> None:
    event = log.events[471]
    event["grants"] = {**event["grants"], "analytics": not event["grants"]["analytics"]}
    file = write_bundle(log, tmp_path / "bundle.zip")
    name = f"record 471 (event {event['event_id']}): "
    assert said(file) == f"{name}the field values no longer give its leaf hash"
    assert said_by_the_small_one(file) == f"{name}the field values no longer give its leaf hash"


def test_a_record_whose_leaf_hash_was_made_anew_is_named_too(log: Log, tmp_path: Path) -> None:
    event = log.events[471]
    leaves = "".join(f"{at} {one['leaf_hash']}\n" for at, one in enumerate(log.events)).encode()
    event["language"] = "sv"
    event["leaf_hash"] = leaf_hash(event).hex()
    file = write_bundle(log, tmp_path / "bundle.zip", leaves=leaves)
    expected = f"record 471 (event {event['event_id']}): is not what leaves.txt has at its index"
    assert (said(file), said_by_the_small_one(file)) == (expected, expected)


def test_where_everything_was_made_anew_the_checkpoints_bound_the_place(
    log: Log, tmp_path: Path
) -> None:
    log.events[471]["language"] = "sv"
    log.events[471]["leaf_hash"] = leaf_hash(log.events[471]).hex()
    file = write_bundle(log, tmp_path / "bundle.zip")
    assert said(file).startswith("Leaves 400 to 499 are not those that were signed")
    assert "leaves 400 to 499 were not signed so" in said_by_the_small_one(file)


def test_a_key_from_elsewhere_must_have_signed(file: Path) -> None:
    other = log_key(OTHER_SEED)
    assert "not signed by" in said(file, Outside(keys=[other]))
    assert "no known key" in said_by_the_small_one(file, other.to_text())


def test_a_log_that_somebody_else_signed_is_told_by_the_key(tmp_path: Path) -> None:
    file = write_bundle(make_log(100, key=OTHER_SEED), tmp_path / "bundle.zip")
    assert said(file) == ""
    assert "not signed by" in said(file, Outside(keys=[log_key()]))
    assert said_by_the_small_one(file, log_key().to_text())


def test_a_key_whose_id_is_that_of_another_one_is_not_that_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Four bytes take some hours to meet; here every key has the same.
    monkeypatch.setattr(note, "key_id", lambda *_: b"same")
    file = write_bundle(make_log(100, key=OTHER_SEED), tmp_path / "bundle.zip")
    assert said(file, Outside(keys=[log_key(OTHER_SEED)])) == ""
    assert "the key you gave" in said(file, Outside(keys=[log_key()]))
    both = Outside(keys=[log_key(OTHER_SEED), log_key()])
    assert "the key you gave" in said(file, both)


def test_a_false_cosignature_of_a_known_witness_is_found(file: Path) -> None:
    with zipfile.ZipFile(file) as bundle:
        lines = bundle.read("checkpoints/300.txt").decode().splitlines()
        other = bundle.read("checkpoints/400.txt").decode().splitlines()
    change(file, "checkpoints/300.txt", swap(lines[-1], other[-1]))
    assert "the signature of witness.example" in said(file).lower()


def test_a_witness_that_never_looked_is_missed(log: Log, tmp_path: Path) -> None:
    file = write_bundle(log, tmp_path / "bundle.zip")
    assert "the witness you gave" in said(file, Outside(keys=[WITNESS]))


def test_more_lost_salts_than_were_erased_are_found(tmp_path: Path) -> None:
    log = make_log(SIZE, erased=3)
    log.events[50]["salt"] = None
    file = write_bundle(log, tmp_path / "bundle.zip")
    assert said(file).startswith("4 records have lost their salt, but only 3 were erased")


def test_an_older_state_in_the_place_of_a_newer_one_lacks_its_export(
    log: Log, tmp_path: Path
) -> None:
    cut = Log(log.events[:500], {k: v for k, v in log.checkpoints.items() if k <= 500})
    for export in (log.events[-1], log.events[0]):
        manifest = {"export": export["event_id"]}
        file = write_bundle(cut, tmp_path / "bundle.zip", manifest=manifest)
        assert said(file) == "The bundle lacks the admin event of its own export."
        assert said_by_the_small_one(file)


def test_an_older_state_with_an_export_of_long_before_is_found(log: Log, tmp_path: Path) -> None:
    log.add(admin_event("retire", _end(log) + timedelta(minutes=2), {"version": 1}, 9))
    log.seal(_end(log))
    file = write_bundle(log, tmp_path / "bundle.zip")
    assert "is not the one that sealed this export" in said(file)
    assert "older than the checkpoint" in said_by_the_small_one(file)


def _end(log: Log) -> datetime:
    return parse_time(log.events[-1]["happened_at"])


def _signed_after(event: dict[str, Any]) -> Log:
    """A log whose operator put an event in before the end, and signed it."""
    log = make_log(300)
    moment = _end(log)
    log.add(event)
    log.add(admin_event("export", moment, EXPORT, 5))
    log.seal(moment, SEED)
    return log


def test_what_the_operator_backdated_and_signed_is_found_by_both(tmp_path: Path) -> None:
    event = record(1, START + timedelta(seconds=30), random.Random(7))
    file = write_bundle(_signed_after(event), tmp_path / "bundle.zip")
    assert f"record 303 (event {event['event_id']}): backdated" in said(file)
    assert "backdated" in said_by_the_small_one(file)


def test_a_backdated_record_is_found_without_the_checkpoint_that_lacks_it(tmp_path: Path) -> None:
    event = record(1, START + timedelta(seconds=30), random.Random(7))
    log = _signed_after(event)
    for size in sorted(log.checkpoints)[:-1]:
        del log.checkpoints[size]
    file = write_bundle(log, tmp_path / "bundle.zip")
    assert f"record 303 (event {event['event_id']}): backdated" in said(file)
    assert "backdated" in said_by_the_small_one(file)


def test_times_may_differ_by_as_long_as_a_transaction_takes(tmp_path: Path) -> None:
    for seconds, expected in ((59, ""), (61, "backdated")):
        moment = _end(make_log(300)) - timedelta(seconds=seconds)
        log = _signed_after(record(1, moment, random.Random(7)))
        file = write_bundle(log, tmp_path / "bundle.zip")
        assert expected in said(file)
        assert expected in said_by_the_small_one(file)
        assert bool(said(file)) == bool(said_by_the_small_one(file)) == bool(expected)


def test_a_day_that_no_month_has_is_named(log: Log, tmp_path: Path) -> None:
    event = log.events[5]
    event |= {"received_at": "2026-11-31T08:00:00.000Z", "kind": "expired"}
    event["leaf_hash"] = leaf_hash(event).hex()
    log.checkpoints.clear()
    log.seal(START + timedelta(days=60))
    file = write_bundle(log, tmp_path / "bundle.zip")
    assert "stands after 2026-11-31T08:00:00.000Z, which is no time" in said(file)
    assert said_by_the_small_one(file)


def test_a_record_from_the_future_is_found(tmp_path: Path) -> None:
    event = record(1, START + timedelta(days=30), random.Random(7))
    file = write_bundle(_signed_after(event), tmp_path / "bundle.zip")
    assert "after the checkpoint that holds it was sealed" in said(file)
    assert said_by_the_small_one(file)


def test_a_decision_that_was_recorded_twice_is_found_even_where_it_was_signed(
    tmp_path: Path,
) -> None:
    log = make_log(300)
    again = {k: v for k, v in log.events[290].items() if k not in {"leaf_hash", "leaf_index"}}
    moment = _end(log)
    again["received_at"] = spell_time(moment)
    again["valid_until"] = spell_time(moment + timedelta(days=180))
    file = write_bundle(_signed_after(again), tmp_path / "bundle.zip")
    assert "An event_id stands twice" in said(file)


def test_a_validity_that_is_not_the_versions_is_found(tmp_path: Path) -> None:
    log = make_log(300)
    event = {k: v for k, v in log.events[5].items() if k not in {"leaf_hash", "leaf_index"}}
    moment = _end(log)
    event |= {"event_id": "00000000-0000-4000-8000-0000000000ff"}
    event |= {"received_at": spell_time(moment), "valid_until": "2028-01-01T00:00:00.000Z"}
    file = write_bundle(_signed_after(event), tmp_path / "bundle.zip")
    assert "valid_until is not received_at plus 180 days" in said(file)


def test_a_key_that_no_event_announces_is_found(log: Log, tmp_path: Path) -> None:
    log.keys.append(log_key(OTHER_SEED))
    file = write_bundle(log, tmp_path / "bundle.zip")
    assert "No admin event announces the key" in said(file)
