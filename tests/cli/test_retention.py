"""The retention command: counts, erases, and tells which rule it followed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.cli.conftest import Consent
from tests.visitor import Visitor


def test_without_a_rule_nothing_is_erased(consent: Consent, visitor: Visitor) -> None:
    visitor.accept_all()
    counted = consent("retention", "run", "--dry-run")
    assert (counted.exit_code, "`keep_records`" in counted.output) == (0, True)
    done = consent("retention", "run")
    assert (done.exit_code, "No record has outlived" in done.output) == (0, True)
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
    assert visitor.read_decisions().status_code == 200
