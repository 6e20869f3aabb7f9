"""No trace: real visitors, sealed, erased; then every file and a new export is searched."""

from __future__ import annotations

import random
import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from consent_server.appending import append_together
from consent_server.audit import export_records
from consent_server.erasure import erase_subject
from consent_server.ledger import ShownVersion
from consent_server.ledger_check import check_ledger
from consent_server.ledger_keys import keys_of
from consent_server.published import PublishedSites
from consent_server.rules.decision import Decision, Layer, Method, optional_services
from consent_server.rules.receipt import subject_key
from consent_server.sealing import last_checkpoint, seal_waiting
from consent_server.signing import open_signer
from consent_server.sites import find_site
from consent_server.store.database import Database
from consent_server.store.models import SubjectData
from consent_server.store.scrubbing import scrub
from consent_server.wanted import Wanted

_NOW = datetime(2026, 11, 25, 10, 13, 26, 123_000, tzinfo=UTC)
_TOGETHER = 64


def record(database: Database, shown: ShownVersion, subjects: list[str]) -> None:
    """Record a refusal of each visitor, as many together as under load."""
    optional = optional_services(shown.config)
    keys = [key for category, services in optional.items() for key in (category, *services)]
    for start in range(0, len(subjects), _TOGETHER):
        wanted = [
            Wanted(shown, refusal(subject_id, shown, keys))
            for subject_id in subjects[start : start + _TOGETHER]
        ]
        with database.write() as session:
            append_together(session, wanted, now=_NOW + timedelta(milliseconds=start))


def refusal(subject_id: str, shown: ShownVersion, keys: list[str]) -> Decision:
    return Decision(
        decision_id=uuid4(),
        subject_id=subject_id,
        method=Method.REJECT_ALL,
        layer=Layer.NOTICE,
        version=shown.number,
        script="",
        language="sv",
        grants=dict.fromkeys(keys, False),
        decided_at=_NOW,
    )


def personal_of(session: Session, subjects: list[str]) -> set[bytes]:
    """Return key and salt of every record of some visitors."""
    keys = {subject_key(subject_id) for subject_id in subjects}
    rows = session.execute(select(SubjectData.subject_key, SubjectData.salt))
    return {value for row in rows if row.subject_key in keys for value in row}


def find_traces(folder: Path, personal: set[bytes]) -> set[str]:
    """Return the files in which one of them stands, raw or in hex."""
    found = set()
    for file in (one for one in folder.rglob("*") if one.is_file()):
        content = file.read_bytes()
        forms = (form for one in personal for form in (one, one.hex().encode()))
        if any(form in content for form in forms):
            found.add(file.name)
    return found


@pytest.mark.parametrize(
    ("number", "leaving"), [(400, 20), pytest.param(100_000, 1_000, marks=pytest.mark.soak)]
)
def test_erased_visitors_leave_no_trace_and_the_root_as_it_was(
    app: Flask, database: Database, tmp_path: Path, number: int, leaving: int
) -> None:
    published: PublishedSites = app.extensions["consent"].published
    site = published.find("smilee")
    shown = published.shown(site, site.number, site.script.script.script_id)
    subjects = [secrets.token_hex(16) for _ in range(number)]
    record(database, shown, subjects)
    signer = open_signer(tmp_path / "keys", now=_NOW)
    seal_waiting(database, signer, now=_NOW)
    gone = random.Random(number).sample(subjects, leaving)
    with database.read() as session:
        row = find_site(session, "smilee")
        before = last_checkpoint(session, row)
        personal = personal_of(session, gone)
    assert len(personal) == 2 * leaving
    assert find_traces(tmp_path, personal)
    for subject_id in gone:
        with database.write() as session:
            row = find_site(session, "smilee")
            reason = "asked by letter"
            erase_subject(session, row, subject_id, actor="tests", reason=reason, now=_NOW)
    assert scrub(database) == []
    assert find_traces(tmp_path, personal) == set()
    seal_waiting(database, signer, now=_NOW)
    with database.read() as session:
        row = find_site(session, "smilee")
        checked = check_ledger(session, row, keys_of(session, row))
        assert before is not None
        assert checked.leaves == before.size + leaving
        salts = [one["salt"] for one in export_records(session, row)]
    assert salts.count(None) == leaving
    assert not {one.hex() for one in personal} & set(salts)
