"""Export of bundles: what the database holds is what both verifiers find, of one moment."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import delete, select

from consent_server.app import create_app
from consent_server.bundle.checkpoints import choose_sizes
from consent_server.bundle.export import export_bundle
from consent_server.bundle.selection import Selection
from consent_server.config import Settings, key_folder
from consent_server.ledger import append_admin_event
from consent_server.own_record import export_own_record, prove_own_record, read_own_record
from consent_server.rules.admin_event import Action
from consent_server.rules.note import Signature, cosignature_message, pack_cosignature
from consent_server.rules.receipt import subject_key
from consent_server.rules.times import spell_time
from consent_server.sealing import seal_waiting
from consent_server.signing import Signer, open_signer, rotate_key
from consent_server.site_form import load_site_form
from consent_server.sites import find_site, publish_version, retire_site
from consent_server.store.database import Database
from consent_server.store.models import (
    AdminEvent,
    Checkpoint,
    Cosignature,
    NoticeCount,
    Site,
    SubjectData,
)
from consent_server.verification.bundle import Outside
from tests.rules.ed25519 import sign
from tests.verification.checking import change, said, said_by_the_small_one, swap
from tests.verification.logs import WITNESS, WITNESS_SEED
from tests.visitor import Visitor

ReadSite = Callable[[str], dict[str, Any]]


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def signer(settings: Settings) -> Signer:
    """The server's keys."""
    return open_signer(key_folder(settings), now=now())


@pytest.fixture
def export(database: Database, signer: Signer, tmp_path: Path) -> Callable[..., Path]:
    """Writes a bundle of the Smilee site."""

    def write(**chosen: Any) -> Path:
        file = tmp_path / "bundle.zip"
        with file.open("wb") as target:
            export_bundle(
                database, signer, "smilee", Selection(**chosen), target, actor="me", clock=now
            )
        return file

    return write


def read(file: Path, name: str) -> Any:
    with zipfile.ZipFile(file) as bundle:
        raw = bundle.read(name)
    if name.endswith(".jsonl"):
        return [json.loads(line) for line in raw.splitlines()]
    return json.loads(raw) if name.endswith(".json") else raw


def publish_next(database: Database, read_site: ReadSite) -> None:
    form = load_site_form({**read_site("smilee"), "valid_days": 200})
    with database.write() as session:
        publish_version(session, form, source="", author="tests", now=now())


def test_a_bundle_of_a_real_ledger_is_found_true_by_both_verifiers(
    visitor: Visitor, database: Database, read_site: ReadSite, export: Callable[..., Path]
) -> None:
    receipts = [visitor.accept_all().json, visitor.decide("meta-pixel").json]
    publish_next(database, read_site)
    receipts.append(visitor.withdraw().json)
    file = export()
    assert said(file) == said_by_the_small_one(file) == ""
    records = read(file, "records.jsonl")
    assert [{k: v for k, v in one.items() if k != "leaf_index"} for one in records] == receipts
    kept = [("receipt.json", json.dumps(receipt).encode()) for receipt in receipts]
    assert said(file, Outside(receipts=kept)) == ""
    admin = read(file, "admin.jsonl")
    assert sorted(one["action"] for one in admin) == ["export", "key_change", "publish", "publish"]
    assert {one["actor"] for one in admin} == {"tests", "server", "me"}
    with zipfile.ZipFile(file) as bundle:
        names = bundle.namelist()
    assert {"versions/1.json", "versions/2.json", "README.txt", "verify.py"} <= set(names)
    assert {f"scripts/{one['script_hash']}.js" for one in records} <= set(names)
    assert read(file, "totals.csv").startswith(b"\xef\xbb\xbfday,version,language,regime,shown")


def test_versions_say_of_themselves_what_the_ledger_says(
    database: Database, signer: Signer, read_site: ReadSite, export: Callable[..., Path]
) -> None:
    seal_waiting(database, signer, now=now() + timedelta(minutes=5))
    # The clock is now behind the last checkpoint.
    publish_next(database, read_site)
    form = load_site_form({**read_site("smilee"), "name": "Another"})
    for _ in range(2):
        with database.write() as session:
            publish_version(session, form, source="", author="other", now=now())
            retire_site(session, "smilee", author="tests", now=now())
    with database.write() as session:
        publish_version(session, form, source="", author="third", now=now())
    file = export()
    events = [one for one in read(file, "admin.jsonl") if one["action"] == "publish"]
    assert sorted(one["details"]["version"] for one in events) == [1, 2, 3, 3, 3]
    times = {one["details"]["version"]: one["happened_at"] for one in events}
    stated = {number: read(file, f"versions/{number}.json") for number in times}
    assert {number: one["published_at"] for number, one in stated.items()} == times
    assert [one["published_by"] for one in stated.values()].count("other") == 1
    assert said(file) == said_by_the_small_one(file) == ""


