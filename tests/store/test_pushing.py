"""Pushing over real HTTP, on both databases: what left the server cannot be taken back."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select, text
from werkzeug.serving import BaseWSGIServer, make_server

from consent_server.app import create_app
from consent_server.cli import pushes
from consent_server.cli.pushes import Pusher
from consent_server.cli.upkeep import holding
from consent_server.config import Settings
from consent_server.errors import ConfigError
from consent_server.pushing import find_waiting
from consent_server.rules.checkpoint import parse_checkpoint
from consent_server.rules.note import VerifierKey, parse_note, verify_note
from consent_server.sealing import open_ledger, seal_waiting
from consent_server.signing import Signer, verify_signature
from consent_server.sites import find_site
from consent_server.store.database import Database
from consent_server.store.models import Cosignature, Ledger
from consent_server.store.outside_models import CheckpointPush
from consent_server.store.schema import upgrade_schema
from consent_server.targets import Target, TargetKind, parse_targets
from consent_server.witness import open_cosigner
from tests.visitor import Visitor


@contextmanager
def listening(server: ThreadingHTTPServer | BaseWSGIServer) -> Iterator[str]:
    """Serve in a thread; gives the address."""
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


#: For what has nothing to do with the database.
on_sqlite = pytest.mark.parametrize("empty_url", ["sqlite"], indirect=True)

Seal = Callable[[], int]


@pytest.fixture
def seal(served: Flask, store: Database, signer: Signer) -> Seal:
    """Lets a visitor decide and seals it; returns the size of the ledger."""

    def seal() -> int:
        assert Visitor(served.test_client(use_cookies=False)).reject_all().status_code == 201
        [sealed] = seal_waiting(store, signer, now=datetime.now(UTC))
        return sealed.published.size

    return seal


@pytest.fixture
def witness(tmp_path: Path, store: Database, signer: Signer, seal: Seal) -> Iterator[Target]:
    """A second server with a database and keys of its own, which watches the ledger."""
    seal()
    with store.read() as session:
        origin = session.scalar(select(Ledger.origin))
    assert origin
    logs = tmp_path / "logs"
    logs.write_text(signer.current(origin).to_text() + "\n")
    url = f"sqlite:///{tmp_path / 'witness' / 'consent.sqlite'}"
    settings = Settings(database_url=url, witness_logs=str(logs), witness_name="witness.example")
    app = create_app(settings)
    upgrade_schema(app.extensions["consent"].database)
    folder = tmp_path / "witness" / "keys"
    key = open_cosigner(folder, "witness.example", now=datetime.now(UTC)).verifier
    with listening(make_server("127.0.0.1", 0, app, threaded=True)) as address:
        [target] = parse_targets(f"witness:{address}/witness#{key.to_text()}")
        yield target
    app.extensions["consent"].database.close()


def arrived(pusher: Pusher) -> list[int]:
    return [one.size for one in pusher.run()]


def let_time_pass(monkeypatch: pytest.MonkeyPatch, hours: int) -> None:
    """Let every pause after a failure be over."""
    later = datetime.now(UTC) + timedelta(hours=hours)
    monkeypatch.setattr(pushes, "now", lambda: later)


def cosigned(database: Database) -> list[int]:
    with database.read() as session:
        return list(session.scalars(select(Cosignature.size).order_by(Cosignature.size)))


def check_cosigned(client_answer: str, key: VerifierKey | None) -> int:
    """Verify the cosignature of a served checkpoint; return its size."""
    assert key is not None
    note = parse_note(client_answer.encode())
    assert len(verify_note(note, [key], verify_signature)) == 1
    return parse_checkpoint(note.text).size


def test_a_witness_cosigns_and_the_served_checkpoint_carries_it(
    served: Flask, store: Database, seal: Seal, witness: Target
) -> None:
    pusher = Pusher(store, witness)
    for _ in range(3):
        size = seal()
        assert arrived(pusher) == [size]
        assert arrived(pusher) == []
        answer = served.test_client().get("/w/smilee/ledger/checkpoint")
        assert check_cosigned(answer.text, witness.key) == size
    assert len(cosigned(store)) == 3


def test_a_ledger_written_anew_with_the_true_key_is_refused(
    served: Flask,
    store: Database,
    seal: Seal,
    witness: Target,
    signer: Signer,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    for _ in range(3):
        seal()
    size = seal()
    assert arrived(Pusher(store, witness)) == [size]
    # The operator gives the ledger's name and key to other records.
    with store.read() as session:
        origin = session.scalar(select(Ledger.origin))
    other = create_app(Settings(database_url=f"sqlite:///{tmp_path / 'anew' / 'consent.sqlite'}"))
    anew: Database = other.extensions["consent"].database
    upgrade_schema(anew)
    copy_site(store, anew)
    anew_signer = Signer(tmp_path / "anew" / "keys", signer.keys)
    with anew.write() as session:
        open_ledger(session, find_site(session, "smilee"), now=datetime.now(UTC))
    change_behind_the_triggers(anew, "ledger", f"UPDATE ledger SET origin = '{origin}'")
    for _ in range(size + 2):
        assert Visitor(other.test_client(use_cookies=False)).reject_all().status_code == 201
    (tmp_path / "anew" / "keys").mkdir(mode=0o700, exist_ok=True)
    [sealed] = seal_waiting(anew, anew_signer, now=datetime.now(UTC))
    assert sealed.published.origin == origin
    assert sealed.published.size > size
    assert arrived(Pusher(anew, witness)) == []
    assert "refuses to cosign smilee (422)" in caplog.text
    assert cosigned(anew) == []
    assert seal() > size, "the true one goes on"
    assert len(arrived(Pusher(store, witness))) == 1
    anew.close()


def copy_site(source: Database, target: Database) -> None:
    """Copy what was published, as a backup would."""
    for table in ("site", "site_version", "site_script"):
        with source.read() as session:
            rows = session.execute(text(f"SELECT * FROM {table}")).mappings().all()
        for row in rows:
            names = ", ".join(row.keys())
            places = ", ".join(f":{name}" for name in names.split(", "))
            values = {
                name: value.isoformat().replace("+00:00", "Z")
                if isinstance(value, datetime)
                else value
                for name, value in row.items()
            }
            with target.write() as session:
                session.execute(text(f"INSERT INTO {table} ({names}) VALUES ({places})"), values)


def change_behind_the_triggers(database: Database, table: str, statement: str) -> None:
    with database.write() as session:
        session.execute(text(f"DROP TRIGGER {table}_refuses_update"))
        session.execute(text(statement))


@on_sqlite
def test_a_database_that_was_restored_too_old_is_told_by_the_witness(
    store: Database, seal: Seal, witness: Target, caplog: pytest.LogCaptureFixture
) -> None:
    small = seal()
    big = seal()
    assert arrived(Pusher(store, witness)) == [big]
    drop_newest_checkpoint(store, small)
    assert arrived(Pusher(store, witness)) == []
    assert f"has seen {big} leaves of smilee, there are {small}" in caplog.text


def drop_newest_checkpoint(database: Database, size: int) -> None:
    trigger = "checkpoint_refuses_delete" if database.is_sqlite else "checkpoint_refuses_change"
    on = "" if database.is_sqlite else " ON checkpoint"
    with database.write() as session:
        session.execute(text(f"DROP TRIGGER {trigger}{on}"))
        session.execute(text(f"DELETE FROM checkpoint WHERE size > {size}"))
        session.execute(text("DELETE FROM checkpoint_push"))


def test_an_answer_that_was_lost_costs_nothing(
    store: Database, seal: Seal, witness: Target
) -> None:
    """The witness has cosigned, but this server never came to write it down."""
    size = seal()
    assert arrived(Pusher(store, witness)) == [size]
    with store.write() as session:
        session.execute(text("DELETE FROM checkpoint_push"))
    assert arrived(Pusher(store, witness)) == [size]
    assert cosigned(store) == [size]
    later = seal()
    assert arrived(Pusher(store, witness)) == [later]


@on_sqlite
def test_a_cosignature_of_another_key_is_not_believed(
    store: Database,
    seal: Seal,
    witness: Target,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    seal()
    other = open_cosigner(tmp_path / "other", "witness.example", now=datetime.now(UTC)).verifier
    target = Target(TargetKind.WITNESS, witness.name, witness.address, other)
    assert arrived(Pusher(store, target)) == []
    assert "without a cosignature of its key" in caplog.text
    assert cosigned(store) == []


@on_sqlite
def test_a_file_gets_every_checkpoint_that_was_newest(
    store: Database, seal: Seal, tmp_path: Path
) -> None:
    [target] = parse_targets(f"file:{tmp_path / 'checkpoints'}")
    pusher = Pusher(store, target)
    sizes = []
    for _ in range(3):
        sizes.append(seal())
        assert arrived(pusher) == sizes[-1:]
    notes = (tmp_path / "checkpoints").read_text().split("\n\n\N{EM DASH} ")
    assert len(notes) == 4
    assert [f"\n{size}\n" in note for size, note in zip(sizes, notes, strict=False)] == [True] * 3


class Hook(BaseHTTPRequestHandler):
    """Takes checkpoints, and answers what the test wants."""

    answers: list[int]
    bodies: list[tuple[str, str]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.bodies.append((self.headers["Content-Type"], body))
        status = self.answers.pop(0) if self.answers else 204
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/elsewhere")
        if status == 200:
            self.end_headers()
            self.wfile.write(b"x" * 100_000)
        else:
            self.send_header("Content-Length", "0")
            self.end_headers()

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def hook() -> Iterator[tuple[Target, type[Hook]]]:
    handler = type("OneHook", (Hook,), {"answers": [], "bodies": []})
    with listening(ThreadingHTTPServer(("127.0.0.1", 0), handler)) as address:
        yield parse_targets(f"{address}/checkpoints?from=here")[0], handler


@on_sqlite
def test_a_webhook_gets_the_note_as_text(
    served: Flask, store: Database, seal: Seal, hook: tuple[Target, type[Hook]]
) -> None:
    target, handler = hook
    size = seal()
    assert arrived(Pusher(store, target)) == [size]
    served_note = served.test_client().get("/w/smilee/ledger/checkpoint").text
    assert handler.bodies == [("text/plain; charset=utf-8", served_note)]


@on_sqlite
@pytest.mark.parametrize("status", [302, 404, 500, 200])
def test_what_was_not_taken_is_told_once_and_waits(
    store: Database,
    seal: Seal,
    hook: tuple[Target, type[Hook]],
    status: int,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A redirect is not followed, and an answer without end is not read."""
    target, handler = hook
    handler.answers = [status] * 2
    size = seal()
    pusher = Pusher(store, target)
    assert arrived(pusher) == []
    assert arrived(pusher) == [], "its time has not come"
    assert len(handler.bodies) == 1
    let_time_pass(monkeypatch, 1)
    assert arrived(pusher) == []
    assert len(handler.bodies) == 2
    assert len([one for one in caplog.records if one.levelname == "ERROR"]) == 1
    let_time_pass(monkeypatch, 2)
    assert arrived(pusher) == [size]
    with store.read() as session:
        assert session.scalar(select(func.max(CheckpointPush.size))) == size


