"""Ledger commands: what an operator types to seal, look, prove and check."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from consent_server.cli import main
from consent_server.config import Settings, sqlite_path
from consent_server.rules.note import parse_verifier_key
from consent_server.store.database import Database
from tests.visitor import Visitor


@pytest.fixture
def run(runner: CliRunner, visitor: Visitor) -> CliRunner:
    """Runs commands after a visitor has decided."""
    visitor.accept_all()
    return runner


def ledger(runner: CliRunner, *arguments: str) -> Result:
    return runner.invoke(main, ["ledger", *arguments])


def test_what_waits_is_sealed_and_told(run: CliRunner) -> None:
    result = ledger(run, "seal")
    assert result.exit_code == 0, result.output
    assert "smilee: 3 sealed, 3 in all." in result.output
    assert ledger(run, "seal").output == "Nothing waits to be sealed.\n"
    assert "www.example.com" not in result.output


def test_the_status_shows_every_site(run: CliRunner) -> None:
    before = ledger(run, "status").output
    assert "smilee" in before
    assert "never" in before
    ledger(run, "seal")
    line = next(x for x in ledger(run, "status").output.splitlines() if x.startswith("smilee"))
    assert line.split()[1:3] == ["3", "0"]
    assert "/ledger/" in line


def test_keys_and_checkpoint_can_be_handed_to_an_auditor(run: CliRunner) -> None:
    ledger(run, "seal")
    (key,) = ledger(run, "keys", "--site", "smilee").output.splitlines()
    note = ledger(run, "checkpoint", "--site", "smilee").output
    assert note.startswith(parse_verifier_key(key).name + "\n3\n")


def test_a_proof_can_be_printed(run: CliRunner, visitor: Visitor) -> None:
    receipts = visitor.read_decisions().json
    assert receipts is not None
    event_id = receipts["decisions"][0]["event_id"]
    missing = ledger(run, "proof", "--site", "smilee", event_id)
    assert missing.exit_code == 1
    assert "sealed within seconds" in missing.output
    ledger(run, "seal")
    shown = ledger(run, "proof", "--site", "smilee", event_id)
    assert shown.exit_code == 0
    assert receipts["decisions"][0]["leaf_hash"] in shown.output
    grown = ledger(run, "consistency", "--site", "smilee", "1")
    assert grown.exit_code == 0
    assert "new   3" in grown.output


def test_an_untouched_ledger_verifies_and_a_touched_one_names_the_record(
    run: CliRunner, database: Database
) -> None:
    ledger(run, "seal")
    fine = ledger(run, "verify")
    assert fine.exit_code == 0, fine.output
    assert "smilee: 3 leaves and 1 checkpoints are as they were sealed." in fine.output
    with database.write() as session:
        session.execute(text("DROP TRIGGER answer_refuses_update"))
        session.execute(text("UPDATE answer SET method = 'save'"))
    bad = ledger(run, "verify", "--site", "smilee")
    assert bad.exit_code == 1
    assert "was changed: its fields no longer give the sealed hash" in bad.output


def test_a_new_key_is_announced_and_the_ledger_still_verifies(
    run: CliRunner, visitor: Visitor
) -> None:
    ledger(run, "seal")
    refused = ledger(run, "rotate-key")
    assert refused.exit_code == 1
    assert "Add --yes" in refused.output
    done = ledger(run, "rotate-key", "--yes")
    assert done.exit_code == 0, done.output
    keys = ledger(run, "keys", "--site", "smilee").output.splitlines()
    assert len(keys) == 2
    assert keys[1] in done.output
    assert ledger(run, "verify").exit_code == 0


def test_a_restored_copy_of_the_database_is_not_signed_until_the_loss_is_told(
    run: CliRunner, visitor: Visitor, settings: Settings, tmp_path: Path
) -> None:
    ledger(run, "seal")
    copy = tmp_path / "copy.sqlite"
    with closing(sqlite3.connect(str(sqlite_path(settings.database_url)))) as connection:
        connection.execute("VACUUM INTO ?", (str(copy),))
    visitor.withdraw()
    ledger(run, "seal")
    restored = {"CONSENT_DATABASE_URL": f"sqlite:///{copy}"}
    runner = CliRunner(env={**run.env, **restored})
    appended = runner.invoke(main, ["site", "retire", "smilee", "--yes"])
    assert appended.exit_code == 0
    refused = ledger(runner, "seal")
    assert refused.exit_code == 1
    assert "Not everything could be sealed: smilee" in refused.output
    begun = ledger(runner, "begin-anew", "--site", "smilee", "--reason", "disk lost", "--yes")
    assert begun.exit_code == 0, begun.output
    assert ledger(runner, "seal").exit_code == 0
    assert ledger(runner, "verify", "--site", "smilee").exit_code == 0


def test_after_a_lost_key_the_old_name_is_told_to_be_the_databases_word(
    run: CliRunner, visitor: Visitor, tmp_path: Path
) -> None:
    ledger(run, "seal")
    (lost,) = ledger(run, "keys", "--site", "smilee").output.splitlines()
    (tmp_path / "keys").rename(tmp_path / "lost")
    alone = ledger(run, "verify")
    assert alone.exit_code == 1
    assert "There is no key in" in alone.output
    assert lost in alone.output
    assert not (tmp_path / "keys").exists(), "looking makes no key"
    begun = ledger(run, "begin-anew", "--site", "smilee", "--reason", "key lost", "--yes")
    assert begun.exit_code == 0, begun.output
    copy = str(tmp_path / "copy.sqlite")
    for command in (["ledger", "verify", "--site", "smilee"], ["database", "backup", copy]):
        done = run.invoke(main, command)
        assert done.exit_code == 0, done.output
        assert "only by keys that the database itself announces" in done.output
        assert "1 of its checkpoints" in done.output
        assert lost in done.output
    visitor.withdraw()
    assert ledger(run, "seal").exit_code == 0
    assert "1 of its checkpoints" in ledger(run, "verify", "--site", "smilee").output


def test_the_name_that_a_ledger_has_now_is_signed_by_keys_of_the_folder_alone(
    run: CliRunner, tmp_path: Path
) -> None:
    """Else whoever can write into the database could sign it anew with a key of their own."""
    ledger(run, "seal")
    (tmp_path / "keys").rename(tmp_path / "lost")
    ledger(run, "seal")
    assert (tmp_path / "keys").exists()
    refused = ledger(run, "verify", "--site", "smilee")
    assert refused.exit_code == 1
    assert "is not signed by a key of 'smilee'" in refused.output
    copied = run.invoke(main, ["database", "backup", str(tmp_path / "copy.sqlite")])
    assert copied.exit_code == 0, copied.output
    assert "only by keys that the database itself announces" in copied.output


def test_a_copy_is_verified_without_the_key_folder_and_says_so(
    run: CliRunner, tmp_path: Path
) -> None:
    ledger(run, "seal")
    (tmp_path / "keys").rename(tmp_path / "lost")
    done = run.invoke(main, ["database", "backup", str(tmp_path / "copy.sqlite")])
    assert done.exit_code == 0, done.output
    assert "1 records, 3 leaves as they were sealed" in done.output
    assert "only by keys that the database itself announces" in done.output
    assert f"There is no key in {tmp_path / 'keys'}" in done.output


def test_keys_that_others_may_read_stop_sealing_with_the_command_that_mends_it(
    run: CliRunner, tmp_path: Path
) -> None:
    ledger(run, "seal")
    (tmp_path / "keys").chmod(0o755)
    refused = ledger(run, "seal")
    assert refused.exit_code == 1
    assert f"chmod 700 {tmp_path / 'keys'}" in refused.output


def test_one_ledger_that_cannot_be_sealed_does_not_hold_up_the_others(
    run: CliRunner, visitor: Visitor, tmp_path: Path
) -> None:
    ledger(run, "seal")
    visitor.withdraw()
    visitor.site_key = "ujet"
    visitor.accept_all()
    for state in (tmp_path / "keys" / "published").iterdir():
        # What was published of Smilee, and of no other, has three leaves.
        if '"size": 3' in state.read_text():
            state.write_text("{}")
    refused = ledger(run, "seal")
    assert refused.exit_code == 1
    assert "ujet: 1 sealed, 3 in all." in refused.output
    assert "Not everything could be sealed: smilee" in refused.output


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        (" ", "Say what was lost and how: the ledger keeps the reason."),
        ("x" * 201, "The reason has 201 characters, and may have 200."),
        ("disk \x1b[2J lost", "leave control characters out of it"),
    ],
    ids=["none", "long", "unreadable"],
)
def test_a_ledger_is_not_begun_anew_for_a_reason_that_cannot_be_kept(
    run: CliRunner, reason: str, told: str
) -> None:
    ledger(run, "seal")
    before = ledger(run, "keys", "--site", "smilee").output
    refused = ledger(run, "begin-anew", "--site", "smilee", "--reason", reason)
    assert (refused.exit_code, told in refused.output) == (1, True)
    assert "will be signed" not in refused.output, "and nobody is asked"
    unknown = ledger(run, "begin-anew", "--site", "nobody", "--reason", "lost", "--yes")
    assert unknown.exit_code == 1
    assert "will be signed" not in unknown.output
    assert ledger(run, "keys", "--site", "smilee").output == before
