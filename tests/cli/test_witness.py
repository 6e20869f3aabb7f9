"""Two servers as they run: one records and seals, the other watches and cosigns."""

from __future__ import annotations

import json
import os
import signal
import urllib.request
from pathlib import Path

import pytest
from click.testing import CliRunner

from consent_server.cli import main
from consent_server.rules.checkpoint import parse_checkpoint
from consent_server.rules.note import (
    Note,
    NotSigned,
    parse_note,
    parse_verifier_key,
    verify_note,
)
from consent_server.signing import verify_signature
from tests.cli.conftest import Consent, Process
from tests.cli.serving import Serving, serving, wait_until
from tests.cli.test_run import free_port
from tests.visitor import Visitor, fetch_proof


def call(environment: dict[str, str], *arguments: str) -> tuple[int, str]:
    """Run a command with the settings of one of the servers."""
    done = CliRunner(env=environment).invoke(main, arguments)
    return done.exit_code, done.output


def send(server: Serving, decision: dict[str, object]) -> None:
    proof = fetch_proof(f"{server.url}/w/smilee")
    request = urllib.request.Request(
        f"{server.url}/w/smilee/decisions?proof={proof}",
        json.dumps(decision).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.status == 201


def sealed(server: Serving) -> bool:
    try:
        server.fetch("/w/smilee/ledger/checkpoint")
    except OSError:
        return False
    return True


def newest_note(server: Serving) -> Note:
    return parse_note(server.fetch("/w/smilee/ledger/checkpoint"))


def is_cosigned(note: Note, key: str) -> bool:
    try:
        return bool(verify_note(note, [parse_verifier_key(key.strip())], verify_signature))
    except NotSigned:
        return False


def test_one_server_witnesses_the_ledger_of_another(
    environment: dict[str, str], visitor: Visitor, tmp_path: Path
) -> None:
    decision = visitor.decision()
    logs = tmp_path / "logs"
    logs.write_text("# none yet\n")
    (tmp_path / "witness").mkdir()
    watching = {
        **{name: value for name, value in os.environ.items() if not name.startswith("CONSENT_")},
        "CONSENT_DATABASE_URL": f"sqlite:///{tmp_path / 'witness' / 'consent.sqlite'}",
        "CONSENT_WITNESS_LOGS": str(logs),
        "CONSENT_WITNESS_NAME": "witness.example.net",
    }
    code, key = call(watching, "witness", "key")
    assert code == 0, key
    first, second = free_port(), free_port()
    environment["CONSENT_CHECKPOINT_TARGETS"] = (
        f"witness:http://127.0.0.1:{second}/witness#{key.strip()}"
    )
    with (
        serving("run", environment=environment, folder=tmp_path, port=first) as server,
        serving("run", environment=watching, folder=tmp_path, port=second) as witness,
    ):
        send(server, decision)
        wait_until(lambda: sealed(server))
        code, said = call(environment, "ledger", "push")
        assert code == 1, "nobody told the witness of this ledger"
        assert "answered 404 for smilee" in said
        for site in ("getjenny", "jackbot", "jiminny", "smilee", "ujet"):
            keys = json.loads(server.fetch(f"/w/{site}/ledger/keys"))["keys"]
            with logs.open("a") as file:
                file.writelines(f"{one}\n" for one in keys)
        code, said = call(environment, "ledger", "push")
        assert (code, "smilee at" in said) == (0, True), said
        # The newest checkpoint may be of this second; the server hands it over by itself.
        wait_until(lambda: is_cosigned(newest_note(server), key))
        note = newest_note(server)
        checkpoint = parse_checkpoint(note.text)
        code, said = call(watching, "witness", "logs")
        listed = [line.split()[:2] for line in said.splitlines()[1:]]
        assert len(listed) == 5
        assert [checkpoint.origin, str(checkpoint.size)] in listed
        assert witness.is_served()
        assert server.stop(signal.SIGTERM) == 0


def test_without_a_place_outside_pushing_says_what_is_missing(consent: Consent) -> None:
    done = consent("ledger", "push")
    assert (done.exit_code, "CONSENT_CHECKPOINT_TARGETS" in done.output) == (1, True)


def test_the_newest_checkpoints_are_pushed_by_hand(
    consent: Consent, runner: CliRunner, visitor: Visitor, tmp_path: Path
) -> None:
    visitor.accept_all()
    consent("ledger", "seal")
    file = tmp_path / "checkpoints"
    places = {"CONSENT_CHECKPOINT_TARGETS": f"file:{file}"}
    first = runner.invoke(main, ["ledger", "push"], env=places)
    assert (first.exit_code, f"{file}: smilee at" in first.output) == (0, True)
    assert file.read_text().count("\nsealed ") == 5, "each of the five sites"
    again = runner.invoke(main, ["ledger", "push"], env=places)
    assert (again.exit_code, "has everything" in again.output) == (0, True)
    assert file.read_text().count("\nsealed ") == 5


def test_a_witness_without_a_name_has_no_key(consent: Consent) -> None:
    done = consent("witness", "key")
    assert (done.exit_code, "CONSENT_WITNESS_NAME" in done.output) == (1, True)
    done = consent("witness", "logs")
    assert (done.exit_code, "Nothing was cosigned yet." in done.output) == (0, True)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CONSENT_CHECKPOINT_TARGETS", "nowhere"),
        ("CONSENT_WITNESS_LOGS", "/nowhere/logs"),
    ],
)
def test_a_wrong_place_stops_the_start(
    environment: dict[str, str], process: Process, name: str, value: str
) -> None:
    environment |= {name: value, "CONSENT_WITNESS_NAME": "witness.example"}
    done = process("run")
    assert (done.returncode, name in done.stderr, "Traceback" in done.stderr) == (1, True, False)
