"""L5: no legitimate interest for storing, reading or sending, nor after a refusal."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from consent_server.errors import InvalidSite
from consent_server.site_check import check_site
from consent_server.site_form import SiteForm, load_site_form
from tests.api.answers import read_problem
from tests.conftest import ReadSite
from tests.test_site_form import change
from tests.visitor import Visitor

from ..trackers import Trackers
from ..visit import Visit, watch_silence


@pytest.mark.parametrize("ground", ["legitimate_interest", "contract", "legal_obligation"])
def test_l05_an_optional_service_on_another_ground_than_consent_is_refused(
    admin: FlaskClient, read_site: ReadSite, ground: str
) -> None:
    site = change(read_site("smilee"), "services.4.legal_basis", ground)
    with pytest.raises(InvalidSite) as refused:
        check_site(load_site_form(site))
    assert refused.value.errors is not None
    assert "5(3)" in refused.value.errors["services.4.legal_basis"][0]
    read_problem(admin.put("/api/v1/sites/smilee", json=site), 409, "invalid_site")


def _names(form: Any) -> set[str]:
    found: set[str] = set()
    for name, field in form.fields.items():
        nested = getattr(getattr(field, "inner", field), "schema", None)
        found |= {name} | (_names(nested) if nested else set())
    return found


def test_l05_a_site_file_has_no_word_for_a_switch_of_legitimate_interest() -> None:
    names = _names(SiteForm())
    assert {"legal_basis", "purpose", "justification"} <= names, "services were looked into"
    assert not [name for name in names if "interest" in name or "default" in name]


@pytest.mark.parametrize(
    "more", [{"legitimate_interest": {"marketing": True}}, {"objections": {"marketing": False}}]
)
def test_l05_a_decision_has_no_place_for_it(visitor: Visitor, more: dict[str, Any]) -> None:
    read_problem(visitor.decide(**more), 422, "invalid_form")


def test_l05_a_decision_cannot_grant_a_ground_instead_of_a_service(visitor: Visitor) -> None:
    grants = {**visitor.grants(), "legitimate-interest": True}
    assert visitor.decide(grants=grants).status_code in {409, 422}


def test_l05_after_a_refusal_nothing_runs_on_any_other_ground(
    asked: Visit, trackers: Trackers
) -> None:
    asked.decide("reject_all")
    for name in ("", "contact"):
        asked.go(name)
        watch_silence(asked.page, trackers, 1.0)
        allowed = asked.page.evaluate("Object.keys(consent.grants).filter(k => consent.grants[k])")
        assert set(allowed) == {"necessary", "consent-record"}


def test_l05_the_preferences_have_one_switch_for_each_thing_and_no_second_set(
    asked: Visit,
) -> None:
    asked.open_preferences()
    asked.open_every_detail()
    ids = asked.preferences.locator("input").evaluate_all("all => all.map((one) => one.id)")
    optional = {*asked.site.optional_services, *asked.site.optional_services.values()}
    assert sorted(ids) == sorted(f"switch-{key}" for key in optional)
