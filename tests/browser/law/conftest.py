"""Fixtures of the law's tests."""

from __future__ import annotations

import pytest

from ..conftest import NewProfile
from ..running_server import RunningServer
from ..sites import SITES
from ..visit import Visit


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
