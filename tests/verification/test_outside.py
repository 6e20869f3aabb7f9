"""Outside: what others kept shows what the log's own signatures cannot."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from click.testing import CliRunner, Result

from consent_server.cli import main
from consent_server.rules.merkle import Frontier, inclusion_proof
from consent_server.rules.times import parse_time, spell_time
from consent_server.verification.bundle import Outside
from tests.documentation import page
from tests.verification.checking import said, said_by_the_small_one
from tests.verification.logs import (
    EXPORT,
    OTHER_SEED,
    Log,
    admin_event,
    leaf_hash,
    log_key,
    make_log,
    record,
    write_bundle,
)

SIZE = 600


@pytest.fixture(scope="module")
def before() -> Log:
    """The log as it truly was."""
    return make_log(SIZE)


@pytest.fixture(scope="module")
def rebuilt_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of the same size whose every record is another; signed with the true key."""
    file = tmp_path_factory.mktemp("rebuilt") / "bundle.zip"
    return write_bundle(make_log(SIZE + 100, seed=2), file)


@pytest.fixture(scope="module")
def true_file(before: Log, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of the true log."""
    return write_bundle(before, tmp_path_factory.mktemp("true") / "bundle.zip")


def receipt_of(log: Log, index: int) -> dict[str, Any]:
    """What the visitor of that record kept."""
    return {name: value for name, value in log.events[index].items() if name != "leaf_index"}


def proved(log: Log, index: int) -> dict[str, Any]:
    """The same with its proof under the newest checkpoint."""
    nodes, frontier = {}, Frontier()
    for leaf in log.leaves:
        nodes.update({(level, at): one for level, at, one in frontier.append(leaf)})
    path = inclusion_proof(index, frontier.size, lambda level, at: nodes[level, at])
    proof = {
        "leaf_index": index,
        "path": [one.hex() for one in path],
        "checkpoint": log.checkpoints[frontier.size].decode(),
    }
    return {**receipt_of(log, index), "proof": proof}


def with_receipt(receipt: dict[str, Any]) -> Outside:
    return Outside(receipts=[("receipt.json", json.dumps(receipt, indent=2).encode())])


def with_checkpoint(raw: bytes) -> Outside:
    return Outside(checkpoints=[("old.txt", raw)])


def test_what_was_kept_of_the_true_log_agrees_with_it(before: Log, true_file: Path) -> None:
    assert said(true_file, with_checkpoint(before.checkpoints[300])) == ""
    for index in (2, 333, 601):
        assert said(true_file, with_receipt(receipt_of(before, index))) == ""
        assert said(true_file, with_receipt(proved(before, index))) == ""


def test_all_that_a_visitor_downloaded_is_compared_at_once(
    before: Log, true_file: Path, rebuilt_file: Path
) -> None:
    records: list[dict[str, Any]] = [
        {"receipt": receipt_of(before, index), "proof": proof, "other": 1.5}
        for index, proof in ((2, None), (333, proved(before, 333)["proof"]))
    ]
    assert said(true_file, with_receipt({"site": "demo", "records": records})) == ""
    assert "contradicts" in said(rebuilt_file, with_receipt({"records": records}))
    assert "is no receipt" in said(true_file, with_receipt({"records": [1]}))


def test_a_log_rebuilt_with_the_true_key_looks_true_by_itself(rebuilt_file: Path) -> None:
    assert said(rebuilt_file, Outside(keys=[log_key()])) == ""
    assert said_by_the_small_one(rebuilt_file, log_key().to_text()) == ""


def test_the_docs_say_that_nobody_can_tell_then() -> None:
    section = page("docs/audit.md").section("### What cannot be detected")
    assert "rewritten as a whole" in section
    assert "no checkpoint and no receipt ever left the operator's hands" in section


def test_one_old_checkpoint_shows_that_the_log_was_rebuilt(before: Log, rebuilt_file: Path) -> None:
    for raw in before.checkpoints.values():
        found = said(rebuilt_file, with_checkpoint(raw))
        assert found.startswith("old.txt is signed by this log, and contradicts the bundle")


def test_a_checkpoint_that_was_kept_bounds_the_times_after_it(tmp_path: Path) -> None:
    log = make_log(100)
    later = parse_time(log.events[-1]["happened_at"]) + timedelta(days=1)
    log.seal(later)
    quiet = log.checkpoints.pop(len(log.events))
    log.add(record(1, later - timedelta(hours=1), random.Random(7)))
    log.add(admin_event("export", later, EXPORT, 5))
    log.seal(later)
    file = write_bundle(log, tmp_path / "bundle.zip")
    assert said(file) == ""
    assert "record 103" in said(file, with_checkpoint(quiet))
    assert "backdated" in said(file, with_checkpoint(quiet))


def test_one_receipt_shows_that_the_log_was_rebuilt(before: Log, rebuilt_file: Path) -> None:
    found = said(rebuilt_file, with_receipt(receipt_of(before, 333)))
    assert "is missing from the log" in found
    found = said(rebuilt_file, with_receipt(proved(before, 333)))
    assert "contradicts the bundle" in found


def test_one_receipt_shows_that_its_record_was_changed(before: Log, tmp_path: Path) -> None:
    log, index = make_log(SIZE), 333
    log.events[index]["grants"] = dict.fromkeys(log.events[index]["grants"], False)
    log.events[index]["leaf_hash"] = leaf_hash(log.events[index]).hex()
    frontier = Frontier()
    sealed = {size: raw.decode().split("sealed ")[1][:24] for size, raw in log.checkpoints.items()}
    for size, leaf in enumerate(log.leaves, 1):
        frontier.append(leaf)
        if size in sealed:
            log.sign(size, frontier.root(), parse_time(sealed[size]))
    file = write_bundle(log, tmp_path / "bundle.zip")
    assert said(file) == ""
    assert "record 333" in said(file, with_receipt(receipt_of(before, index)))


def test_a_salt_that_was_changed_is_found_by_the_receipt_only(tmp_path: Path) -> None:
    log = make_log(SIZE)
    receipt = receipt_of(log, 333)
    log.events[333]["salt"] = "00" * 32
    file = write_bundle(log, tmp_path / "bundle.zip")
    assert said(file) == ""
    assert "the link to them was cut" in said(file, with_receipt(receipt))
    assert "salt" in page("docs/audit.md").section("### What cannot be detected")


def test_an_erased_record_still_answers_to_its_receipt(tmp_path: Path) -> None:
    log = make_log(SIZE, erased=3)
    file = write_bundle(log, tmp_path / "bundle.zip")
    assert said(file, with_receipt({**receipt_of(log, 3), "salt": "11" * 32})) == ""


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        ({"language": "sv"}, "was changed: its fields do not give its leaf hash"),
        ({"more": 1}, "is no receipt"),
        ({"proof": {"path": []}}, "has a proof of another form"),
        ({"receipt": "abc"}, "is no receipt"),
        ({"receipt": [1]}, "is no receipt"),
        ({"event_id": ["a"]}, "is no receipt"),
        ({"received_at": 5}, "is no receipt"),
        ({"salt": [1]}, "is no receipt"),
    ],
)
def test_a_receipt_that_is_none_is_refused(
    before: Log, true_file: Path, edit: dict[str, Any], expected: str
) -> None:
    assert expected in said(true_file, with_receipt({**receipt_of(before, 333), **edit}))


def test_receipts_of_one_id_that_contradict_each_other_are_refused(
    before: Log, true_file: Path
) -> None:
    true = receipt_of(before, 333)
    other = {**true, "language": "sv"}
    other["leaf_hash"] = leaf_hash(other).hex()
    assert "the log was rewritten" in said(true_file, with_receipt(other))
    for pair in ((other, true), (true, other)):
        raw = [(f"{number}.json", json.dumps(one).encode()) for number, one in enumerate(pair)]
        found = said(true_file, Outside(receipts=raw))
        assert found.startswith("1.json says something else than another receipt of the same id")
    assert said(true_file, with_receipt({"records": [true, true]})) == ""


@pytest.mark.parametrize("records", [[], 5, None, {}])
def test_a_file_without_receipts_shows_nothing(true_file: Path, records: object) -> None:
    found = said(true_file, with_receipt({"site": "demo", "records": records}))
    assert found == "receipt.json holds no receipt."


def test_a_proof_must_lead_to_its_checkpoint(before: Log, true_file: Path) -> None:
    receipt = proved(before, 333)
    receipt["proof"]["leaf_index"] = 334
    assert "does not lead from the leaf" in said(true_file, with_receipt(receipt))


def test_what_is_newer_than_the_bundle_is_told(tmp_path: Path, true_file: Path) -> None:
    later = make_log(SIZE + 100)
    raw = later.checkpoints[max(later.checkpoints)]
    assert "of 602 only" not in said(true_file, with_checkpoint(raw))
    assert "leaves were cut off, or the bundle is older" in said(true_file, with_checkpoint(raw))
    assert "is newer than the bundle" in said(true_file, with_receipt(receipt_of(later, 690)))


def test_a_checkpoint_of_another_key_proves_nothing(true_file: Path) -> None:
    other = make_log(SIZE, key=OTHER_SEED)
    assert "known key" in said(true_file, with_checkpoint(other.checkpoints[300]))


# Evidence, with the commands.


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["audit", *map(str, arguments)])


@pytest.mark.parametrize("size", [300, SIZE + 3, 1])
def test_contradicting_checkpoints_become_a_file_that_anyone_can_check(
    before: Log, rebuilt_file: Path, tmp_path: Path, size: int
) -> None:
    if size == 1:
        # One log of the size of the other, at its end.
        before = replace(make_log(SIZE + 100, seed=3))
        size = max(before.checkpoints)
    (tmp_path / "old.txt").write_bytes(before.checkpoints[size])
    evidence = tmp_path / "evidence.json"
    found = run(
        "verify", rebuilt_file, "--checkpoint", tmp_path / "old.txt", "--evidence", evidence
    )
    assert found.exit_code == 1
    assert "FAILED" in found.output
    shown = run("verify-evidence", evidence, "--key", log_key().to_text())
    assert shown.exit_code == 0, shown.output
    assert f"Proved: One key signed a tree of {size}" in shown.output or (
        f"Proved: One key signed two different trees of {size}" in shown.output
    )
    assert run("verify-evidence", evidence, "--key", log_key(OTHER_SEED).to_text()).exit_code == 1


@pytest.mark.parametrize(
    "edit",
    [
        {"checkpoints": ["", ""]},
        {"root": "00" * 32},
        {"root": "zz"},
        {"proof": ["AAAA"]},
        {"key": log_key(OTHER_SEED).to_text()},
        {"format": "other"},
        {"more": 1},
    ],
)
def test_an_invented_accusation_is_refused(
    before: Log, rebuilt_file: Path, tmp_path: Path, edit: dict[str, Any]
) -> None:
    (tmp_path / "old.txt").write_bytes(before.checkpoints[300])
    evidence = tmp_path / "evidence.json"
    run("verify", rebuilt_file, "--checkpoint", tmp_path / "old.txt", "--evidence", evidence)
    content = json.loads(evidence.read_text("utf-8"))
    evidence.write_text(json.dumps({**content, **edit}), "utf-8")
    assert run("verify-evidence", evidence).exit_code == 1


def test_two_true_checkpoints_are_no_evidence(
    before: Log, rebuilt_file: Path, tmp_path: Path
) -> None:
    (tmp_path / "old.txt").write_bytes(before.checkpoints[300])
    evidence = tmp_path / "evidence.json"
    run("verify", rebuilt_file, "--checkpoint", tmp_path / "old.txt", "--evidence", evidence)
    content = json.loads(evidence.read_text("utf-8"))
    newest = before.checkpoints[max(before.checkpoints)].decode()
    content["checkpoints"][1] = newest
    evidence.write_text(json.dumps(content), "utf-8")
    assert run("verify-evidence", evidence).exit_code == 1


def test_the_command_says_what_it_checked_and_what_nobody_gave_it(true_file: Path) -> None:
    found = run("verify", true_file)
    assert found.exit_code == 0, found.output
    lines = [line for line in found.output.splitlines() if line.startswith("ok  ")]
    assert [line.split()[1].rstrip(":") for line in lines][:3] == ["files", "keys", "signatures"]
    assert "The key is the bundle's own word." in found.output
    assert log_key().to_text() in found.output
    assert "Nothing from before was given" in found.output
    with_key = run("verify", true_file, "--key", log_key().to_text())
    assert "own word" not in with_key.output
    assert run("verify", true_file, "--key", "nonsense").exit_code == 1


def test_nobody_is_accused_for_a_receipt_that_may_have_waited_or_is_of_another_site(
    before: Log, true_file: Path
) -> None:
    newest = [raw.decode().split("sealed ")[1][:24] for raw in before.checkpoints.values()][-1]

    def say(**changes: str) -> str:
        receipt = {**receipt_of(before, 333), "event_id": str(UUID(int=7)), **changes}
        return said(true_file, with_receipt({**receipt, "leaf_hash": leaf_hash(receipt).hex()}))

    def ago(seconds: int) -> str:
        return spell_time(parse_time(newest) - timedelta(seconds=seconds))

    assert "may have waited for its seal" in say(received_at=ago(59))
    assert "is missing from the log" in say(received_at=ago(60))
    assert "is of the site 'other', and the bundle of 'demo'" in say(site="other")
