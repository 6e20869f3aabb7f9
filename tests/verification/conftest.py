"""Fixtures: a bundle of a log that nobody changed, and a log to change."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.verification.logs import Log, make_log, write_bundle

SIZE = 600


@pytest.fixture(scope="module")
def true_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole bundle of a log that nobody changed."""
    file = tmp_path_factory.mktemp("true") / "bundle.zip"
    return write_bundle(make_log(SIZE, erased=3, seen=True), file)


@pytest.fixture
def file(true_file: Path, tmp_path: Path) -> Path:
    """A copy of it, to change."""
    copy = tmp_path / "bundle.zip"
    shutil.copy(true_file, copy)
    return copy


@pytest.fixture
def log() -> Log:
    """A log of its own, to change before it is written."""
    return make_log(SIZE)
