"""The retention command: counts, erases, and tells which rule it followed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.cli.conftest import Consent
from tests.visitor import Visitor


def test_without_a_rule_nothing_is_erased(consent: Consent, visitor: Visitor) -> None:
    visitor.accept_all()
    for more in ((), ("--dry-run",)):
        done = consent("retention", "run", *more)
        assert done.exit_code == 0
        # Not that no record is old enough: that may be so with a rule only.
        assert done.output == (
            "No site has a rule: each record says whose it is until somebody erases that. "
            "Make one:\n"
            'keep_records = "2y" at the top of a site file, then consent-server site apply FILE.\n'
        )
    assert visitor.read_decisions().status_code == 200


def test_a_dry_run_counts_by_site_and_rule(
    consent: Consent, visitor: Visitor, smilee_file: Callable[[str, str], Path]
) -> None:
    visitor.accept_all()
    file = smilee_file("valid_days = 180", 'valid_days = 180\nkeep_records = "6mo"')
    assert consent("site", "apply", "--yes", file).exit_code == 0
    counted = consent("retention", "run", "--dry-run").output
    assert counted.splitlines()[0].split() == ["SITE", "KEPT", "RECEIVED", "BEFORE", "RECORDS"]
    assert counted.splitlines()[1].split()[:2] == ["smilee", "6mo"]
    assert counted.splitlines()[1].endswith(" 0")
    assert "Nothing was erased." in counted
    assert consent("retention", "run").output == "No record has outlived its time.\n"
    assert visitor.read_decisions().status_code == 200
