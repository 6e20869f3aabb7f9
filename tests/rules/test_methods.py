"""Methods: what each way of saying it may grant, under the regime in which it was said."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from consent_server.errors import Conflict
from consent_server.rules.decision import Decision, Layer, Method
from consent_server.rules.methods import check_method
from consent_server.rules.regimes import Regime

CONFIG: dict[str, Any] = {
    "languages": ["en"],
    "regime": "by_region",
    "categories": [
        {"key": "necessary", "services": []},
        {"key": "functional", "services": []},
        {"key": "analytics", "services": ["counter"]},
        {"key": "marketing", "services": ["pixel", "ads"]},
    ],
    "sensitive": ["functional"],
}
ALL = dict.fromkeys(["functional", "analytics", "counter", "marketing", "pixel", "ads"], True)
NONE = dict.fromkeys(ALL, False)
NOT_SOLD = {**ALL, "marketing": False, "pixel": False, "ads": False}


def check(
    method: Method,
    grants: dict[str, bool],
    *,
    regime: Regime = Regime.OPT_OUT,
    signal: str = "",
    **fields: Any,
) -> None:
    decision = Decision(
        decision_id=UUID("7f3f2d7e-64d6-4d0a-9d0d-54e2b1a7c001"),
        subject_id="0" * 32,
        method=method,
        layer=Layer.NOTICE,
        version=1,
        script="0" * 16,
        language="en",
        grants=grants,
        decided_at=datetime(2026, 11, 28, tzinfo=UTC),
        signal=signal,
    )
    check_method({**CONFIG, **fields}, decision, regime)


def test_accepting_all_cannot_refuse_anything() -> None:
    check(Method.ACCEPT_ALL, ALL)
    with pytest.raises(Conflict, match="cannot refuse"):
        check(Method.ACCEPT_ALL, NOT_SOLD)


def test_accepting_all_leaves_off_what_a_signal_refuses_and_nothing_else() -> None:
    check(Method.ACCEPT_ALL, NOT_SOLD, signal="gpc")
    check(Method.ACCEPT_ALL, {**ALL, "marketing": False, "ads": False}, signal="dnt")
    with pytest.raises(Conflict, match="cannot refuse"):
        check(Method.ACCEPT_ALL, {**NOT_SOLD, "analytics": False, "counter": False}, signal="gpc")


@pytest.mark.parametrize("method", [Method.REJECT_ALL, Method.WITHDRAW])
def test_refusing_cannot_grant_anything(method: Method) -> None:
    check(method, NONE)
    with pytest.raises(Conflict, match="cannot grant"):
        check(method, {**NONE, "counter": True})


@pytest.mark.parametrize("method", [Method.GPC, Method.DNT])
@pytest.mark.parametrize("granted", ["marketing", "pixel", "ads"])
def test_section_1_3_a_signal_never_grants_what_is_sold_or_shared(
    method: Method, granted: str
) -> None:
    check(method, NOT_SOLD, signal=str(method))
    with pytest.raises(Conflict, match="cannot grant"):
        check(method, {**NOT_SOLD, granted: True}, signal=str(method))


def test_an_explicit_choice_may_overrule_a_signal() -> None:
    check(Method.SAVE, ALL, signal="gpc")
    check(Method.SERVICE, {**NOT_SOLD, "pixel": True}, signal="gpc")


def test_a_method_of_a_signal_needs_the_signal() -> None:
    with pytest.raises(Conflict, match="signal"):
        check(Method.GPC, NOT_SOLD)
    with pytest.raises(Conflict, match="signal"):
        check(Method.GPC, NOT_SOLD, signal="dnt")


def test_a_version_that_ignores_dnt_takes_no_decision_by_it() -> None:
    with pytest.raises(Conflict, match="Do Not Track"):
        check(Method.DNT, NOT_SOLD, signal="dnt", do_not_track=False)
    check(Method.GPC, NOT_SOLD, signal="gpc", do_not_track=False)


@pytest.mark.parametrize(
    ("method", "regime", "refused"),
    [
        (Method.OPT_OUT, Regime.OPT_OUT, "pixel"),
        (Method.LIMIT_USE, Regime.OPT_OUT, "functional"),
        (Method.OBJECT, Regime.EXEMPT_ANALYTICS, "counter"),
    ],
)
def test_a_button_refuses_what_it_says_and_is_there_in_its_regime_only(
    method: Method, regime: Regime, refused: str
) -> None:
    check(method, NONE, regime=regime)
    with pytest.raises(Conflict, match="cannot grant"):
        check(method, {**NONE, refused: True}, regime=regime)
    with pytest.raises(Conflict, match="Where opt_in holds"):
        check(method, NONE, regime=Regime.OPT_IN)


def test_decisions_are_taken_over_only_where_the_site_asks_for_it() -> None:
    check(Method.IMPORT, NOT_SOLD, import_decisions=True)
    with pytest.raises(Conflict, match="takes no decisions over"):
        check(Method.IMPORT, NOT_SOLD)
