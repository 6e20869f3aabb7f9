"""Fixtures of the front end tests."""

from __future__ import annotations

import pytest


@pytest.fixture
def browser_name() -> str:
    """Chromium alone: where there is no graphics card only it draws WebGL."""
    return "chromium"
