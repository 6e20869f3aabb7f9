"""L13: a choice does not live for ever, and cookies that live for very long are pointed at."""

from __future__ import annotations

from typing import Any

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from consent_server.cli import main
from consent_server.demo import site_files
from consent_server.errors import InvalidForm
from consent_server.site_form import load_site_form
from tests.conftest import ReadSite
from tests.test_site_form import change
from tests.visitor import Visitor

from ..own_site import describe_service


@pytest.mark.parametrize("days", [391, 400, 3650])
def test_l13_a_choice_that_would_live_longer_than_390_days_is_refused(
    read_site: ReadSite, days: int
) -> None:
    with pytest.raises(InvalidForm) as refused:
        load_site_form(change(read_site("smilee"), "valid_days", days))
    assert refused.value.errors is not None
    assert list(refused.value.errors) == ["valid_days"]


@pytest.mark.parametrize("days", [180, 390])
def test_l13_the_cookie_and_the_record_end_on_the_same_day(
    admin: FlaskClient, visitor: Visitor, read_site: ReadSite, days: int
) -> None:
    site = {**read_site("smilee"), "valid_days": days}
    assert admin.put("/api/v1/sites/smilee", json=site).status_code == 200
    answer = visitor.accept_all()
    age = int(answer.headers["Set-Cookie"].split("Max-Age=")[1].split(";")[0])
    assert days * 86_400 - 60 <= age <= days * 86_400
    record = visitor.read_version()["services"][0]
    assert record["key"] == "consent-record"
    assert record["items"][0]["lifetime"] == f"{days}d", "visitors are told so"


@pytest.mark.parametrize(
    ("lifetime", "is_noted"), [("2y", True), ("14mo", True), ("400d", True), ("13mo", False)]
)
def test_l13_a_cookie_that_lives_longer_than_13_months_is_noted_when_a_site_is_published(
    admin: FlaskClient, read_site: ReadSite, lifetime: str, is_noted: bool
) -> None:
    own = describe_service("counter", (("cookie", "_long"),))
    own["items"][0]["lifetime"] = lifetime
    own["purpose"] = dict.fromkeys(("sv", "fi", "en"), "Counts.")
    site = {**read_site("smilee"), "services": [own]}
    answer = admin.put("/api/v1/sites/smilee", json=site)
    assert answer.status_code == 200, "a note stops nobody"
    notes: Any = answer.json["notes"]
    found = [one for one in notes if "13 months" in one["message"]]
    assert [one["path"] for one in found] == (["services.0"] if is_noted else [])
    assert all("_long" in one["message"] for one in found)


def test_l13_the_command_that_checks_a_site_file_tells_the_same(
    runner: CliRunner, tmp_path: Any, read_site: ReadSite
) -> None:
    file = next(path for path in site_files() if path.stem == "smilee")
    done = runner.invoke(main, ["site", "check", str(file)])
    assert done.exit_code == 0, done.output
    assert "_ga" in done.output
    assert "longer than 13 months" in done.output
