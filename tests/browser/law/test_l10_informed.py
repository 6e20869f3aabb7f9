"""L10: nobody can decide on what they were not told: who, what for, to whom, for how long."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.api.answers import field_errors, read_problem
from tests.conftest import ReadSite

from ..conftest import NewProfile
from ..own_site import describe_service
from ..running_server import RunningServer
from ..sites import DemoSite
from ..visit import Visit

LANGUAGES = ("sv", "fi", "en")


@pytest.fixture
def site(read_site: ReadSite) -> dict[str, Any]:
    """The Smilee site with a sixth service and a fourth category that the owner describes."""
    found = copy.deepcopy(read_site("smilee"))
    own = describe_service("counter", (("cookie", "_count"),), category="games")
    own["purpose"] = dict.fromkeys(LANGUAGES, "Counts.")
    found["services"].append(own)
    words = dict.fromkeys(LANGUAGES, "Games")
    found["categories"].append({"key": "games", "name": dict(words), "description": dict(words)})
    found["links"]["policy"] = {language: f"/{language}/privacy" for language in LANGUAGES}
    found["texts"] = {}
    return found


def _without(site: dict[str, Any], path: str) -> dict[str, Any]:
    *steps, last = path.split(".")
    place: Any = site
    for step in steps:
        place = place[int(step)] if step.isdigit() else place[step]
    del place[last]
    return site


def _publish(admin: FlaskClient, site: dict[str, Any]) -> Any:
    return admin.put("/api/v1/sites/smilee", json=site)


def test_l10_the_whole_description_is_published(admin: FlaskClient, site: dict[str, Any]) -> None:
    answer = _publish(admin, site)
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "path",
    ["services.5.purpose", "links.policy", "categories.3.name", "categories.3.description"],
)
def test_l10_publishing_fails_where_a_text_is_missing_in_one_language(
    admin: FlaskClient, site: dict[str, Any], path: str, language: str
) -> None:
    answer = _publish(admin, _without(site, f"{path}.{language}"))
    found = field_errors(read_problem(answer, 409, "invalid_site"))
    assert list(found) == [f"{path}.{language}"]


@pytest.mark.parametrize(
    "path",
    [
        "services.5.provider",
        "services.5.provider.name",
        "services.5.provider.country",
        "services.5.provider.policy",
        "services.5.retention",
        "services.0.retention",
        "services.5.items.0.lifetime",
        "controller.name",
        "controller.address",
        "controller.email",
        "supervisory_authority",
        "links.policy",
    ],
)
def test_l10_publishing_fails_where_a_fact_is_missing(
    admin: FlaskClient, site: dict[str, Any], path: str
) -> None:
    answer = _publish(admin, _without(site, path))
    assert answer.status_code in {409, 422}
    assert list(field_errors(read_problem(answer, answer.status_code))) == [path]


def test_l10_the_first_layer_names_the_controller_the_purposes_and_the_policy(
    new_profile: NewProfile, site_shown: DemoSite, server: RunningServer
) -> None:
    visit = Visit(new_profile().new_page(), site_shown, server)
    visit.go()
    visit.wait_for_notice()
    told = visit.notice.inner_text()
    assert site_shown.file["controller"]["name"] in told
    purposes = visit.notice.locator("li").all_inner_texts()
    assert len(purposes) == len(set(site_shown.optional_services.values()) | {"necessary"})
    assert all(purposes)
    assert visit.notice.locator("a[href]").count() == 1
    # Purposes come before the buttons (CNIL, Recommendation 2020-092).
    after = "([one, other]) => one.compareDocumentPosition(other) & 4"
    listed, button = visit.notice.locator("li").first, visit.button("accept_all")
    pair = [listed.element_handle(), button.element_handle()]
    assert visit.page.evaluate(after, pair)


def test_l10_the_second_layer_tells_of_each_service_what_the_law_wants_told(
    new_profile: NewProfile, site_shown: DemoSite, server: RunningServer
) -> None:
    visit = Visit(new_profile().new_page(), site_shown, server)
    visit.go()
    visit.wait_for_notice()
    policy = visit.notice.locator("a[href]").get_attribute("href")
    visit.open_preferences()
    assert visit.preferences.locator("a[target=_blank]").first.get_attribute("href") == policy
    visit.open_every_detail()
    for key in site_shown.optional_services:
        told = visit.preferences.locator(f".service:has(#switch-{key})")
        assert len(told.locator(f"#about-{key}").inner_text()) > 15, "purpose"
        facts = told.locator("dd").all_inner_texts()
        assert len(facts) >= 4, "provider, legal basis, retention, cookies with their lifetimes"
        assert all(fact.strip() for fact in facts)
        stored = told.locator("dd li").all_inner_texts()
        names = told.locator("dd li code").all_inner_texts()
        assert all(len(line) > len(name) + 2 for line, name in zip(stored, names, strict=True)), (
            "each cookie has its lifetime"
        )
        assert told.locator("a[href^='https://']").count() == 1, "the provider's policy"


@pytest.fixture(params=["jackbot", "smilee"])
def site_shown(request: pytest.FixtureRequest) -> DemoSite:
    """Two of the demo sites: four categories, transfers, cookies and storage."""
    return DemoSite(str(request.param))


@pytest.fixture(params=["chromium"])
def browser_name(request: pytest.FixtureRequest) -> str:
    """Words are the same in every browser."""
    return str(request.param)
