"""A flood on one site stays within its budget, and visitors are heard all the while."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.soak.flood import run_flood


def test_a_flood_is_stored_within_the_budget_and_visitors_are_heard(tmp_path: Path) -> None:
    result = run_flood(tmp_path, posts=3_000, rate=300, addresses=50, budget=1_800, quiet_seconds=2)
    assert result.posts == 3_000
    assert result.flood.get(429, 0) > 2_000
    assert result.stored <= result.allowed
    # Half of what may be stored at once, and all that comes back in ten seconds.
    assert result.stored >= 300
    assert sum(result.honest.values()) >= 8
    # Until the addresses of the flood have written a few, it looks like visitors.
    assert result.honest.get(429, 0) <= 1
    assert 429 not in result.other
    # A busy machine may let somebody wait for the disk.
    for heard in (result.honest, result.other):
        assert heard[201] >= 0.8 * sum(heard.values()), heard


@pytest.mark.soak
def test_a_million_posts_leave_the_other_site_as_quick_as_it_was(tmp_path: Path) -> None:
    result = run_flood(
        tmp_path, posts=1_000_000, rate=0, addresses=1_000, budget=6_000, quiet_seconds=120
    )
    assert result.stored <= result.allowed
    assert result.honest[201] >= 0.99 * sum(result.honest.values())
    assert result.flooded_p99_ms <= 1.2 * result.quiet_p99_ms
