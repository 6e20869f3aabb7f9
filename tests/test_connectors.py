"""Connectors of a site: what a version keeps, what the script carries, and what is warned of."""

from __future__ import annotations

from typing import Any

import pytest

from consent_server.connector_check import warn_of_connectors
from consent_server.connectors import compile_connectors, part_of_connectors
from consent_server.errors import InvalidForm, InvalidSite
from consent_server.rules.regimes import Regime
from consent_server.site_form import load_site_form
from consent_server.snapshot import build_snapshot
from consent_server.widget import compose_script, widget_config
from tests.conftest import ReadSite

Site = dict[str, Any]


@pytest.fixture
def site(read_site: ReadSite) -> Site:
    return read_site("smilee")


def add(site: Site, use: str, **fields: Any) -> Site:
    site["services"].append({"use": use, "retention": "1y", **fields})
    return site


def snapshot(site: Site) -> dict[str, Any]:
    return build_snapshot(load_site_form(site))


def commands(rows: list[Any]) -> list[Any]:
    """Names and first arguments of the calls before all others, in the order of each queue."""
    return [call[1:4] for call in rows[0][::-1]]


def test_a_version_keeps_what_its_services_are_told(site: Site) -> None:
    config = snapshot(site)
    kept = {one["key"]: one.get("connector") for one in config["services"]}
    assert kept["meta-pixel"]["stoppable"] is True
    assert kept["google-analytics"] == {"consent_types": ["analytics_storage"]}
    assert kept["mailchimp"] is None
    assert config["consent_mode"]["types"]["analytics_storage"] == "google-analytics"
    assert config["consent_mode"]["types"]["ad_storage"] == "marketing"


def test_a_version_of_an_earlier_release_carries_none_and_is_composed(site: Site) -> None:
    config = snapshot(site)
    for service in config["services"]:
        service.pop("connector", None)
    del config["consent_mode"]
    assert compile_connectors(config, Regime.OPT_IN) == []
    assert "connectors" not in widget_config(config, 1, 1)
    assert b"dataLayer" not in compose_script(config, 1, 1).body


def test_the_ids_of_the_site_are_filled_in(site: Site) -> None:
    site["services"][1]["ids"] = ["G-1", "G-2"]
    ahead = compile_connectors(snapshot(site), Regime.OPT_IN)[0]
    assert ["=", "ga-disable-G-1", True] in ahead
    assert ["=", "ga-disable-G-2", True] in ahead


def test_the_part_can_do_what_the_calls_need_and_no_more(site: Site) -> None:
    rows = compile_connectors(snapshot(site), Regime.OPT_IN)
    assert part_of_connectors(rows) == "connectors-waits-stops"
    assert part_of_connectors([[], ["", [["@", "dataLayer", 1]]]]) == "connectors"
    assert part_of_connectors([[["+", "q", 1]]]) == "connectors-methods"
    assert part_of_connectors([[], ["a", [["@", "q", "*"]], []]]) == "connectors-methods"
    assert part_of_connectors([]) == ""


def test_what_a_connector_can_do_goes_along_with_its_calls(site: Site) -> None:
    add(site, "posthog")
    config = snapshot(site)
    rows = compile_connectors(config, Regime.OPT_IN)
    traits = {row[0]: row[3:] for row in rows[1:] if row[0]}
    assert (traits["meta-pixel"], traits["posthog"]) == ([1], [3])
    for service in config["services"]:
        service.get("connector", {}).pop("until_heard", None)  # as an earlier release kept it
    earlier = compile_connectors(config, Regime.OPT_IN)
    assert [row[3:] for row in earlier if row[0] == "posthog"] == [[1]]
    assert part_of_connectors(rows) == part_of_connectors(earlier)


def test_types_that_nothing_stands_for_are_denied_for_ever(site: Site) -> None:
    site["categories"] = [{"key": "analytics"}]
    site["services"] = [{"use": "google-analytics", "retention": "1y"}]
    [default] = compile_connectors(snapshot(site), Regime.OPT_IN)[0]
    assert default[4]["ad_storage"] == default[4]["functionality_storage"] == "denied"
    assert default[4]["security_storage"] == "granted"


def test_where_regions_differ_europe_is_denied_by_name(site: Site) -> None:
    site["regime"] = "by_region"
    asked = compile_connectors(snapshot(site), Regime.OPT_IN)
    assert commands(asked)[0] == ["dataLayer", "consent", "default"]
    assert sum(call[3:4] == ["default"] for call in asked[0]) == 1
    running = compile_connectors(snapshot(site), Regime.OPT_OUT)
    everywhere, europe = (call[4] for call in running[0][::-1] if call[3:4] == ["default"])
    assert everywhere["ad_storage"] == "?marketing"
    assert europe["ad_storage"] == "denied"
    assert {"DE", "IS", "CH", "GB"} <= set(europe["region"])
    assert ["~", "fbq", "dataProcessingOptions", ["LDU"], 0, 0] in running[0]
    assert ["~", "fbq", "dataProcessingOptions", ["LDU"], 0, 0] not in asked[0]


