"""Selections: a part of a ledger is checked against all of it, and says what it is."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path

from click.testing import CliRunner

from consent_server.cli import main
from consent_server.rules.canonical import canonical_json
from consent_server.rules.receipt import subject_key
from tests.verification.checking import said, said_by_the_small_one
from tests.verification.logs import CONFIG, SITE, WHOLE, make_log, subject, write_bundle


def test_a_selection_of_one_subject_is_checked_against_the_whole_tree(tmp_path: Path) -> None:
    key = subject_key(subject(40)).hex()
    filters = {**WHOLE, "subject": key}
    log = make_log(3_000, every=1024, filters=filters)
    keep = [one["event_id"] for one in log.records[40::5000]]
    file = write_bundle(log, tmp_path / "bundle.zip", filters=filters, keep=keep)
    assert said(file) == ""
    assert said_by_the_small_one(file) == ""
    with zipfile.ZipFile(file) as bundle:
        leaves = bundle.read("leaves.txt").decode().splitlines()
    # The tiles of the record and of the admin events leaf by leaf, the others by their hash.
    assert len(leaves) < 2 * 256 + 12
    other = [one["event_id"] for one in log.records[40:42]]
    file = write_bundle(log, tmp_path / "bundle.zip", filters=filters, keep=other)
    assert "is not of the subject that the manifest names" in said(file)


def test_a_selection_says_no_line_of_its_own(tmp_path: Path) -> None:
    filters = {**WHOLE, "from": "0\nok  records: all of them\x1b[2J"}
    file = write_bundle(make_log(3, filters=filters), tmp_path / "bundle.zip", filters=filters)
    told = CliRunner().invoke(main, ["audit", "verify", str(file)]).output
    assert "received since 0\\nok  records: all of them\\x1b[2J; what was left out" in told


def test_a_selection_is_no_way_to_leave_leaves_out(tmp_path: Path) -> None:
    log = make_log(3_000, every=1024)
    keep = [one["event_id"] for one in log.records[:254]]
    file = write_bundle(log, tmp_path / "bundle.zip", keep=keep)
    assert "leaves out 256 to 511, which it may not" in said(file)
    assert said_by_the_small_one(file) == "record 256: missing"
    filters = {**WHOLE, "versions": [1]}
    log = make_log(3_000, every=1024, filters=filters)
    keep = [log.records[40]["event_id"], log.records[1000]["event_id"]]
    file = write_bundle(log, tmp_path / "bundle.zip", filters=filters, keep=keep)
    assert said(file) == said_by_the_small_one(file) == ""
    log.events[600]["leaf_hash"] = "00" * 32
    file = write_bundle(log, tmp_path / "bundle.zip", filters=filters, keep=keep)
    assert said(file).startswith("Leaves 0 to 1023 are not those that were signed")
    assert said_by_the_small_one(file)


def test_what_nothing_in_a_bundle_names_is_refused(tmp_path: Path) -> None:
    filters = {**WHOLE, "versions": [1]}
    part, script = make_log(300, filters=filters), b"alert(1)"
    digest = hashlib.sha256(script).hexdigest()
    made_up = {**CONFIG, "texts": {"en": {"title": "Never shown"}}}
    version = {
        "site": SITE,
        "version": 9,
        "config_hash": hashlib.sha256(canonical_json(made_up)).hexdigest(),
        "material_since": 1,
        "published_at": "2026-11-01T08:00:00.000Z",
        "published_by": "nobody",
        "config": made_up,
        "scripts": [],
    }
    expected = "the bundle has a version or script that nothing in it names"
    more = {f"scripts/{digest}.js": script}
    for log, chosen in ((make_log(300), WHOLE), (part, filters)):
        file = write_bundle(log, tmp_path / "bundle.zip", filters=chosen, more=more)
        assert said(file) == f"scripts/{digest}.js is named by nothing in the bundle."
        assert said_by_the_small_one(file) == expected
    more = {"versions/9.json": json.dumps(version).encode()}
    file = write_bundle(part, tmp_path / "bundle.zip", filters=filters, more=more)
    assert said(file) == "versions/9.json is named by nothing in the bundle."
    assert said_by_the_small_one(file) == expected
