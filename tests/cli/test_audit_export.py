"""Audit export: whole files or none, of the period asked for, in little memory."""

from __future__ import annotations

import csv
import io
import json
import os
import stat
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import insert, select

from consent_server.audit import COLUMNS
from consent_server.store.database import Database
from consent_server.store.models import AdminEvent, ConsentEvent, SubjectData
from tests.cli.conftest import Consent, Process
from tests.visitor import Visitor

#: Held at once, 20,000 records take more than 50 MB.
_MEMORY_GROWTH_MB = 12
_PEAK = """
import pathlib, re, sys
from consent_server.cli import main
main(sys.argv[1:], standalone_mode=False)
status = pathlib.Path("/proc/self/status").read_text()
print(int(re.search(r"VmHWM:\\s+(\\d+) kB", status)[1]) // 1024)
"""


def multiply(database: Database, number: int) -> None:
    """Add copies of a record, each received a millisecond after the other."""
    with database.write() as session:
        row = session.scalars(select(ConsentEvent).limit(1)).one()
        same = {column.key: getattr(row, column.key) for column in ConsentEvent.__table__.columns}
        ids = [uuid4() for _ in range(number)]
        session.execute(
            insert(ConsentEvent),
            [
                {
                    **same,
                    "event_id": one,
                    "received_at": row.received_at + timedelta(milliseconds=n),
                }
                for n, one in enumerate(ids, 1)
            ],
        )
        subject = {"site_id": row.site_id, "subject_key": bytes(32), "salt": bytes(32)}
        session.execute(insert(SubjectData), [{**subject, "event_id": one} for one in ids])


def read_lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


def test_records_and_versions_are_written_beside_each_other(
    process: Process, visitor: Visitor, tmp_path: Path
) -> None:
    receipt = visitor.accept_all().json
    done = process("audit", "export", "--site", "smilee", "-o", "a.jsonl")
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert "1 record in a.jsonl, 1 version in a.versions.jsonl." in done.stderr
    [record] = read_lines(tmp_path / "a.jsonl")
    [version] = read_lines(tmp_path / "a.versions.jsonl")
    assert record == receipt
    assert version["config_hash"] == record["version_hash"]


@pytest.mark.parametrize("options", [["--format", "csv", "-o", "a.txt"], ["-o", "a.csv"]])
def test_csv_is_written_when_asked_or_when_the_file_is_called_so(
    process: Process, visitor: Visitor, tmp_path: Path, options: list[str]
) -> None:
    receipt = visitor.accept_all().json
    assert process("audit", "export", "--site", "smilee", *options).returncode == 0
    content = (tmp_path / options[-1]).read_bytes()
    [row] = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    assert tuple(row) == COLUMNS
    assert row["event_id"] == receipt["event_id"]
    assert json.loads(row["grants"]) == receipt["grants"]


@pytest.mark.parametrize(
    ("period", "records"),
    [
        ([], 1),
        (["--from", "2000-01-01"], 1),
        (["--to", "2000-01-01"], 0),
        (["--from", "2000-01-01T00:00:00Z", "--to", "2999-01-01T02:00:00+02:00"], 1),
        (["--from", "2999-01-01"], 0),
    ],
)
def test_only_the_period_is_written(
    consent: Consent, visitor: Visitor, tmp_path: Path, period: list[str], records: int
) -> None:
    visitor.accept_all()
    file = tmp_path / "a.jsonl"
    done = consent("audit", "export", "--site", "smilee", *period, "-o", file)
    assert done.exit_code == 0, done.output
    assert len(file.read_text("utf-8").splitlines()) == records


@pytest.mark.parametrize(
    "period",
    [
        ["--from", "yesterday"],
        ["--from", "2026-13-01"],
        ["--to", "2026-01-01T00:00:00"],
        ["--from", "2026-02-01", "--to", "2026-01-01"],
    ],
)
def test_a_period_that_is_none_is_a_wrong_use(
    consent: Consent, tmp_path: Path, period: list[str]
) -> None:
    done = consent("audit", "export", "--site", "smilee", *period, "-o", tmp_path / "a.jsonl")
    assert done.exit_code == 2
    assert list(tmp_path.glob("a*")) == []


