"""Unasked: which decisions hold what nobody was asked for."""

from __future__ import annotations

import pytest

from consent_server.rules.decision import Layer, Method
from consent_server.rules.regimes import Regime
from consent_server.rules.unasked import Unasked, unasked, unasked_in

SOME = {"analytics": True, "marketing": False}
FIRST = (Regime.OPT_OUT, Regime.NOTICE_ONLY, Regime.OFF)


def _unasked(regime: str, method: Method, layer: Layer = Layer.NOTICE) -> Unasked:
    return unasked(regime, method, layer, SOME)


@pytest.mark.parametrize("method", [one for one in Method if one is not Method.ACCEPT_ALL])
def test_whatever_is_left_granted_where_it_ran_first_was_not_asked_for(method: Method) -> None:
    assert [_unasked(regime, method) for regime in FIRST] == [Unasked.ALL] * 3
    assert _unasked(Regime.EXEMPT_ANALYTICS, method) is Unasked.SOME
    assert _unasked(Regime.OPT_IN, method) is Unasked.NOTHING


@pytest.mark.parametrize("regime", Regime)
def test_who_accepted_all_or_ticked_it_in_the_form_was_asked(regime: Regime) -> None:
    assert _unasked(regime, Method.ACCEPT_ALL) is Unasked.NOTHING
    assert _unasked(regime, Method.SAVE, Layer.FORM) is Unasked.NOTHING


@pytest.mark.parametrize("regime", Regime)
def test_a_refusal_holds_everywhere(regime: Regime) -> None:
    grants = dict.fromkeys(SOME, False)
    assert unasked(regime, Method.REJECT_ALL, Layer.NOTICE, grants) is Unasked.NOTHING


def test_the_regimes_stand_in_the_order_of_how_much_runs_unasked() -> None:
    found = [unasked_in(regime) for regime in Regime]
    assert found == sorted(found)
