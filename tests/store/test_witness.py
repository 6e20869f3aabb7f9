"""The witness on both databases: it cosigns what only grew, and nothing else."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from consent_server.app import create_app
from consent_server.config import Settings
from consent_server.errors import ConfigError
from consent_server.rules.note import VerifierKey, parse_note, unpack_cosignature, verify_note
from consent_server.rules.witness import spell_request
from consent_server.signing import SigningKey, verify_signature
from consent_server.store.database import Database
from consent_server.witness import list_witnessed, open_cosigner
from tests.api.answers import read_problem
from tests.other_log import OtherLog

#: For what has nothing to do with the database.
on_sqlite = pytest.mark.parametrize("empty_url", ["sqlite"], indirect=True)
_OTHER_KEY = SigningKey(b"o" * 32, datetime(2026, 1, 1, tzinfo=UTC))


@pytest.fixture
def log() -> OtherLog:
    """A log that the witness watches, with 5 leaves."""
    return OtherLog().grow(5)


@pytest.fixture
def settings(store: Database, empty_url: str, log: OtherLog, tmp_path: Path) -> Settings:
    logs = tmp_path / "logs"
    logs.write_text(f"# whom we watch\n\n{log.verifier}\n")
    return Settings(
        database_url=empty_url,
        key_folder=str(tmp_path / "keys"),
        witness_logs=str(logs),
        witness_name="witness.example.net",
    )


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    app = create_app(settings)
    yield app
    app.extensions["consent"].database.close()


@pytest.fixture
def cosigner(settings: Settings) -> VerifierKey:
    """The key by which others know this witness."""
    folder, name = Path(settings.key_folder), settings.witness_name
    return open_cosigner(folder, name, now=datetime.now(UTC)).verifier


def ask(app: Flask, body: bytes) -> TestResponse:
    return app.test_client().post("/witness/add-checkpoint", data=body)


def sizes(app: Flask) -> dict[str, int]:
    with app.extensions["consent"].database.read() as session:
        return {one.origin: one.size for one in list_witnessed(session)}


def other_size(answer: TestResponse) -> str:
    assert (answer.status_code, answer.content_type) == (409, "text/x.tlog.size")
    return answer.text


def test_a_growing_log_is_cosigned_each_time(
    app: Flask, log: OtherLog, cosigner: VerifierKey
) -> None:
    old = 0
    for size in (5, 5, 6, 13, 64, 100):
        log.grow(size - len(log.leaves))
        began = int(datetime.now(UTC).timestamp())
        answer = ask(app, log.request(old))
        assert answer.status_code == 200, answer.text
        note = parse_note(log.note().encode() + answer.data)
        [signed] = verify_note(note, [cosigner], verify_signature)
        timestamp, _ = unpack_cosignature(signed.signature)
        assert began <= timestamp <= datetime.now(UTC).timestamp()
        assert sizes(app) == {log.origin: size}
        old = size


@on_sqlite
def test_an_unknown_log_is_404(app: Flask) -> None:
    read_problem(ask(app, OtherLog("elsewhere.example").grow(1).request(0)), 404, "not_found")
    assert sizes(app) == {}


@on_sqlite
def test_another_key_is_403_and_so_is_a_false_signature(app: Flask, log: OtherLog) -> None:
    other = OtherLog(log.origin, log.leaves, _OTHER_KEY)
    read_problem(ask(app, other.request(0)), 403, "untrusted_checkpoint")
    false = log.request(0).replace(b"\n5\n", b"\n6\n")
    read_problem(ask(app, false), 403, "untrusted_checkpoint")
    assert sizes(app) == {}


@on_sqlite
def test_what_is_no_request_is_400(app: Flask, log: OtherLog) -> None:
    for body in (b"", b"old 0\n", log.note().encode(), spell_request(6, [], log.note())):
        read_problem(ask(app, body), 400, "not_a_witness_request")


@on_sqlite
def test_another_size_than_the_last_is_409_with_the_last(app: Flask, log: OtherLog) -> None:
    assert other_size(ask(app, log.request(3))) == "0\n"
    ask(app, log.request(0))
    log.grow(5)
    for old in (0, 4, 6):
        assert other_size(ask(app, log.request(old))) == "5\n"
    assert sizes(app) == {log.origin: 5}


@on_sqlite
def test_a_wrong_proof_is_422(app: Flask, log: OtherLog) -> None:
    ask(app, log.request(0))
    log.grow(5)
    true = log.proof(5, 10)
    for proof in ([], true[:-1], [*true, true[0]], true[::-1], [bytes(32)] * len(true)):
        answer = ask(app, spell_request(5, proof, log.note()))
        read_problem(answer, 422, "inconsistent_checkpoint")
    read_problem(ask(app, spell_request(5, true, log.note(5))), 422)
    assert sizes(app) == {log.origin: 5}
    assert ask(app, spell_request(5, true, log.note())).status_code == 200


@on_sqlite
def test_a_proof_before_the_first_is_422(app: Flask, log: OtherLog) -> None:
    read_problem(ask(app, spell_request(0, [bytes(32)], log.note())), 422)


def test_a_log_written_anew_with_its_true_key_is_refused(app: Flask, log: OtherLog) -> None:
    log.grow(20)
    ask(app, log.request(0))
    anew = OtherLog(log.origin).grow(len(log.leaves), "other words")
    assert other_size(ask(app, anew.request(25))) == "25\n"
    anew.grow(10, "other words")
    read_problem(ask(app, anew.request(25)), 422, "inconsistent_checkpoint")
    assert other_size(ask(app, anew.request(0))) == "25\n"
    one_changed = OtherLog(log.origin, [*log.leaves]).grow(10)
    one_changed.leaves[7] = bytes(32)
    read_problem(ask(app, one_changed.request(25)), 422, "inconsistent_checkpoint")
    assert other_size(ask(app, log.request(20, 20))) == "25\n", "a log that was cut short"
    assert sizes(app) == {log.origin: 25}


@pytest.mark.parametrize("first", [True, False])
def test_of_two_requests_at_once_from_one_size_one_wins(
    app: Flask, log: OtherLog, first: bool
) -> None:
    old = 0
    if not first:
        ask(app, log.request(0))
        old = 5
    forks = [OtherLog(log.origin, [*log.leaves]).grow(3, f"fork {n}") for n in range(4)]
    together = threading.Barrier(len(forks))
    answers: list[TestResponse] = []

    def send(fork: OtherLog) -> None:
        body = fork.request(old)
        together.wait()
        answers.append(ask(app, body))

    threads = [threading.Thread(target=send, args=(fork,)) for fork in forks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    assert sizes(app) == {log.origin: 8}


@on_sqlite
def test_keys_that_change_are_both_known_for_a_while(
    app: Flask, settings: Settings, log: OtherLog
) -> None:
    anew = replace(log, key=_OTHER_KEY)
    with Path(settings.witness_logs).open("a") as file:
        file.write(f"{anew.verifier}\n")
    assert ask(app, log.request(0)).status_code == 200
    assert ask(app, anew.grow(1).request(5)).status_code == 200


@on_sqlite
def test_without_logs_to_watch_there_is_no_witness(store: Database, empty_url: str) -> None:
    app = create_app(Settings(database_url=empty_url))
    read_problem(ask(app, b""), 404)
    app.extensions["consent"].database.close()


@on_sqlite
@pytest.mark.parametrize("line", ["no key", "log+00000000+AAAA", "a witness"])
def test_a_wrong_line_stops_the_start_by_its_number(
    settings: Settings, cosigner: VerifierKey, line: str
) -> None:
    wrong = cosigner.to_text() if line == "a witness" else line
    Path(settings.witness_logs).write_text(f"# one\n{wrong}\n")
    with pytest.raises(ConfigError, match="line 2"):
        create_app(settings)


@on_sqlite
def test_a_witness_needs_a_name(settings: Settings) -> None:
    with pytest.raises(ConfigError, match="CONSENT_WITNESS_NAME"):
        create_app(replace(settings, witness_name=""))
