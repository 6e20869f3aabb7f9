"""Regimes: which one a site and a region get, and what a site may not say about them."""

from __future__ import annotations

from typing import Any

import pytest

from consent_server.errors import InvalidSite
from consent_server.rules.regimes import (
    BUILT_IN,
    EEA,
    Regime,
    regime_for,
    regimes_of,
    running_first,
    sold_or_shared,
    valid_days,
)
from consent_server.site_form import load_site_form
from consent_server.snapshot import build_snapshot, hash_config, hash_material
from tests.conftest import ReadSite


@pytest.fixture
def site(read_site: ReadSite) -> dict[str, Any]:
    """A site whose visitors' region decides."""
    return {**read_site("smilee"), "regime": "by_region"}


def snapshot(site: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return build_snapshot(load_site_form({**site, **fields}))


def refused(site: dict[str, Any], **fields: Any) -> dict[str, list[str]]:
    with pytest.raises(InvalidSite) as raised:
        snapshot(site, **fields)
    assert raised.value.errors is not None
    return raised.value.errors


@pytest.mark.parametrize(
    ("region", "regime"),
    [
        ("DE", "opt_in"),
        ("CH", "opt_in"),
        ("GB", "exempt_analytics"),
        ("GB-SCT", "exempt_analytics"),
        ("US-CA", "opt_out"),
        ("US-NY", "opt_in"),
        ("US", "opt_in"),
        ("BR", "opt_in"),
        ("", "opt_in"),
    ],
)
def test_each_region_has_its_regime_and_what_nobody_knows_the_strictest(
    site: dict[str, Any], region: str, regime: str
) -> None:
    assert regime_for(snapshot(site), region) == regime


def test_a_site_with_one_regime_has_it_everywhere(read_site: ReadSite) -> None:
    config = snapshot(read_site("smilee"))
    assert {regime_for(config, region) for region in ("", "US-CA", "GB")} == {Regime.OPT_IN}
    assert regimes_of(config) == [Regime.OPT_IN]


def test_the_owners_own_table_wins_over_the_built_in_one(site: dict[str, Any]) -> None:
    config = snapshot(site, regions={"US-CA": "opt_in", "US": "notice_only", "BR": "off"})
    assert regime_for(config, "US-CA") == Regime.OPT_IN
    assert regime_for(config, "US-WY") == Regime.NOTICE_ONLY
    assert regime_for(config, "BR") == Regime.OFF
    assert regime_for(config, "US-TX") == Regime.OPT_OUT
    assert regimes_of(config) == list(Regime)


def test_a_version_holds_the_whole_table_that_it_was_shown_by(site: dict[str, Any]) -> None:
    assert snapshot(site)["regions"] == {region: str(BUILT_IN[region]) for region in BUILT_IN}


def test_without_statistics_nothing_is_exempt(site: dict[str, Any]) -> None:
    config = snapshot(site, exempt=[])
    assert regime_for(config, "GB") == Regime.OPT_IN
    assert Regime.EXEMPT_ANALYTICS not in regimes_of(config)


def test_what_runs_first_follows_the_regime(site: dict[str, Any]) -> None:
    config = snapshot(site)
    everything = ["functional", "analytics", "marketing"]
    assert running_first(config, Regime.OPT_IN) == []
    assert running_first(config, Regime.EXEMPT_ANALYTICS) == ["analytics"]
    assert running_first(config, Regime.OPT_OUT) == everything
    assert running_first(config, Regime.NOTICE_ONLY) == everything
    assert running_first(config, Regime.OFF) == everything
    assert sold_or_shared(config) == ["marketing"]


def test_an_opt_out_outlives_the_twelve_months_of_1798_135(site: dict[str, Any]) -> None:
    config = snapshot(site)
    assert valid_days(config, Regime.OPT_IN) == 180
    assert valid_days(config, Regime.OPT_OUT) > 365
    assert valid_days(config, Regime.OPT_OUT) <= 400


def test_a_site_that_says_nothing_of_regimes_keeps_its_snapshot(read_site: ReadSite) -> None:
    config = snapshot(read_site("smilee"))
    silent = {"regions", "sold_or_shared", "sensitive", "exempt", "do_not_track"}
    assert not silent & set(config)
    assert all("regimes" not in words for words in config["texts"].values())


def test_deciding_by_region_asks_nobody_again_who_was_asked_first(
    site: dict[str, Any], read_site: ReadSite
) -> None:
    before, after = snapshot(read_site("smilee")), snapshot(site)
    assert hash_config(before) != hash_config(after)
    assert hash_material(before) == hash_material(after)


def test_each_regime_has_its_words_in_every_language(site: dict[str, Any]) -> None:
    config = snapshot(site, regions={"BR": "notice_only"}, sensitive=["functional"])
    for language, words in config["texts"].items():
        told = words["regimes"]
        assert set(told) == {"exempt_analytics", "opt_out", "notice_only"}
        for regime in told.values():
            assert all(regime.values())
            assert not any("{controller}" in text or "{entry}" in text for text in regime.values())
        assert told["opt_out"]["entry"] in told["opt_out"]["body"]
        assert words["ui"]["entry"] in told["notice_only"]["body"]
        if language == "en":
            assert told["opt_out"]["opt_out"] == "Do Not Sell or Share My Personal Information"
            assert told["opt_out"]["entry"] == "Your Privacy Choices"


def test_only_what_a_site_does_has_a_button(site: dict[str, Any]) -> None:
    plain = snapshot(site, sold_or_shared=[])["texts"]["en"]
    assert not {"opt_out", "limit_use"} & set(plain["regimes"]["opt_out"])
    assert plain["ui"]["honoured"] == ""
    told = snapshot(site, sensitive=["functional"])["texts"]["en"]
    assert "limit_use" in told["regimes"]["opt_out"]
    assert told["ui"]["honoured"] == "Opt-out request honoured: Marketing."


@pytest.mark.parametrize("region", sorted(EEA))
def test_l1_no_region_of_the_eea_can_be_anything_but_asked_first(
    site: dict[str, Any], region: str
) -> None:
    found = refused(site, regions={region: "exempt_analytics"})
    assert "article 5(3)" in found[f"regions.{region}"][0]


@pytest.mark.parametrize(
    ("fields", "path", "reason"),
    [
        ({"regions": {"DE-BY": "opt_out"}}, "regions.DE-BY", "article 5(3)"),
        ({"regions": {"GB": "opt_out"}}, "regions.GB", "PECR"),
        ({"regions": {"US-CA": "off"}}, "regions.US-CA", "opt out"),
        ({"regime": "opt_out"}, "regime", "by_region"),
        ({"regime": "opt_in", "regions": {"BR": "off"}}, "regions", "by_region"),
        ({"sold_or_shared": ["games"]}, "sold_or_shared.0", "no optional category"),
        ({"sold_or_shared": ["necessary"]}, "sold_or_shared.0", "no optional category"),
        ({"exempt": ["marketing"]}, "exempt", "schedule A1"),
        ({"sensitive": ["analytics"], "exempt": ["analytics"]}, "exempt", "schedule A1"),
        ({"keep_records": "180d"}, "keep_records", "390 days"),
    ],
)
def test_what_would_break_a_law_is_refused_with_its_name(
    site: dict[str, Any], fields: dict[str, Any], path: str, reason: str
) -> None:
    assert reason in refused(site, **fields)[path][0]


@pytest.mark.parametrize("regime", ["opt_out", "notice_only", "off"])
def test_who_sells_or_shares_must_say_what(site: dict[str, Any], regime: str) -> None:
    american = {
        "controller": {**site["controller"], "country": "US"},
        "categories": [{"key": "functional"}, {"key": "analytics"}],
        "services": [],
        "regime": regime,
    }
    assert "1798.135" in refused(site, **american)["sold_or_shared"][0]
    assert snapshot(site, **american, sold_or_shared=[])["regime"] == regime
    assert snapshot(site, **american, sold_or_shared=["analytics"])["regime"] == regime


def test_a_british_site_may_measure_until_somebody_objects(site: dict[str, Any]) -> None:
    british = {"controller": {**site["controller"], "country": "GB"}}
    assert snapshot(site, **british, regime="exempt_analytics")["regime"] == "exempt_analytics"
    found = refused(site, **british, regime="exempt_analytics", exempt=[])
    assert "schedule A1" in found["exempt"][0]
