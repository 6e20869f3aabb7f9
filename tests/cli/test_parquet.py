"""Parquet: the same records as columns, typed."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from pyarrow import parquet

from consent_server.audit import COLUMNS
from tests.cli.conftest import Consent
from tests.visitor import Visitor


def test_columns_hold_the_values_of_the_receipts(
    consent: Consent, visitor: Visitor, tmp_path: Path
) -> None:
    receipts = [visitor.accept_all().json, visitor.decide("meta-pixel").json]
    file = tmp_path / "records.parquet"
    done = consent("audit", "export", "--site", "smilee", "-o", file)
    assert done.exit_code == 0, done.output
    assert "2 records in" in done.output
    table = parquet.read_table(file)
    assert tuple(table.column_names) == COLUMNS
    for row, receipt in zip(table.to_pylist(), receipts, strict=True):
        assert row["received_at"] == datetime.fromisoformat(receipt["received_at"])
        assert dict(row["grants"]) == receipt["grants"]
        assert row["signals"] == "{}"
        same = set(COLUMNS) - {"grants", "signals", "decided_at", "received_at", "valid_until"}
        assert {name: row[name] for name in same} == {name: receipt[name] for name in same}


def test_an_export_without_records_is_a_table_without_rows(
    consent: Consent, tmp_path: Path
) -> None:
    file = tmp_path / "records.parquet"
    assert consent("audit", "export", "--site", "smilee", "-o", file).exit_code == 0
    assert parquet.read_table(file).num_rows == 0
