"""Tampering: whatever is changed in a signed log is found, by both verifiers."""

from __future__ import annotations

import random
from itertools import tee

import pytest

from tests.verification.logs import make_log
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


def test_the_true_log_is_accused_of_nothing_wherever_one_begins(tampered: Tampered) -> None:
    for place in range(0, RECORDS, EVERY // 2):
        passed = tampered.before(place)
        one, other = tee(tampered.untouched(place))
        assert tampered.is_found(one, passed) is None
        assert tampered.is_found_by_the_small_one(other, passed) is None