def test_what_visitors_download_from_their_page_is_compared_with_the_bundle(
    visitor: Visitor, database: Database, signer: Signer, export: Callable[..., Path]
) -> None:
    visitor.accept_all()
    visitor.withdraw()
    seal_waiting(database, signer, now=now())
    with database.read() as session:
        own = read_own_record(session, "smilee", visitor.subject_id)
        proofs = prove_own_record(session, own)
        kept = export_own_record(own, base="http://x/w/smilee", now=now(), proofs=proofs)
    assert all(one["proof"] for one in kept["records"])
    file = export()
    receipts = [("mine.json", json.dumps(kept).encode())]
    assert said(file, Outside(receipts=receipts)) == ""
    later = visitor.accept_all().json
    receipts = [("mine.json", json.dumps({"records": [{"receipt": later}]}).encode())]
    assert "newer than the bundle" in said(file, Outside(receipts=receipts))


def test_a_site_without_a_decision_has_a_bundle_too(export: Callable[..., Path]) -> None:
    file = export()
    assert said(file) == said_by_the_small_one(file) == ""
    assert read(file, "records.jsonl") == []


def test_the_same_moment_gives_the_same_bytes_but_for_the_export_itself(
    visitor: Visitor, export: Callable[..., Path]
) -> None:
    visitor.accept_all()
    first = export().read_bytes()
    second = export()
    with zipfile.ZipFile(io.BytesIO(first)) as one, zipfile.ZipFile(second) as other:
        entries = (*one.infolist(), *other.infolist())
        assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
        for name in ("records.jsonl", "records.csv", "totals.csv", "versions/1.json"):
            assert one.read(name) == other.read(name)


def test_an_erased_subject_is_in_no_later_bundle(
    visitor: Visitor, database: Database, export: Callable[..., Path]
) -> None:
    visitor.accept_all()
    salt = read(export(), "records.jsonl")[0]["salt"]
    with database.write() as session:
        session.execute(delete(SubjectData))
        site = find_site(session, "smilee")
        details = {"reason": "asked", "records": 1}
        append_admin_event(session, site, Action.ERASE, actor="me", details=details, now=now())
    file = export()
    assert said(file) == said_by_the_small_one(file) == ""
    with zipfile.ZipFile(file) as bundle:
        assert not any(salt.encode() in bundle.read(name) for name in bundle.namelist())


def test_an_erasure_that_no_event_tells_of_is_found(
    visitor: Visitor, database: Database, export: Callable[..., Path]
) -> None:
    visitor.accept_all()
    with database.write() as session:
        session.execute(delete(SubjectData))
    assert "1 records have lost their salt" in said(export())


@pytest.mark.parametrize(
    ("until", "last"),
    [
        (datetime(2026, 3, 2, tzinfo=UTC), "2026-03-01"),
        (datetime(2026, 3, 2, 0, 0, 0, 1000, tzinfo=UTC), "2026-03-02"),
        (datetime(2026, 3, 2, 12, tzinfo=UTC), "2026-03-02"),
    ],
)
def test_totals_end_with_the_last_day_of_the_period(
    database: Database, export: Callable[..., Path], until: datetime, last: str
) -> None:
    with database.write() as session:
        site = find_site(session, "smilee")
        for day in (1, 2, 3):
            session.add(
                NoticeCount(
                    site_id=site.id,
                    day=date(2026, 3, day),
                    version=1,
                    language="fi",
                    regime="opt_in",
                )
            )
    file = export(since=datetime(2026, 3, 1, tzinfo=UTC), until=until)
    assert read(file, "totals.csv").splitlines()[-1].startswith(last.encode())
    assert said(file) == said_by_the_small_one(file) == ""


def test_records_are_selected_by_period_version_and_subject(
    visitor: Visitor,
    client: FlaskClient,
    database: Database,
    read_site: ReadSite,
    export: Callable[..., Path],
) -> None:
    other = Visitor(client)
    mine = [visitor.accept_all().json, visitor.reject_all().json]
    theirs = other.accept_all().json
    publish_next(database, read_site)

    def exported(**chosen: Any) -> set[str]:
        file = export(**chosen)
        assert said(file) == said_by_the_small_one(file) == "", chosen
        return {one["event_id"] for one in read(file, "records.jsonl")}

    key = subject_key(visitor.subject_id)
    assert exported(subject=key) == {one["event_id"] for one in mine}
    first = datetime.fromisoformat(mine[0]["received_at"])
    later = first + timedelta(milliseconds=1)
    assert exported(since=first, until=later) >= {mine[0]["event_id"]}
    assert theirs["event_id"] in exported(since=later)
    assert exported(versions=(2,)) == set()
    assert len(exported(versions=(1,))) == 3


def test_the_ledger_says_that_a_subject_was_chosen_and_never_which(
    visitor: Visitor, database: Database, export: Callable[..., Path]
) -> None:
    visitor.accept_all()
    key = subject_key(visitor.subject_id)
    export(subject=key)
    with database.read() as session:
        details = list(session.scalars(select(AdminEvent.details)))
    assert not any(key.hex() in one for one in details)
    assert any('"subject":true' in one for one in details)


