"""L6: what is unknown waits, and calling something necessary takes a reason that is kept."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Page
from sqlalchemy import select

from consent_server.catalogue import load_catalogue
from consent_server.errors import InvalidSite
from consent_server.rules.canonical import canonical_json
from consent_server.site_check import check_site
from consent_server.site_form import load_site_form
from consent_server.store.database import Database
from consent_server.store.models import AdminEvent
from tests.conftest import ReadSite
from tests.test_site_form import change

from ..own_site import describe_service, publish_site
from ..owner_pages import OwnerPages
from ..running_server import RunningServer
from ..trackers import Trackers
from ..visit import Visit, watch_silence

REASON = "Visitors ask for the chat themselves; it stores which chat is theirs."
#: Nobody's consent is asked for these: our own cookie, and the machines that a site runs on.
NECESSARY_IN_THE_CATALOGUE = {"consent-record", "aws"}


def _findings(site: dict[str, Any]) -> dict[str, list[str]]:
    with pytest.raises(InvalidSite) as refused:
        check_site(load_site_form(site))
    assert refused.value.errors is not None
    return refused.value.errors


def test_l06_an_unknown_service_needs_a_category_and_none_is_assumed(read_site: ReadSite) -> None:
    own = describe_service("counter", ())
    own["purpose"] = dict.fromkeys(("sv", "fi", "en"), "Counts.")
    del own["category"]
    site = read_site("smilee")
    found = _findings({**site, "services": [*site["services"], own]})
    assert list(found) == ["services.5.category"]


def test_l06_the_catalogue_calls_nothing_necessary_that_observes_visitors() -> None:
    found = {one.key for one in load_catalogue().values() if one.category == "necessary"}
    assert found == NECESSARY_IN_THE_CATALOGUE


def test_l06_a_key_that_nobody_knows_is_held_for_good(
    page: Page, owner: OwnerPages, server: RunningServer, trackers: Trackers
) -> None:
    site = publish_site(server, owner.url, "unknown", [describe_service("counter", ())])
    held = "".join(
        f'<img alt="" data-consent="{key}" data-consent-src="https://held.example.com/{name}">'
        for key, name in (("analytics", "known"), ("service:countr", "mistyped"), ("", "empty"))
    )
    tag = f'<script src="{server.url}/w/{site.key}.js"></script>'
    owner.pages["/"] = (f'<!doctype html><html lang="en">{tag}<title>Shop</title>{held}', {})
    visit = Visit(page, site, server)
    page.goto(f"{owner.url}/")
    visit.wait_for_notice()
    watch_silence(page, trackers, 0.7)
    visit.decide("accept_all")
    visit.wait_for(lambda: bool(trackers.requests), "what is known loads")
    page.wait_for_timeout(700)
    assert [one.path for one in trackers.requests] == ["/known"]


def test_l06_a_host_that_nobody_knows_waits_behind_the_strict_gate_even_after_a_yes(
    page: Page, owner: OwnerPages, server: RunningServer, trackers: Trackers
) -> None:
    known = describe_service("counter", (), hosts=["known.example.com"])
    site = publish_site(server, owner.url, "unlisted", [known], blocking="strict")
    tag = f'<script src="{server.url}/w/{site.key}.js"></script>'
    calls = "".join(
        f"fetch('https://{host}.example.com/ping', {{ mode: 'no-cors' }});"
        for host in ("known", "unlisted")
    )
    body = f"<title>Shop</title><script>{calls}</script>"
    owner.pages["/"] = (f'<!doctype html><html lang="en">{tag}{body}', {})
    visit = Visit(page, site, server)
    page.goto(f"{owner.url}/")
    visit.wait_for_notice()
    watch_silence(page, trackers, 0.7)
    visit.decide("accept_all")
    visit.wait_for(lambda: bool(trackers.requests), "what is known is asked")
    page.wait_for_timeout(700)
    assert trackers.hosts() == {"known.example.com"}


def test_l06_calling_a_service_necessary_without_a_reason_is_refused(read_site: ReadSite) -> None:
    found = _findings(change(read_site("smilee"), "services.0.category", "necessary"))
    assert list(found) == ["services.0.justification"]
    assert "infringement" in found["services.0.justification"][0]


def test_l06_the_reason_stands_in_the_version_whose_hash_is_in_the_ledger(
    admin: FlaskClient, client: FlaskClient, read_site: ReadSite, database: Database
) -> None:
    site = change(read_site("smilee"), "services.0.category", "necessary")
    site["services"][0] |= {"justification": REASON, "legal_basis": "contract"}
    answer = admin.put("/api/v1/sites/smilee", json=site)
    assert answer.status_code == 200, answer.text
    version = json.loads(client.get("/w/smilee/versions/2").text)
    services = {one["key"]: one for one in version["config"]["services"]}
    assert services["smilee-chat"]["justification"] == REASON
    hashed = hashlib.sha256(canonical_json(version["config"])).hexdigest()
    with database.read() as session:
        events = session.scalars(select(AdminEvent)).all()
        told = [(json.loads(event.details), event.leaf_hash) for event in events]
    published = [
        (said["config_hash"], len(leaf)) for said, leaf in told if said.get("version") == 2
    ]
    assert published == [(hashed, 32)], "hashed into the leaf that is sealed"