def test_a_service_of_ones_own_may_take_a_catalogued_connector_or_write_one(site: Site) -> None:
    own = {
        "key": "matomo-own",
        "name": "Matomo",
        "category": "analytics",
        "retention": "1y",
        "purpose": dict.fromkeys(("sv", "fi", "en"), "Counts."),
        "provider": {"name": "Shop", "country": "FI", "policy": "/privacy"},
        "connector": {"use": "matomo"},
    }
    site["services"].append(own)
    kept = snapshot(site)["services"][-1]["connector"]
    assert kept["grant"] == [["_paq.push", ["setConsentGiven"]]]
    own["connector"] = {"grant": [["acme", "granted if marketing"]]}
    assert [".", "acme", "?marketing"] in compile_connectors(snapshot(site), Regime.OPT_IN)[-1][1]


@pytest.mark.parametrize(
    ("connector", "field"),
    [
        ({"use": "nowhere"}, "services.0.connector.use"),
        ({"use": "mailchimp"}, "services.0.connector.use"),
        ({"grant": [["f", "granted if nowhere"]]}, "services.0.connector"),
    ],
)
def test_what_a_connector_names_must_be_there(site: Site, connector: Any, field: str) -> None:
    site["services"][0]["connector"] = connector
    with pytest.raises(InvalidSite) as caught:
        snapshot(site)
    assert list(caught.value.errors or ()) == [field]


@pytest.mark.parametrize(
    ("connector", "field"),
    [
        ({"grant": [["alert(1)"]]}, "services.0.connector.grant[0]"),
        ({"grant": [["f", 2**53]]}, "services.0.connector.grant[0]"),
        ({"grant": None}, "services.0.connector.grant"),
        ({"stoppable": True}, "services.0.connector.stoppable"),
        ({"use": 1}, "services.0.connector.use"),
        ({"use": "matomo", "grant": []}, "services.0.connector.grant"),
    ],
)
def test_a_connector_that_is_none_is_refused_by_its_field(
    site: Site, connector: Any, field: str
) -> None:
    site["services"][0]["connector"] = connector
    with pytest.raises(InvalidSite) as caught:
        snapshot(site)
    assert list(caught.value.errors or ()) == [field]


def test_a_field_that_connectors_do_not_have_is_refused(site: Site) -> None:
    site["services"][0]["connector"] = {"grants": []}
    with pytest.raises(InvalidForm) as caught:
        load_site_form(site)
    assert list(caught.value.errors or ()) == ["services.0.connector.grants"]


def test_advanced_mode_lets_googles_tags_through_and_is_warned_of(site: Site) -> None:
    assert list(warn_of_connectors(load_site_form(site))) == []
    site["consent_mode"] = {"mode": "advanced", "url_passthrough": True}
    site["services"][1]["ids"] = ["G-1"]
    site["blocking"] = "gate"
    config = snapshot(site)
    warned = [path for path, _message in warn_of_connectors(load_site_form(site))]
    assert warned == ["consent_mode.mode", "consent_mode.url_passthrough"]
    assert "google-analytics" not in widget_config(config, 1, 1)["gate"]["services"]
    assert "meta-pixel" in widget_config(config, 1, 1)["gate"]["services"]
    assert not any(call[0] == "=" for call in compile_connectors(config, Regime.OPT_IN)[0])
    strict = snapshot({**site, "blocking": "strict"})
    assert "www.googletagmanager.com" in widget_config(strict, 1, 1)["gate"]["allowed"].split()


@pytest.mark.parametrize(
    "named",
    [{"key": "google-adsense"}, {"hosts": ["pagead2.googlesyndication.com"]}, {"name": "AdSense"}],
)
def test_adsense_is_warned_of(site: Site, named: Site) -> None:
    site["services"].append(
        {
            "key": "ads",
            "name": "Ads",
            "category": "marketing",
            "retention": "1y",
            "purpose": dict.fromkeys(("sv", "fi", "en"), "Shows ads."),
            "provider": {"name": "G", "country": "IE", "policy": "/privacy"},
            **named,
        }
    )
    [(path, message)] = warn_of_connectors(load_site_form(site))
    assert path == "services.5"
    assert "not certified" in message
