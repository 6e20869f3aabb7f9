"""Bundles by command: exported as told, and checked by an auditor who has the zip only."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

from consent_server.rules.receipt import subject_key
from tests.cli.conftest import Consent, Process
from tests.visitor import Visitor

EXPORT = ["audit", "export", "--site", "smilee", "--no-screenshots"]


def test_an_auditor_with_the_zip_and_python_can_check_it(
    process: Process, visitor: Visitor, tmp_path: Path
) -> None:
    receipt = visitor.accept_all().json
    done = process(*EXPORT, "-o", "bundle.zip")
    assert done.returncode == 0, done.stderr
    assert "1 record of 4 leaves in bundle.zip." in done.stderr
    with zipfile.ZipFile(tmp_path / "bundle.zip") as bundle:
        bundle.extractall(tmp_path / "auditor")
    command = [sys.executable, "-I", "-S", "auditor/verify.py", "bundle.zip"]
    checked = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=False, env={}
    )
    assert checked.returncode == 0, checked.stderr
    assert "1 records and 3 admin events" in checked.stdout
    (tmp_path / "receipt.json").write_text(json.dumps(receipt), "utf-8")
    whole = process("audit", "verify", "bundle.zip", "--receipt", "receipt.json")
    assert whole.returncode == 0, whole.stderr
    assert "ok  receipts: 1 are in this log" in whole.stdout


def test_a_bundle_can_be_chosen_by_version_and_subject(
    consent: Consent, visitor: Visitor, tmp_path: Path
) -> None:
    visitor.accept_all()
    command = [*EXPORT, "--format", "bundle", "-o"]
    subject = visitor.subject_id.upper()  # as an erasure takes it, too
    for at, chosen in enumerate((["--subject", subject], ["--version", "1"])):
        file = tmp_path / f"{at}.zip"
        done = consent(*command, file, *chosen)
        assert done.exit_code == 0, done.output
        assert "1 record of" in done.output
        checked = consent("audit", "verify", file)
        assert checked.exit_code == 0, checked.output
        assert "what was left out is not looked at" in checked.output


def test_what_was_chosen_is_told_in_words(
    consent: Consent, visitor: Visitor, tmp_path: Path
) -> None:
    visitor.accept_all()
    key = subject_key(visitor.subject_id).hex()
    since, until = "2026-01-01T00:00:00.000Z", "2126-01-01T00:00:00.000Z"
    choices = {
        f"of the subject whose SHA-256 is {key}": ["--subject", visitor.subject_id],
        "of version 1": ["--version", "1"],
        f"received since {since}": ["--from", since],
        f"received since {since} and before {until}, of version 1": (
            ["--version", "1", "--from", since, "--to", until]
        ),
    }
    for at, (told, chosen) in enumerate(choices.items()):
        file = tmp_path / f"{at}.zip"
        done = consent(*EXPORT, "--format", "bundle", "-o", file, *chosen)
        assert done.exit_code == 0, done.output
        said = f"records {told}; what was left out is not looked at\n"
        assert f"ok  selection: {said}" in consent("audit", "verify", file).output
        with zipfile.ZipFile(file) as bundle:
            assert f"It is a SELECTION: records {told}.\n" in bundle.read("README.txt").decode()


def test_a_choice_that_is_none_is_a_wrong_use(consent: Consent, tmp_path: Path) -> None:
    command = ["audit", "export", "--site", "smilee", "-o"]
    assert consent(*command, tmp_path / "a.zip", "--subject", "me").exit_code == 2
    assert consent(*command, tmp_path / "a.csv", "--version", "1").exit_code == 2
    assert list(tmp_path.glob("a*")) == []


def test_a_file_that_is_no_bundle_fails_in_one_line(consent: Consent, tmp_path: Path) -> None:
    file = tmp_path / "no.zip"
    file.write_text("no")
    found = consent("audit", "verify", file)
    assert found.exit_code == 1
    assert found.output.startswith("FAILED  ")
    assert len(found.output.splitlines()) == 1
