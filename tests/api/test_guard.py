"""Budgets: so many writes a minute for an address and for a site, then none till it is over."""

from __future__ import annotations

import pytest

from consent_server.api.guard import Budgets
from consent_server.config import Settings
from consent_server.errors import TooManyRequests

NOBODY = 1_000


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time in seconds; the test moves it."""
    now = [600.0]
    monkeypatch.setattr("consent_server.api.guard.time.monotonic", lambda: now[0])
    return now


def test_an_address_has_its_own_budget_for_a_minute(clock: list[float]) -> None:
    budgets = Budgets(Settings(decisions_per_minute=2, site_decisions_per_minute=NOBODY))
    for _ in range(2):
        budgets.spend("site", "192.0.2.1")
    with pytest.raises(TooManyRequests) as told:
        budgets.spend("site", "192.0.2.1")
    assert told.value.headers["Retry-After"] == "60"
    budgets.spend("site", "192.0.2.2")
    clock[0] += 59
    with pytest.raises(TooManyRequests):
        budgets.spend("site", "192.0.2.1")
    clock[0] += 1
    for _ in range(2):
        budgets.spend("site", "192.0.2.1")


def test_a_site_has_one_budget_for_all_addresses(clock: list[float]) -> None:
    budgets = Budgets(Settings(decisions_per_minute=NOBODY, site_decisions_per_minute=3))
    for last in range(3):
        budgets.spend("site", f"192.0.2.{last}")
    with pytest.raises(TooManyRequests):
        budgets.spend("site", "192.0.2.9")
    budgets.spend("other", "192.0.2.9")


def test_addresses_are_forgotten_with_their_minute(clock: list[float]) -> None:
    budgets = Budgets(Settings(decisions_per_minute=2, site_decisions_per_minute=NOBODY))
    budgets.spend("site", "192.0.2.1")
    clock[0] += 60
    budgets.spend("site", "192.0.2.2")
    assert "192.0.2.1" not in budgets._addresses._counts


def test_half_of_a_sites_budget_is_kept_for_addresses_that_wrote_little(
    clock: list[float],
) -> None:
    budgets = Budgets(Settings(decisions_per_minute=NOBODY, site_decisions_per_minute=20))
    for _ in range(10):
        budgets.spend("site", "192.0.2.1")
    for _ in range(5):  # what is refused takes nothing from the other half
        with pytest.raises(TooManyRequests):
            budgets.spend("site", "192.0.2.1")
    for last in range(2, 12):
        budgets.spend("site", f"192.0.2.{last}")
    with pytest.raises(TooManyRequests):
        budgets.spend("site", "192.0.2.99")
    clock[0] += 60
    budgets.spend("site", "192.0.2.1")


@pytest.mark.parametrize(
    ("first", "second", "are_one"),
    [
        ("2001:db8::1", "2001:db8:0:0:ffff::2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("unix:", "unix:", True),
    ],
)
def test_a_network_of_ipv6_is_one_address(
    clock: list[float], first: str, second: str, are_one: bool
) -> None:
    budgets = Budgets(Settings(decisions_per_minute=1, site_decisions_per_minute=NOBODY))
    budgets.spend("site", first)
    if not are_one:
        budgets.spend("site", second)
        return
    with pytest.raises(TooManyRequests):
        budgets.spend("site", second)


def test_what_has_no_proof_spends_a_tenth_of_the_budget_and_leaves_the_rest(
    clock: list[float],
) -> None:
    budgets = Budgets(Settings(decisions_per_minute=NOBODY, site_decisions_per_minute=20))
    for last in range(2):
        budgets.spend_unproven("site", f"192.0.2.{last}")
    with pytest.raises(TooManyRequests):
        budgets.spend_unproven("site", "192.0.2.9")
    budgets.spend("site", "192.0.2.9")


def test_the_memory_of_addresses_is_bounded(
    clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("consent_server.api.guard._MAX_NAMES", 100)
    budgets = Budgets(Settings(decisions_per_minute=1, site_decisions_per_minute=150))
    for number in range(150):
        budgets.spend("site", str(number))
    assert len(budgets._addresses._counts) <= 100
    with pytest.raises(TooManyRequests):
        budgets.spend("site", "0")
