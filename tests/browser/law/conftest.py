"""Fixtures of the law's tests."""

from __future__ import annotations

import pytest

from ..conftest import NewProfile
from ..running_server import RunningServer
from ..sites import SITES
from ..visit import Visit


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave rules that hold for every demo site, in a second browser, to -m soak.

    One site is always tried in both, every site in one.
    """
    for item in items:
        place, _, choice = item.nodeid.partition("[")
        others = [site for site in SITES if site != "smilee" and site in choice]
        if "/browser/law/" in place and "firefox" in choice and others:
            item.add_marker(pytest.mark.soak)


@pytest.fixture
def smilee(new_profile: NewProfile, server: RunningServer) -> Visit:
    """A fresh visitor of the Smilee site, on its way there."""
    return Visit(new_profile().new_page(), SITES["smilee"], server)


@pytest.fixture
def asked(smilee: Visit) -> Visit:
    """A fresh visitor of the Smilee site who is being asked."""
    smilee.go()
    smilee.wait_for_notice()
    return smilee
