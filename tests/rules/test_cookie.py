"""The decision cookie: it comes back as it was, and nothing hostile gets through."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from consent_server.rules.cookie import StoredDecision, cookie_name, parse_cookie, spell_cookie
from consent_server.rules.unasked import MARKS, Unasked

SUBJECT = "0123456789abcdef0123456789abcdef"
# RFC 6265, 4.1.1: what needs no quoting in a cookie.
COOKIE_OCTETS = re.compile(r"[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*")

keys = st.from_regex(r"[a-z0-9][a-z0-9-]{0,39}", fullmatch=True).filter(lambda k: k not in MARKS)
subjects = st.from_regex(r"[0-9a-f]{32}", fullmatch=True)
moments = st.integers(0, 253_402_300_799).map(lambda s: datetime.fromtimestamp(s, UTC))
stored_decisions = st.builds(
    StoredDecision,
    version=st.integers(1, 999_999_999),
    decided_at=moments,
    subject_id=subjects,
    grants=st.dictionaries(keys, st.booleans(), min_size=1, max_size=8),
    signal=st.sampled_from(["", "gpc", "dnt"]),
    unasked=st.sampled_from(Unasked),
)


@given(stored_decisions)
def test_a_decision_comes_back_as_it_was(stored: StoredDecision) -> None:
    assert parse_cookie(spell_cookie(stored)) == stored


@given(stored_decisions)
def test_the_cookie_never_needs_quoting(stored: StoredDecision) -> None:
    assert COOKIE_OCTETS.fullmatch(spell_cookie(stored))


@given(st.text() | st.from_regex(r"1\.[0-9]*\.[0-9a-z]*\.[\w-]*\.[a-z0-9!~-]*", fullmatch=True))
@example("1.1.zzzzzzzz." + SUBJECT + ".analytics")
def test_reading_never_raises_whatever_the_cookie_holds(value: str) -> None:
    found = parse_cookie(value)
    assert found is None or found.decided_at.tzinfo is UTC


@pytest.mark.parametrize(
    "value",
    [
        "",
        "1",
        f"2.1.t0.{SUBJECT}.analytics",
        f"1.0.t0.{SUBJECT}.analytics",
        f"1.-1.t0.{SUBJECT}.analytics",
        f"1.1..{SUBJECT}.analytics",
        f"1.1.T0.{SUBJECT}.analytics",
        f"1.1.t0.{SUBJECT}.analytics.",
        f"1.1.t0.{SUBJECT}.analytics.gpc.dnt",
        f"1.1.t0.{SUBJECT}.analytics.GPC",
        f"1.1.{'z' * 9}.{SUBJECT}.analytics",
        f"1.٣.t0.{SUBJECT}.analytics",
        f"1.1.t0.{SUBJECT[:-1]}.analytics",
        f"1.1.t0.{SUBJECT[:-1]}B.analytics",
        f"1.1.t0.{SUBJECT}.__proto__",
        f"1.1.t0.{SUBJECT}.analytics~",
        f"1.1.t0.{SUBJECT}.!!analytics",
        f"1.1.t0.{SUBJECT}.",
        f"1.1.t0.{SUBJECT}.analytics~!analytics",
        f"1.1.t0.{SUBJECT}.{'a' * 41}",
        f"1.1.t0.{SUBJECT}.analytics\n",
        f"1.1.t0.{SUBJECT}.analytics.more",
    ],
)
def test_what_is_not_a_decision_means_asking_again(value: str) -> None:
    assert parse_cookie(value) is None


def test_refusals_are_kept_as_well_as_grants() -> None:
    stored = StoredDecision(
        3, datetime(2026, 11, 22, tzinfo=UTC), SUBJECT, {"analytics": True, "marketing": False}
    )
    assert spell_cookie(stored) == f"1.3.tovmo0.{SUBJECT}.analytics~!marketing"


@pytest.mark.parametrize(
    ("unasked", "keys"),
    [
        (Unasked.NOTHING, "analytics~!marketing"),
        (Unasked.SOME, "analytics~!marketing~!asked"),
        (Unasked.ALL, "analytics~!marketing~!asked~!asked-any"),
    ],
)
def test_what_ran_unasked_is_told_by_keys_that_are_no_grants(unasked: Unasked, keys: str) -> None:
    grants = {"analytics": True, "marketing": False}
    moment = datetime(2026, 11, 22, tzinfo=UTC)
    stored = StoredDecision(3, moment, SUBJECT, grants, "gpc", unasked)
    value = f"1.3.tovmo0.{SUBJECT}.{keys}.gpc"
    assert spell_cookie(stored) == value
    found = parse_cookie(value)
    assert found == stored
    assert found.grants == grants


@pytest.mark.parametrize("keys", ["!asked-any~analytics", "analytics~asked-any", "!asked-any"])
def test_a_mark_that_nobody_wrote_counts_as_the_most_that_it_may_mean(keys: str) -> None:
    found = parse_cookie(f"1.3.tovmo0.{SUBJECT}.{keys}")
    assert found is not None
    assert found.unasked is Unasked.ALL
    assert not found.grants.keys() & set(MARKS)


def test_a_clock_before_1970_does_not_break_the_spelling() -> None:
    early = StoredDecision(1, datetime(1, 1, 1, tzinfo=UTC), SUBJECT, {"analytics": False})
    assert spell_cookie(early) == f"1.1.0.{SUBJECT}.!analytics"


def test_the_name_tells_the_site() -> None:
    assert cookie_name("smilee") == "consent_smilee"