@on_sqlite
def test_nobody_there_is_told_and_decisions_go_on(
    served: Flask, store: Database, seal: Seal, caplog: pytest.LogCaptureFixture
) -> None:
    [target] = parse_targets("http://127.0.0.1:9/checkpoints")
    seal()
    assert arrived(Pusher(store, target)) == []
    assert "127.0.0.1:9" in caplog.text
    seal()


@on_sqlite
def test_what_another_server_brought_there_fails_no_more(
    store: Database, seal: Seal, tmp_path: Path
) -> None:
    place = tmp_path / "later" / "checkpoints"
    [target] = parse_targets(f"file:{place}")
    size = seal()
    pusher = Pusher(store, target)
    assert arrived(pusher) == []
    assert pusher.failing == {"smilee"}
    place.parent.mkdir()
    assert arrived(Pusher(store, target)) == [size]
    assert arrived(pusher) == []
    assert pusher.failing == set()


@on_sqlite
def test_while_another_server_pushes_this_one_does_not(
    store: Database, seal: Seal, tmp_path: Path
) -> None:
    [target] = parse_targets(f"file:{tmp_path / 'checkpoints'}")
    size = seal()
    pusher = Pusher(store, target)
    with holding(store, pusher.lease) as renew:
        assert renew is not None
        assert arrived(pusher) == []
    assert arrived(pusher) == [size]


@on_sqlite
def test_nothing_waits_before_the_first_checkpoint(store: Database) -> None:
    with store.read() as session:
        assert find_waiting(session, parse_targets("file:/x")[0]) == []


KEY = "witness.example+b3d6f6d4+AAAA"


@pytest.mark.parametrize(
    "text",
    [
        "file:relative/path",
        "http://example.com/hook",
        "ftp://example.com/",
        "https://",
        "https://user:secret@example.com/",
        "https://example.com:99999/",
        "https://example.com/h\u00f6k",
        "https://a..b/",
        "witness:https://example.com",
        f"witness:https://example.com#{KEY}",
        f"witness:http://example.com#{KEY}",
        "example.com",
        "file:/" + "x" * 300,
    ],
)
def test_a_place_that_is_spelled_wrongly_is_refused_by_name(text: str) -> None:
    with pytest.raises(ConfigError, match="CONSENT_CHECKPOINT_TARGETS"):
        parse_targets(text)


def test_a_log_is_no_witness(signer: Signer) -> None:
    with pytest.raises(ConfigError, match="a log's key"):
        parse_targets(f"witness:https://example.com#{signer.current('log.example').to_text()}")
