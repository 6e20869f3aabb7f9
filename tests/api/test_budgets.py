"""Budgets: so many at once for an address and for a site, then evenly over the minute."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from consent_server.api.budgets import Budgets
from consent_server.config import Settings
from consent_server.errors import TooManyRequests

NOBODY = 1_000
_SECOND = 1_000_000_000


@dataclass
class Clock:
    """The time in nanoseconds; the test moves it."""

    now: int = 600 * _SECOND

    def __call__(self) -> int:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += round(seconds * _SECOND)


@dataclass
class Door:
    """Budgets of an address and a site, and the clock that they look at."""

    address: int
    site: int
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        limits = Settings(decisions_per_minute=self.address, site_decisions_per_minute=self.site)
        self._budgets = Budgets(limits, self.clock)

    def knock(self, address: str = "192.0.2.1", site: str = "site", *, proven: bool = True) -> int:
        """Ask for one write: 0, or after how many seconds to come back."""
        try:
            (self._budgets.spend if proven else self._budgets.spend_unproven)(site, address)
        except TooManyRequests as told:
            return int(told.headers["Retry-After"])
        return 0

    def count(self, addresses: Iterable[str], *, proven: bool = True) -> int:
        """Return for how many of these there was room."""
        return sum(not self.knock(address, proven=proven) for address in addresses)

    def is_pressed(self, site: str = "site") -> bool:
        return self._budgets.is_pressed(site)


def many(number: int, first: int = 0) -> list[str]:
    """Return so many addresses, all different."""
    return [f"203.{n >> 16}.{n >> 8 & 255}.{n & 255}" for n in range(first, first + number)]


@pytest.fixture
def door() -> Door:
    """A site of 600 a minute: 60 at once, and ten a second."""
    return Door(NOBODY, 600)


def test_an_address_has_its_own_budget_which_comes_back_evenly() -> None:
    door = Door(2, NOBODY)
    assert [door.knock() for _ in range(2)] == [0, 0]
    assert 30 <= door.knock() < 35
    assert door.knock("192.0.2.2") == 0
    door.clock.wait(29.9)
    assert 1 <= door.knock() < 6
    door.clock.wait(0.1)
    assert door.knock() == 0
    assert door.knock() > 0


def test_all_of_a_minute_of_an_address_may_come_at_once() -> None:
    assert Door(60, 60_000).count(["192.0.2.1"] * 99) == 60


def test_a_site_has_one_budget_for_all_addresses() -> None:
    door = Door(NOBODY, 3)
    assert door.count(many(4)) == 3
    assert door.knock("192.0.2.9", "other") == 0


@pytest.mark.parametrize(
    ("limit", "at_once"), [(1, 1), (9, 9), (10, 10), (60, 10), (600, 60), (60_000, 6_000)]
)
def test_a_site_stores_a_tenth_of_its_minute_at_once_and_at_least_a_handful(
    limit: int, at_once: int
) -> None:
    door = Door(NOBODY, limit)
    assert door.count(many(at_once + 9)) == at_once
    door.clock.wait(60 / limit + 1e-6)
    assert door.count(many(9, 100_000)) == 1


def test_the_whole_burst_is_back_after_quiet_time(door: Door) -> None:
    assert door.count(many(99)) == 60
    door.clock.wait(6)
    assert door.count(many(99, 100)) == 60
    door.clock.wait(6_000)
    assert door.count(many(99, 200)) == 60


def test_a_flood_of_a_minute_is_stored_evenly(door: Door) -> None:
    stored = []
    for _ in range(60):
        counted = 0
        for address in many(100):
            door.clock.wait(0.01)
            counted += not door.knock(address)
        stored.append(counted)
    assert 60 <= stored[0] <= 70
    assert set(stored[10:]) <= {9, 10, 11}


def test_half_of_a_bucket_is_kept_for_addresses_that_wrote_little(door: Door) -> None:
    heavy = ["192.0.2.1"] * 99
    assert door.count(heavy) == 30
    assert door.count(many(99)) == 30  # what was refused took nothing
    door.clock.wait(3.1)
    assert door.count(heavy) == 1
    assert door.knock("192.0.2.2") == 0


def test_one_visitor_is_heard_while_many_flood(door: Door) -> None:
    flood = many(50)
    for _ in range(5):  # until none of its addresses has written little
        door.count(flood)
        door.clock.wait(1)
    for second in range(60):
        for _ in range(2):
            door.count(flood)
            door.clock.wait(0.5)
        assert door.knock(f"192.0.2.{second}") == 0


def test_who_is_refused_has_not_written_little_either(door: Door) -> None:
    assert door.count(many(60)) == 60
    assert door.count(["192.0.2.1"] * 9) == 0
    door.clock.wait(2)
    assert door.knock("192.0.2.1") > 0
    assert door.knock("192.0.2.2") == 0


def test_after_a_quiet_minute_an_address_has_written_little(door: Door) -> None:
    door.count(["192.0.2.1"] * 99)
    door.clock.wait(60)
    assert door.count(many(55)) == 55
    assert door.count(["192.0.2.1"] * 9) == 3


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
def test_a_network_of_ipv6_is_one_address(first: str, second: str, are_one: bool) -> None:
    assert Door(1, NOBODY).count([first, second]) == (1 if are_one else 2)


def test_what_has_no_proof_spends_a_tenth_of_the_budget_and_leaves_the_rest() -> None:
    door = Door(NOBODY, 20)
    assert door.count(many(5), proven=False) == 2
    assert door.count(many(99, 50)) == 8
    door = Door(NOBODY, 60_000)
    assert door.count(many(999), proven=False) == 600
    door.clock.wait(0.1)
    assert door.count(many(999, 1_000), proven=False) == 10


def test_what_is_refused_takes_nothing() -> None:
    door = Door(2, 20)
    assert door.count(["192.0.2.1"] * 2) == 2
    # Its own budget is spent: it cannot spend what others without a proof may.
    assert door.count(["192.0.2.1"] * 9, proven=False) == 0
    assert door.count(many(9), proven=False) == 2
    # The part of those without a proof is spent: theirs with one is not.
    assert door.knock("192.0.2.2", proven=False) > 0
    assert door.count(["192.0.2.2"] * 9) == 2


def test_those_who_are_refused_together_come_back_spread(door: Door) -> None:
    door.count(many(60))
    told = [door.knock(address) for address in many(100, 100)]
    assert set(told) == {1, 2, 3, 4, 5}
    assert told == [door.knock(address) for address in many(100, 100)]


def test_who_asks_at_once_in_many_threads_gets_no_more() -> None:
    door = Door(NOBODY, 6_000)
    with ThreadPoolExecutor(8) as threads:
        counted = threads.map(door.count, [many(500, 500 * n) for n in range(8)])
    assert sum(counted) == 600


def test_addresses_are_forgotten_with_their_minute() -> None:
    door = Door(2, NOBODY)
    for minute in range(3):
        door.knock(f"192.0.2.{minute}")
        door.clock.wait(60.1)
    for buckets in (door._budgets._addresses, door._budgets._few):
        assert "192.0.2.0" not in {*buckets._full, *buckets._before}


def test_nobody_is_forgotten_while_something_is_owed() -> None:
    door = Door(1, NOBODY)
    heard = []
    for second in range(301):
        heard += [second] * door.count(["192.0.2.1"])
        door.knock(f"198.51.100.{second}")
        door.clock.wait(1)
    assert heard == [0, 60, 120, 180, 240, 300]


def test_the_memory_of_addresses_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("consent_server.api.budgets._MAX_NAMES", 100)
    door = Door(1, 1_500)
    assert door.count(many(1_500)) == 150
    for buckets in (door._budgets._addresses, door._budgets._few):
        assert len(buckets._full) + len(buckets._before) <= 100
    assert door.knock("192.0.2.1") > 0


#: After how many nanoseconds, from which address, for which site, and whether with a proof.
_KNOCKS = st.lists(
    st.tuples(
        st.one_of(st.just(0), st.integers(0, _SECOND), st.integers(0, 90 * _SECOND)),
        st.integers(0, 5),
        st.sampled_from(["one", "two"]),
        st.booleans(),
    ),
    max_size=120,
)
_LIMITS = st.one_of(st.integers(1, 60), st.integers(1, 100_000))


def _burst(limit: int) -> int:
    return max(limit // 10, min(limit, 10))


def _stays_within(stored: list[int], limit: int, burst: int) -> bool:
    """Tell whether in every span at most the burst and what came back in it was stored."""
    return all(
        (later - earlier + 1 - burst) * 60 * _SECOND <= limit * (stored[later] - stored[earlier])
        for earlier in range(len(stored))
        for later in range(earlier, len(stored))
    )


@given(_KNOCKS, _LIMITS, _LIMITS)
@example([(0, 0, "one", True)] * 120, 7, 11)
@example([(_SECOND // 7, n % 6, "one", n % 2 == 0) for n in range(120)], 60, 60)
def test_no_span_of_time_stores_more_than_the_burst_and_what_came_back(
    knocks: list[tuple[int, int, str, bool]], address_limit: int, site_limit: int
) -> None:
    door = Door(address_limit, site_limit)
    stored = []
    for pause, address, site, proven in knocks:
        door.clock.now += pause
        wait = door.knock(str(address), site, proven=proven)
        assert 0 <= wait <= 60
        if not wait:
            stored.append((door.clock.now, address, site, proven))
    unproven = -(-site_limit // 10)
    for one in ("one", "two"):
        of_site = [(at, proven) for at, _, site, proven in stored if site == one]
        assert _stays_within([at for at, _ in of_site], site_limit, _burst(site_limit))
        without = [at for at, proven in of_site if not proven]
        assert _stays_within(without, unproven, _burst(unproven))
    for number in range(6):
        of_address = [at for at, address, *_ in stored if address == number]
        assert _stays_within(of_address, address_limit, address_limit)


@given(_KNOCKS, _LIMITS, _LIMITS)
@example([(0, 0, "one", True)] * 4 + [(0, 5, "one", True)] * 2, 3, 5)
def test_who_comes_back_when_told_is_heard(
    knocks: list[tuple[int, int, str, bool]], address_limit: int, site_limit: int
) -> None:
    door = Door(address_limit, site_limit)
    for pause, address, site, proven in knocks:
        door.clock.now += pause
        wait = door.knock(str(address), site, proven=proven)
        if wait:
            door.clock.wait(wait)
            assert door.knock(str(address), site, proven=proven) == 0


@given(_KNOCKS, _LIMITS)
def test_who_wrote_little_finds_room_wherever_others_leave_it(
    knocks: list[tuple[int, int, str, bool]], site_limit: int
) -> None:
    door = Door(10**6, site_limit)
    # However many the heavy ones send, they leave the lower half.
    kept = _burst(site_limit) // 2
    assert door.count(["heavy"] * 3) == min(3, _burst(site_limit))
    for pause, *_ in knocks:
        door.clock.now += pause
        door.knock("heavy")
    assert door.count(many(kept)) >= kept - 3


def test_a_site_is_pressed_once_only_its_lower_half_is_left_and_until_some_came_back(
    door: Door,
) -> None:
    door.count(many(29))
    assert not door.is_pressed()
    door.count(many(2, first=29))
    assert door.is_pressed()
    assert not door.is_pressed("other")
    door.clock.wait(0.2)
    assert not door.is_pressed()
