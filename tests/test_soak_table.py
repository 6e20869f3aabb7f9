"""Long runs: the table names tests that exist, and every long version is in it."""

from __future__ import annotations

import re

import pytest

from tests.documentation import ROOT, codes, page

TABLE = page("docs/soak/README.md")
ROWS = [*TABLE.table("## Crash and storage"), *TABLE.table("## Network and browser")]


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_what_the_table_names_is_a_test(row: tuple[str, ...]) -> None:
    file, name = codes(row[1])
    assert re.search(rf"^def {name}\(", (ROOT / file).read_text("utf-8"), re.M), f"{file}: {name}"
    assert row[2]
    assert row[3]


def test_every_long_version_that_keeps_a_log_is_in_the_table() -> None:
    named = {codes(row[1])[0] for row in ROWS}
    keeping = {
        file.relative_to(ROOT).as_posix()
        for file in (ROOT / "tests").rglob("test_*.py")
        if "SoakLog(" in file.read_text("utf-8") and file.name != "test_soak_table.py"
    }
    assert keeping <= named
