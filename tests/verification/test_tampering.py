"""Tampering: whatever is changed in a signed log is found, by both verifiers."""

from __future__ import annotations

import random
from itertools import tee
from pathlib import Path

import pytest
from click.testing import CliRunner

from consent_server.cli import main
from tests.verification.checking import said_by_the_small_one
from tests.verification.logs import Log, make_log, write_bundle
from tests.verification.tampering import ATTACKS, EVERY, Tampered, count_found

RECORDS = 2_000


@pytest.fixture(scope="module")
def tampered() -> Tampered:
    """A signed log, to be changed in many ways."""
    return Tampered(make_log(RECORDS, every=EVERY), random.Random(20261125))


@pytest.mark.parametrize("kind", ATTACKS)
def test_each_change_is_found_by_both_verifiers(tampered: Tampered, kind: str) -> None:
    assert count_found(tampered, kind, 50) == {"ours": 50, "small": 50}


@pytest.mark.soak
@pytest.mark.parametrize("kind", ATTACKS)
def test_each_of_ten_thousand_changes_is_found_by_both_verifiers(kind: str) -> None:
    tampered = Tampered(make_log(10_000, every=EVERY), random.Random(1))
    assert count_found(tampered, kind, 10_000) == {"ours": 10_000, "small": 10_000}


@pytest.mark.parametrize("kind", ATTACKS)
def test_each_change_is_found_in_a_real_zip_by_the_real_command(kind: str, tmp_path: Path) -> None:
    log = make_log(300, every=EVERY)
    true = Tampered(log, random.Random(kind))
    place = true.rng.choice(true.places[1:-1])
    before = log.events[: place - place % EVERY]
    placed = list(true.attack(kind, place))
    leaves = [*enumerate(before), *placed]
    file = write_bundle(
        Log([*before, *(event for _, event in placed)], log.checkpoints, log.keys),
        tmp_path / "bundle.zip",
        leaves="".join(f"{at} {one['leaf_hash']}\n" for at, one in leaves).encode(),
        manifest={"export": log.events[-1]["event_id"]},
    )
    found = CliRunner().invoke(main, ["audit", "verify", str(file)])
    assert found.exit_code == 1, found.output
    assert "FAILED" in found.output
    assert said_by_the_small_one(file)


def test_the_true_log_is_accused_of_nothing_wherever_one_begins(tampered: Tampered) -> None:
    for place in range(0, RECORDS, 10 * EVERY):
        passed = tampered.before(place)
        one, other = tee(tampered.untouched(place))
        assert tampered.is_found(one, passed) is None
        assert tampered.is_found_by_the_small_one(other, passed) is None