def test_no_file_is_written_over_unless_told(consent: Consent, tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text("mine")
    command = ["audit", "export", "--site", "smilee", "-o", str(file)]
    done = consent(*command)
    assert (done.exit_code, "--force" in done.output) == (1, True)
    assert file.read_text() == "mine"
    assert consent(*command, "--force").exit_code == 0
    assert file.read_text() == ""


def test_both_forms_of_a_period_share_the_versions_beside_them(
    consent: Consent, visitor: Visitor, tmp_path: Path
) -> None:
    visitor.accept_all()
    command = ["audit", "export", "--site", "smilee", "-o"]
    assert consent(*command, tmp_path / "a.jsonl").exit_code == 0
    assert consent(*command, tmp_path / "a.csv").exit_code == 0
    (tmp_path / "a.versions.jsonl").write_text("mine")
    (tmp_path / "a.csv").unlink()
    other = consent(*command, tmp_path / "a.csv")
    assert (other.exit_code, "a.versions.jsonl exists" in other.output) == (1, True)
    assert not (tmp_path / "a.csv").exists()
    assert (tmp_path / "a.versions.jsonl").read_text() == "mine"


def test_a_failed_export_leaves_nothing_behind(
    consent: Consent, visitor: Visitor, database: Database, tmp_path: Path
) -> None:
    visitor.accept_all()
    file = tmp_path / "a.jsonl"
    unknown = consent("audit", "export", "--site", "nobody", "-o", file)
    assert (unknown.exit_code, "There is no site" in unknown.output) == (1, True)
    with database.write() as session:
        # The records are written; then the version cannot be read.
        session.connection().exec_driver_sql("DROP TABLE site_script")
    broken = consent("audit", "export", "--site", "smilee", "-o", file)
    assert (broken.exit_code, "The database answered" in broken.output) == (1, True)
    nowhere = consent("audit", "export", "--site", "smilee", "-o", tmp_path / "no" / "a.jsonl")
    assert (nowhere.exit_code, "There is no folder" in nowhere.output) == (1, True)
    assert [found.name for found in tmp_path.iterdir() if "jsonl" in found.name] == []


def test_only_the_owner_of_the_files_may_read_them(consent: Consent, tmp_path: Path) -> None:
    consent("audit", "export", "--site", "smilee", "-o", tmp_path / "a.jsonl")
    for name in ("a.jsonl", "a.versions.jsonl"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


def test_an_export_of_records_loads_nothing_for_bundles_and_checks() -> None:
    tell = "print([one for one in sys.modules if one.startswith(('consent_server.verification.bu', "
    tell += "'consent_server.bundle.e', 'consent_server.cli.p', 'consent_server.cli.site'))])"
    code = f"import sys, consent_server.cli.audit; {tell}"
    told = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert (
        told == "['consent_server.cli.problems', 'consent_server.cli.parquet', "
        "'consent_server.cli.progress']\n"
    )


def test_many_records_take_no_more_memory_than_few(
    visitor: Visitor, database: Database, environment: dict[str, str], tmp_path: Path
) -> None:
    def peak(name: str) -> int:
        command = [sys.executable, "-c", _PEAK, "audit", "export", "--site", "smilee", "-o", name]
        done = subprocess.run(
            command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=True
        )
        return int(done.stdout)

    visitor.accept_all()
    multiply(database, 1_000)
    few = peak("few.jsonl")
    multiply(database, 20_000)
    many = peak("many.jsonl")
    assert len((tmp_path / "many.jsonl").read_bytes().splitlines()) == 21_001
    assert many - few < _MEMORY_GROWTH_MB, f"{few} MB, then {many} MB"


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["-o", "nowhere/smilee.csv"], 1, "There is no folder nowhere to write smilee.csv into."),
        (["-o", "-"], 2, "Name a file"),
        (["-o", "a.zip", "--version", "9", "--no-screenshots"], 1, "has no version 9"),
    ],
)
def test_what_cannot_be_exported_is_told_before_the_ledger_notes_it(
    process: Process, database: Database, tmp_path: Path, options: list[str], code: int, said: str
) -> None:
    done = process("audit", "export", "--site", "smilee", *options)
    assert (done.returncode, said in done.stderr) == (code, True), done.stderr
    assert not {one.name for one in tmp_path.iterdir()} & {"-", "-.versions.jsonl", "a.zip"}
    with database.read() as session:
        noted = select(AdminEvent.event_id).where(AdminEvent.action == "export")
        assert session.scalar(noted) is None


@pytest.mark.parametrize("force", [[], ["--force"]], ids=["", "forced"])
@pytest.mark.parametrize("name", ["smilee.jsonl", "smilee.versions.jsonl", "smilee.zip"])
def test_no_device_or_pipe_is_replaced_by_an_export(
    consent: Consent, tmp_path: Path, name: str, force: list[str]
) -> None:
    os.mkfifo(tmp_path / name)
    output = tmp_path / ("smilee.zip" if name.endswith(".zip") else "smilee.jsonl")
    command = ("audit", "export", "--site", "smilee", "--no-screenshots", "-o", output)
    done = consent(*command, *force)
    assert done.exit_code == 1, done.output
    assert f"{name} is no file, but a device, a pipe or a folder" in done.output
    assert (tmp_path / name).is_fifo()
    assert [one.name for one in tmp_path.iterdir() if "smilee" in one.name] == [name]
