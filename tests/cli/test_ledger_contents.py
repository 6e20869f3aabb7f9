"""Ledger contents: what leaves name and do not hold is checked where it lies, and named."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from consent_server.cli import main
from consent_server.signing import Signer
from consent_server.store.database import Database
from tests.store.sealed import remove_triggers
from tests.visitor import Visitor

#: Without pictures: no browser is in it.
_EXPORT = ("audit", "export", "--site", "smilee", "--no-screenshots", "-o")
_SMILEE = "site_id = (SELECT id FROM site WHERE key = 'smilee')"


@pytest.fixture
def run(runner: CliRunner, visitor: Visitor, database: Database) -> CliRunner:
    """Runs commands on a sealed ledger of two visitors whose database takes every change."""
    visitor.accept_all()
    Visitor(visitor.client).decide()
    assert call(runner, "ledger", "seal").exit_code == 0
    remove_triggers(database)
    return runner


def call(runner: CliRunner, *arguments: str | Path) -> Result:
    return runner.invoke(main, [str(one) for one in arguments])


def change(database: Database, statement: str) -> None:
    with database.write() as session:
        session.execute(text(statement.replace("SMILEE", _SMILEE)))


def verify(runner: CliRunner) -> str:
    """Return what `ledger verify` finds wrong; it must be one message and exit code 1."""
    assert "Error" not in call(runner, "ledger", "verify", "--site", "getjenny").output
    done = call(runner, "ledger", "verify", "--site", "smilee")
    assert done.exit_code == 1, done.output
    assert isinstance(done.exception, SystemExit)
    return done.output


_ONE = "SMILEE AND event_id = (SELECT min(event_id) FROM consent_event WHERE SMILEE)"
CHANGES = {
    "a word": (
        "UPDATE site_version SET config = replace(config, 'Smilee', 'Smiley') WHERE SMILEE",
        "Version 1 of 'smilee' was changed: its words",
    ),
    "words and their hash": (
        "UPDATE site_version SET number = 2 WHERE SMILEE",
        "is sealed, but the record or its version is gone",
    ),
    "who published": (
        "UPDATE site_version SET published_by = 'nobody' WHERE SMILEE",
        "Version 1 of 'smilee' was published by 'tests'.",
    ),
    "when it was published": (
        "UPDATE site_version SET published_at = '2020-01-01T00:00:00.000Z' WHERE SMILEE",
        "Version 1 of 'smilee' was published at 20",
    ),
    "who must be asked again": (
        "UPDATE site_version SET material_since = 2 WHERE SMILEE",
        "Version 1 of 'smilee' has another material_since",
    ),
    "which version is shown": (
        "UPDATE site SET current_version = 2 WHERE key = 'smilee'",
        "'smilee' shows version 2 to its visitors, but version 1 was published last",
    ),
    "a version that nobody published": (
        "INSERT INTO site_version SELECT site_id, 2, config, config_hash, material_hash, "
        "material_since, source, published_at, published_by FROM site_version WHERE SMILEE",
        "Version 2 of 'smilee': no event says that it was published",
    ),
    "a script": (
        "UPDATE site_script SET body = x'00' WHERE SMILEE",
        "of 'smilee' was changed",
    ),
    "a script that is gone": (
        "DELETE FROM site_script WHERE SMILEE",
        "of 'smilee' was served, and is gone",
    ),
    "a salt": (
        f"UPDATE subject_data SET salt = zeroblob(32) WHERE {_ONE}",
        "was linked to another visitor",
    ),
    "whose it is": (
        f"UPDATE subject_data SET subject_key = (SELECT subject_key FROM subject_data WHERE NOT "
        f"({_ONE})) WHERE {_ONE}",
        "was linked to another visitor",
    ),
    "a link": (
        f"DELETE FROM subject_data WHERE {_ONE}",
        "1 records of 'smilee' are linked to no visitor, but only 0 were erased",
    ),
    "a record beside the ledger": (
        "INSERT INTO consent_event SELECT decided_at, received_at, valid_until, site_id, "
        "answer_number, x'00112233445566778899aabbccddeeff', subject_commitment, region, signals "
        f"FROM consent_event WHERE {_ONE}",
        "00112233-4455-6677-8899-aabbccddeeff is neither sealed nor waiting",
    ),
    "an act beside the ledger": (
        "INSERT INTO admin_event SELECT site_id, x'00112233445566778899aabbccddeeff', action, "
        "actor, details, happened_at, leaf_hash FROM admin_event WHERE SMILEE LIMIT 1",
        "00112233-4455-6677-8899-aabbccddeeff is neither sealed nor waiting",
    ),
    "the time of a checkpoint": (
        "UPDATE checkpoint SET sealed_at = '2020-01-01T00:00:00.000Z' WHERE SMILEE",
        "The checkpoint at 4 leaves says of itself another time or key than was signed",
    ),
    "the key of a checkpoint": (
        "UPDATE checkpoint SET key_id = '00000000' WHERE SMILEE",
        "The checkpoint at 4 leaves says of itself another time or key than was signed",
    ),
}
#: What no record can hold. `min` of the ids is not the first leaf: the others are read with it.
UNREADABLE = {
    "signals": f"UPDATE consent_event SET signals = 'x' WHERE {_ONE}",
    "a time": f"UPDATE consent_event SET decided_at = 'x' WHERE {_ONE}",
    "a time beyond all": f"UPDATE consent_event SET valid_until = 1000000000000000000 WHERE {_ONE}",
    "grants": "UPDATE answer SET grants = '[' WHERE SMILEE",
    "details": "UPDATE admin_event SET details = '[]' WHERE action = 'publish' AND SMILEE",
    "the time of an act": (
        "UPDATE admin_event SET happened_at = 'x' WHERE action = 'publish' AND SMILEE"
    ),
}


@pytest.mark.parametrize(("statement", "found"), CHANGES.values(), ids=CHANGES)
def test_what_is_not_as_it_was_sealed_is_named(
    run: CliRunner, database: Database, statement: str, found: str
) -> None:
    assert call(run, "ledger", "verify").exit_code == 0
    change(database, statement)
    assert found in verify(run)


@pytest.mark.parametrize("statement", UNREADABLE.values(), ids=UNREADABLE)
def test_a_record_that_cannot_be_read_is_named_and_not_exported(
    run: CliRunner, database: Database, statement: str, tmp_path: Path
) -> None:
    change(database, statement)
    told = verify(run)
    assert "Record " in told
    assert "was changed" in told
    done = call(run, *_EXPORT, tmp_path / "smilee.zip")
    assert done.exit_code in {0, 1}
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception


def test_an_export_names_what_finds_the_script_that_is_gone(
    run: CliRunner, database: Database, tmp_path: Path
) -> None:
    change(database, "DELETE FROM site_script WHERE SMILEE")
    done = call(run, *_EXPORT, tmp_path / "smilee.zip")
    assert done.exit_code == 1
    assert isinstance(done.exception, SystemExit), done.exception
    assert "consent-server ledger verify --site smilee" in done.output
    assert not list(tmp_path.glob("*smilee.zip*"))


def test_an_announcement_that_cannot_be_read_is_named(run: CliRunner, database: Database) -> None:
    change(database, "UPDATE admin_event SET details = '[' WHERE action = 'key_change' AND SMILEE")
    assert "was changed: it announces no key that can be read" in verify(run)


def test_a_waiting_record_that_was_taken_out_of_the_queue_is_named(
    run: CliRunner, visitor: Visitor, database: Database
) -> None:
    visitor.withdraw()
    assert call(run, "ledger", "verify").exit_code == 0
    change(database, "DELETE FROM ledger_queue WHERE SMILEE")
    assert "is neither sealed nor waiting for it" in verify(run)


def test_an_erased_visitor_leaves_a_ledger_that_verifies(run: CliRunner, visitor: Visitor) -> None:
    erased = call(
        run,
        *("erase", "--site", "smilee", "--subject", visitor.subject_id),
        *("--reason", "asked by letter", "--yes"),
    )
    assert erased.exit_code == 0, erased.output
    for _ in range(2):  # while the event of the erasure waits, and once it is sealed
        verified = call(run, "ledger", "verify")
        assert verified.exit_code == 0, verified.output
        assert call(run, "ledger", "seal").exit_code == 0


def test_a_ledger_that_lacks_what_was_published_is_told(
    run: CliRunner, visitor: Visitor, database: Database
) -> None:
    visitor.withdraw()
    assert call(run, "ledger", "seal").exit_code == 0
    last = "(SELECT event_id FROM ledger_leaf WHERE SMILEE AND leaf_index = 4)"
    for table in ("consent_event", "subject_data", "ledger_leaf"):
        change(database, f"DELETE FROM {table} WHERE SMILEE AND event_id = {last}")
    change(database, "DELETE FROM checkpoint WHERE SMILEE AND size = 5")
    told = verify(run)
    assert "smilee: 4 leaves and 1 checkpoints are as they were sealed." in told
    assert "has 4 sealed leaves, but 5 were published" in told


def test_what_a_server_publishes_while_a_copy_is_verified_is_no_loss(
    run: CliRunner,
    visitor: Visitor,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    look = Signer.verifiers

    def seal_meanwhile(signer: Signer, origin: str) -> object:
        """Decide and seal as a server does: the keys are asked for when the copy is there."""
        monkeypatch.setattr(Signer, "verifiers", look)
        visitor.decide("meta-pixel")
        assert call(run, "ledger", "seal").exit_code == 0
        return look(signer, origin)

    monkeypatch.setattr(Signer, "verifiers", seal_meanwhile)
    done = call(run, "database", "backup", tmp_path / "copy.sqlite")
    assert done.exit_code == 0, done.output
    assert Signer.verifiers is look
    assert "smilee: 2 records, 4 leaves as they were sealed" in done.output
    assert "missing here" not in done.output


@pytest.mark.parametrize("command", [("ledger", "verify"), ("doctor",)], ids=" ".join)
def test_what_a_server_publishes_while_it_is_looked_at_is_no_loss(
    run: CliRunner,
    visitor: Visitor,
    monkeypatch: pytest.MonkeyPatch,
    command: tuple[str, ...],
) -> None:
    look = Signer.last_published
    asked: list[str] = []

    def seal_meanwhile(self: Signer, origin: str) -> object:
        if not asked:
            asked.append(origin)
            visitor.decide("meta-pixel")
            assert call(run, "ledger", "seal").exit_code == 0
        return look(self, origin)

    monkeypatch.setattr(Signer, "last_published", seal_meanwhile)
    done = call(run, *command)
    assert asked
    assert "but 5 were published" not in done.output
    assert "older than what others have seen" not in done.output
