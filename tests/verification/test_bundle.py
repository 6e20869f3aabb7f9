"""Bundles: each file of the zip is held against what was signed; the first fault is named."""

from __future__ import annotations

import ast
import hashlib
import json
import random
import shutil
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from consent_server.bundle.archive import spell_json
from consent_server.rules import note
from consent_server.rules.canonical import canonical_json
from consent_server.rules.times import parse_time, spell_time
from consent_server.verification import verify as small
from consent_server.verification.bundle import Outside
from tests.verification.checking import change, said, said_by_the_small_one, swap
from tests.verification.logs import (
    EXPORT,
    OTHER_SEED,
    SCRIPT_HASH,
    SEED,
    START,
    WITNESS,
    Log,
    admin_event,
    jsonl,
    leaf_hash,
    log_key,
    make_log,
    missing_pictures,
    record,
    rows,
    version_file,
    write_bundle,
)

SIZE = 600


@pytest.fixture(scope="module")
def true_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole bundle of a log that nobody changed."""
    file = tmp_path_factory.mktemp("true") / "bundle.zip"
    return write_bundle(make_log(SIZE, erased=3, seen=True), file)


@pytest.fixture
def file(true_file: Path, tmp_path: Path) -> Path:
    """A copy of it, to change."""
    copy = tmp_path / "bundle.zip"
    shutil.copy(true_file, copy)
    return copy


@pytest.fixture
def log() -> Log:
    """A log of its own, to change before it is written."""
    return make_log(SIZE)


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


def _add(name: str) -> Callable[[Path], None]:
    def add(file: Path) -> None:
        with zipfile.ZipFile(file, "a") as bundle:
            bundle.writestr(name, "more")

    return add


def _hide_before(file: Path) -> None:
    file.write_bytes(b"hidden" + file.read_bytes())


def _comment(file: Path) -> None:
    with zipfile.ZipFile(file, "a") as bundle:
        bundle.comment = b"hidden"


def _append(file: Path) -> None:
    file.write_bytes(file.read_bytes() + b"hidden")


def _beside(**values: bytes) -> Callable[[Path], None]:
    """Write the same zip anew, with something beside its first file."""

    def write(file: Path) -> None:
        with zipfile.ZipFile(file) as bundle:
            content = {one: bundle.read(one) for one in bundle.namelist()}
        with zipfile.ZipFile(file, "w") as bundle:
            for name, raw in content.items():
                entry = zipfile.ZipInfo(name)
                if name == "README.txt":
                    entry.comment, entry.extra = (
                        values.get("comment", b""),
                        values.get("extra", b""),
                    )
                bundle.writestr(entry, raw)

    return write


def _behind(hiding: str) -> Callable[[Path], None]:
    """Write the zip anew by hand, with bytes behind the packed bytes of a file."""
    return lambda file: _write_by_hand(file, hiding)


def _write_by_hand(file: Path, hiding: str) -> None:
    with zipfile.ZipFile(file) as bundle:
        content = {one: bundle.read(one) for one in bundle.namelist()}
    files, directory = b"", b""
    for name, raw in content.items():
        packing = zlib.compressobj(wbits=-15)
        packed = packing.compress(raw) + packing.flush() + b"hidden" * (name == hiding)
        sizes = zlib.crc32(raw), len(packed), len(raw), len(name), 0
        entry = struct.pack("<5H3L2H", 20, 0, 8, 0, 33, *sizes)
        directory += b"PK\x01\x02\x14\x03" + entry
        directory += struct.pack("<3H2L", 0, 0, 0, 0, len(files)) + name.encode()
        files += b"PK\x03\x04" + entry + name.encode() + packed
    ends = len(content), len(content), len(directory), len(files), 0
    file.write_bytes(files + directory + b"PK\x05\x06" + struct.pack("<4H2LH", 0, 0, *ends))


def _lengthen_a_name(file: Path) -> None:
    """Hide bytes behind a zero in a name, which many programs take for its end."""
    raw = file.read_bytes()
    at = raw.rindex(b"PK\x01\x02")
    length = int.from_bytes(raw[at + 28 : at + 30], "little")
    name = raw[at + 46 : at + 46 + length]
    longer = raw[at : at + 28] + (length + 7).to_bytes(2, "little") + raw[at + 30 : at + 46]
    rest = bytearray(raw[at + 46 + length :])
    rest[12:16] = (int.from_bytes(rest[12:16], "little") + 7).to_bytes(4, "little")
    file.write_bytes(raw[:at] + longer + name + b"\0hidden" + bytes(rest))


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-100])


def _damage(file: Path) -> None:
    raw = bytearray(file.read_bytes())
    raw[len(raw) // 2] ^= 1
    file.write_bytes(bytes(raw))


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    ("attack", "expected"),
    [
        (_add("more.txt"), "which the manifest does not list"),
        (_add("README.txt"), "twice"),
        (_add("../escape.txt"), "which the manifest does not list"),
        (_hide_before, "hides bytes"),
        (_comment, "hides bytes"),
        (_append, "hides bytes after"),
        (_beside(comment=b"hidden"), "hides bytes beside README.txt"),
        (_beside(extra=b"\xfe\xca\x06\0hidden"), "hides bytes beside README.txt"),
        (_beside(extra=b"\x01\0\x08\0hidden!!"), "hides bytes beside README.txt"),
        (_beside(extra=b"xyz"), "hides bytes beside README.txt"),
        (_lengthen_a_name, "hides bytes after"),
        (_behind("records.jsonl"), "hides bytes behind records.jsonl"),
        (_behind("manifest.json"), "hides bytes behind manifest.json"),
        (_cut, "cannot be read as a zip"),
        (_damage, ""),
    ],
)
def test_a_zip_that_was_tampered_with_is_refused(
    file: Path, attack: Callable[[Path], None], expected: str
) -> None:
    attack(file)
    assert expected in said(file)
    assert said(file)


@pytest.mark.parametrize(
    ("name", "edit", "expected"),
    [
        ("keys.json", swap('"log"', '"logs"'), "keys.json has other members"),
        ("keys.json", swap(log_key().to_text(), log_key(OTHER_SEED).to_text()), "known key"),
        ("keys.json", swap("+", "-"), "verifier key"),
        ("checkpoints/300.txt", swap("\n300\n", "\n301\n"), "is false"),
        ("checkpoints/300.txt", swap("2026-11-01", "2026-10-01"), "is false"),
        ("versions/1.json", swap("Evästeet?", "Kakut?"), "versions/1.json was changed"),
        ("versions/1.json", swap('"version": 1', '"version": 2'), "is not the snapshot"),
        (f"scripts/{SCRIPT_HASH}.js", swap("function", "funktion"), "was changed"),
        ("records.csv", swap(",fi,", ",sv,"), "records.csv has another language"),
        ("records.csv", lambda raw: raw + raw.splitlines(True)[-1], "more rows than"),
        ("records.csv", lambda raw: raw.rpartition(b"\r\n")[0][:-400], "records.csv"),
        ("records.csv", swap("language", "sprache"), "has not the columns"),
        ("records.jsonl", swap('"schema":1', '"schema": 1'), "line 1: is spelled in another way"),
        ("records.jsonl", swap('"schema":1', '"schema":1.0'), "no whole number"),
        ("records.jsonl", swap('"schema":1', '"schema":1,"schema":1'), "is spelled in another"),
        ("records.jsonl", swap('"region":""', '"region":"\\ud800"'), "line 1"),
        ("records.jsonl", swap('"salt":null', '"salt":7'), "the salt is not 32 bytes"),
        ("records.jsonl", lambda raw: raw[:-1], "is cut off"),
        ("records.jsonl", lambda raw: raw[raw.index(b"\n") + 1 :], "record 2: missing"),
        ("admin.jsonl", swap('"records":3', '"records":2'), "no longer give its leaf hash"),
        ("leaves.txt", swap("5 ", "05 "), "line 6: expected an index"),
        ("leaves.txt", lambda raw: raw + raw.splitlines(True)[-1], "leaves.txt goes on after"),
        ("leaves.txt", lambda raw: raw[: raw.rindex(b"\n", 0, -1) + 1], "leaves.txt ends after"),
        ("screenshots/index.json", swap("-desktop", "-laptop"), "does not account for"),
        ("manifest.json", swap('"records": 600', '"records": 599'), "The manifest counts"),
        ("manifest.json", swap('"size": 604', '"size": 600'), "names another checkpoint"),
        ("manifest.json", swap('"site": "demo"', '"site": "other"'), "versions/1.json was changed"),
        ("manifest.json", swap('"subject": null', '"more": null'), "what the bundle selects"),
        ("manifest.json", swap('"subject": null', '"subject": "zz"'), "what the bundle selects"),
        ("manifest.json", swap('"subject": null', '"subject": 7'), "what the bundle selects"),
        ("manifest.json", swap('"from": null', '"from": 5'), "what the bundle selects"),
        ("manifest.json", swap('"versions": []', '"versions": 3'), "what the bundle selects"),
        ("manifest.json", swap('"versions": []', '"versions": [[]]'), "what the bundle selects"),
        ("screenshots/index.json", swap('"missing": [', '"missing": [{},'), "the form of this"),
    ],
)
def test_every_file_is_held_against_what_was_signed(
    file: Path, name: str, edit: Callable[[bytes], bytes], expected: str
) -> None:
    change(file, name, edit)
    assert expected in said(file)


def test_a_file_that_the_manifest_lists_must_be_there_unchanged(file: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.zip"
    for left_out, edited in (("totals.csv", ""), ("", "totals.csv")):
        with zipfile.ZipFile(file) as old, zipfile.ZipFile(other, "w") as new:
            for name in old.namelist():
                if name != left_out:
                    new.writestr(name, old.read(name) + (b"x" if name == edited else b""))
        assert "totals.csv" in said(other)
        assert said_by_the_small_one(other)


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
