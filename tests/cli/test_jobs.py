"""Jobs: a running server seals by itself, soon and without being asked."""

from __future__ import annotations

import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import insert

from consent_server.cli.jobs import jobs_of
from consent_server.cli.opening import now
from consent_server.config import Settings
from consent_server.erasure import erase_subject
from consent_server.rules.times import spell_time
from consent_server.sites import find_site
from consent_server.store.database import Database
from consent_server.store.outside_models import Identity
from tests.browser.running_server import RunningServer
from tests.visitor import Visitor, fetch_proof

from .serving import serving, wait_until
from .test_killed import read_template
from .test_run import free_port

#: A checkpoint is a second behind at most; a busy machine is given more.
LATEST_SECONDS = 10.0


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningServer]:
    server = RunningServer(tmp_path)
    server.start()
    yield server
    server.kill()


def fetch(url: str) -> bytes | None:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return bytes(answer.read())
    except urllib.error.HTTPError as error:
        if error.code == 404:
            return None
        raise


def test_a_running_server_proves_each_record_within_moments(server: RunningServer) -> None:
    template = read_template(server)
    for _ in range(3):
        decision = {
            **template,
            "decision_id": str(uuid4()),
            "subject_id": uuid4().hex,
            "decided_at": spell_time(now()),
        }
        request = urllib.request.Request(
            f"{server.url}/w/smilee/decisions?proof={fetch_proof(f'{server.url}/w/smilee')}",
            json.dumps(decision).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            receipt = json.loads(answer.read())
        address = f"{server.url}/w/smilee/ledger/proof?event_id={receipt['event_id']}"
        deadline = time.monotonic() + LATEST_SECONDS
        while (proof := fetch(address)) is None:
            assert time.monotonic() < deadline, "the record was not sealed"
            time.sleep(0.02)
        assert json.loads(proof)["leaf_hash"] == receipt["leaf_hash"]


def test_a_command_makes_a_new_key_for_the_running_server(server: RunningServer) -> None:
    address = f"{server.url}/w/smilee/ledger/keys"
    deadline = time.monotonic() + LATEST_SECONDS
    while fetch(address) is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    server.run_command("ledger", "rotate-key", "--yes")
    body = fetch(address)
    assert body is not None
    assert len(json.loads(body)["keys"]) == 2


def test_each_job_of_a_server_does_its_work(
    settings: Settings, database: Database, visitor: Visitor, tmp_path: Path
) -> None:
    visitor.accept_all()
    with database.write() as session:
        site = find_site(session, "smilee")
        erase_subject(
            session, site, visitor.subject_id, actor="tests", reason="asked to", now=now()
        )
    kept = tmp_path / "kept"
    jobs = jobs_of(replace(settings, checkpoint_targets=f"file:{kept}"), database)
    done = {job.name: job.run() for job in jobs}
    assert list(done) == [
        "sealing",
        "webhooks",
        "old deliveries and links",
        "retention",
        "scrubbing",
        "keeping scripts",
        f"pushing to {kept}",
    ]
    assert done["webhooks"] == 0
    assert done["scrubbing"] is True
    assert done["retention"] == []
    assert kept.read_text("utf-8").count("/ledger/") >= 5


def test_links_that_were_left_are_deleted_and_scrubbed(
    settings: Settings, database: Database, visitor: Visitor
) -> None:
    visitor.accept_all()
    jobs = {job.name: job.run for job in jobs_of(settings, database)}
    link = {"site_id": 1, "ref_key": bytes(32), "subject_key": bytes(32), "linked_at": now()}
    with database.write() as session:
        session.execute(insert(Identity), [link])
    assert jobs["scrubbing"]() is False
    jobs["old deliveries and links"]()
    assert jobs["scrubbing"]() is True
    assert jobs["scrubbing"]() is False


def test_a_closed_key_folder_stands_in_the_log_with_what_to_do(
    settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    folder = tmp_path / "file" / "keys"
    environment = {
        **os.environ,
        "CONSENT_DATABASE_URL": settings.database_url,
        "CONSENT_KEY_FOLDER": str(folder),
    }
    with serving("run", environment=environment, folder=tmp_path, port=free_port()) as server:
        wait_until(lambda: "sealing" in server.said())
        [line] = [one for one in server.said().splitlines() if "sealing" in one]
    assert f"sealing failed and is tried again: {folder}: Not a directory. " in line
    assert "CONSENT_KEY_FOLDER" in line
