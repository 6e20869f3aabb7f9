"""Decisions: what a version allows to be said, and what it is called."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from consent_server.errors import Conflict
from consent_server.rules.decision import (
    SUBJECT_ID,
    Decision,
    Kind,
    Layer,
    Method,
    check_decision,
    kind_of,
    optional_services,
)

CONFIG = {
    "languages": ["en", "fi"],
    "categories": [
        {"key": "necessary", "services": ["consent-record"]},
        {"key": "analytics", "services": ["counter", "replay"]},
        {"key": "functional", "services": []},
    ],
}
NOTHING = {"analytics": False, "counter": False, "replay": False, "functional": False}
EVERYTHING = dict.fromkeys(NOTHING, True)


def decision(grants: dict[str, bool], **changes: Any) -> Decision:
    values: dict[str, Any] = {
        "decision_id": uuid4(),
        "subject_id": "0123456789abcdef0123456789abcdef",
        "method": Method.SAVE,
        "layer": Layer.PREFERENCES,
        "version": 1,
        "script": "0" * 16,
        "language": "en",
        "grants": grants,
        "decided_at": datetime(2026, 11, 22, tzinfo=UTC),
    }
    return Decision(**{**values, **changes})


@pytest.mark.parametrize(
    "grants",
    [
        NOTHING,
        EVERYTHING,
        {**NOTHING, "counter": True},
        {**NOTHING, "functional": True},
        {**NOTHING, "analytics": True, "counter": True, "replay": True},
    ],
)
def test_a_complete_answer_is_taken(grants: dict[str, bool]) -> None:
    check_decision(CONFIG, decision(grants))


def test_necessary_is_not_up_for_decision() -> None:
    assert optional_services(CONFIG) == {"analytics": ("counter", "replay"), "functional": ()}
    with pytest.raises(Conflict) as refused:
        check_decision(CONFIG, decision({**NOTHING, "necessary": True}))
    assert refused.value.errors == {"missing": [], "unknown": ["necessary"]}


def test_a_service_left_unanswered_is_named() -> None:
    grants = {key: value for key, value in NOTHING.items() if key != "replay"}
    with pytest.raises(Conflict) as refused:
        check_decision(CONFIG, decision(grants))
    assert refused.value.errors == {"missing": ["replay"], "unknown": []}


@pytest.mark.parametrize(
    "grants",
    [{**NOTHING, "analytics": True}, {**EVERYTHING, "analytics": False}],
    ids=["category alone", "services without it"],
)
def test_a_category_says_the_same_as_its_services(grants: dict[str, bool]) -> None:
    with pytest.raises(Conflict, match="all its services") as refused:
        check_decision(CONFIG, decision(grants))
    assert refused.value.errors == {"analytics": ["counter", "replay"]}


def test_a_language_that_was_not_shown_is_refused() -> None:
    with pytest.raises(Conflict, match="not shown in 'sv'"):
        check_decision(CONFIG, decision(NOTHING, language="sv"))


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        (None, NOTHING, Kind.REFUSED),
        (None, EVERYTHING, Kind.GIVEN),
        (NOTHING, NOTHING, Kind.REFUSED),
        (NOTHING, EVERYTHING, Kind.GIVEN),
        (EVERYTHING, EVERYTHING, Kind.GIVEN),
        (EVERYTHING, {**NOTHING, "counter": True}, Kind.CHANGED),
        ({**NOTHING, "counter": True}, EVERYTHING, Kind.CHANGED),
        (EVERYTHING, NOTHING, Kind.WITHDRAWN),
        ({**NOTHING, "counter": True}, NOTHING, Kind.WITHDRAWN),
    ],
)
def test_an_event_is_named_by_what_came_before(
    before: dict[str, bool] | None, after: dict[str, bool], kind: Kind
) -> None:
    assert kind_of(after, before, Method.SAVE) is kind


@pytest.mark.parametrize("method", [Method.GPC, Method.DNT, Method.OPT_OUT, Method.OBJECT])
def test_what_goes_on_after_an_opt_out_was_not_consented_to(method: Method) -> None:
    kept = {**NOTHING, "counter": True}
    assert kind_of(kept, None, method) is Kind.REFUSED
    assert kind_of(kept, EVERYTHING, method) is Kind.CHANGED
    assert kind_of(NOTHING, EVERYTHING, method) is Kind.WITHDRAWN


@pytest.mark.parametrize(
    ("subject", "right"),
    [
        ("0123456789abcdef0123456789abcdef", True),
        ("0123456789abcdef0123456789abcdeF", False),
        ("0123456789abcdef0123456789abcde", False),
        ("0123456789abcdef0123456789abcdef0", False),
        ("0123456789abcdef0123456789abcdeg", False),
        ("٠123456789abcdef0123456789abcdef", False),
    ],
)
def test_a_subject_id_is_16_bytes_in_hex(subject: str, right: bool) -> None:
    assert bool(SUBJECT_ID.fullmatch(subject)) is right