def test_every_key_that_ever_signed_is_in_the_bundle(
    visitor: Visitor,
    database: Database,
    signer: Signer,
    settings: Settings,
    tmp_path: Path,
) -> None:
    visitor.accept_all()
    seal_waiting(database, signer, now=now())
    new = rotate_key(key_folder(settings), now=now(), until=now())
    visitor.reject_all()
    file = tmp_path / "bundle.zip"
    with file.open("wb") as target:
        export_bundle(database, new, "smilee", Selection(), target, actor="me", clock=now)
    assert said(file) == said_by_the_small_one(file) == ""
    assert len(read(file, "keys.json")["log"]) == 2
    old_key, new_key = new.verifiers(read(file, "manifest.json")["origin"])
    assert said(file, Outside(keys=[new_key])) == ""
    assert "not signed by" in said(file, Outside(keys=[old_key]))


def test_the_oldest_the_newest_and_the_last_checkpoint_of_each_day_are_chosen(
    database: Database,
) -> None:
    start = datetime(2026, 11, 1, 23, 0, tzinfo=UTC)
    with database.write() as session:
        site = find_site(session, "smilee")
        for hour in range(50):
            session.add(_checkpoint(site, hour + 1, start + timedelta(hours=hour)))
    with database.read() as session:
        site = find_site(session, "smilee")
        assert choose_sizes(session, site, 50) == [1, 25, 49, 50]
        assert choose_sizes(session, site, 30) == [1, 25, 30]


def _checkpoint(site: Site, size: int, moment: datetime) -> Checkpoint:
    return Checkpoint(
        site_id=site.id,
        size=size,
        root=bytes(32),
        frontier=b"",
        note=spell_time(moment),
        key_id="00000000",
        sealed_at=moment,
    )


def test_the_api_sends_the_same_bundle(
    visitor: Visitor, admin: FlaskClient, tmp_path: Path
) -> None:
    visitor.accept_all()
    answer = admin.get("/api/v1/sites/smilee/export?format=bundle")
    assert (answer.status_code, answer.mimetype) == (200, "application/zip")
    assert 'filename="smilee-bundle.zip"' in answer.headers["Content-Disposition"]
    file = tmp_path / "bundle.zip"
    file.write_bytes(answer.data)
    assert said(file) == ""
    assert "api" in {one["actor"] for one in read(file, "admin.jsonl")}
    assert admin.get("/api/v1/sites/nobody/export?format=bundle").status_code == 404


def test_what_a_witness_of_the_settings_signed_can_be_checked_in_the_bundle(
    visitor: Visitor, settings: Settings, database: Database, signer: Signer, tmp_path: Path
) -> None:
    visitor.accept_all()
    [sealed] = [one for one in seal_waiting(database, signer, now=now()) if one.site == "smilee"]
    size, text = sealed.published.size, sealed.note.rpartition("\n\n")[0] + "\n"
    seen = pack_cosignature(1, sign(WITNESS_SEED, cosignature_message(1, text)))
    with database.write() as session:
        session.add(
            Cosignature(
                site_id=find_site(session, "smilee").id,
                size=size,
                key_id=WITNESS.key_id.hex(),
                name=WITNESS.name,
                line=cosigned_line(seen),
                received_at=now(),
            )
        )
    target = f"witness:https://witness.example/#{WITNESS.to_text()}"
    app = create_app(replace(settings, checkpoint_targets=f"{target},{target}"))
    client = app.test_client()
    file = tmp_path / "bundle.zip"
    address = "/api/v1/sites/smilee/export?format=bundle"
    answer = client.get(address, headers={"Authorization": f"Bearer {settings.api_token}"})
    file.write_bytes(answer.data)
    app.extensions["consent"].database.close()
    assert read(file, "keys.json")["witnesses"] == [WITNESS.to_text()]
    assert said(file, Outside(keys=[WITNESS])) == said_by_the_small_one(file) == ""
    change(file, f"checkpoints/{size}.txt", swap(cosigned_line(seen), cosigned_line(bytes(72))))
    assert "is false" in said(file)


def cosigned_line(signed: bytes) -> str:
    """The signature line of the witness."""
    return Signature(WITNESS.name, WITNESS.key_id, signed).to_line()


@pytest.mark.parametrize("form", ["csv", "jsonl", "bundle"])
def test_every_export_is_noted_in_the_ledger(
    admin: FlaskClient, database: Database, form: str
) -> None:
    admin.get(f"/api/v1/sites/smilee/export?format={form}&from=2026-01-01T00:00:00Z")
    with database.read() as session:
        query = select(AdminEvent).where(AdminEvent.action == Action.EXPORT)
        [event] = session.scalars(query)
    details = json.loads(event.details)
    assert (event.actor, details["format"]) == ("api", form)
    assert details["filters"]["from"] == "2026-01-01T00:00:00.000Z"
