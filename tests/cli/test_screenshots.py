"""Screenshots by command: every face of a version, taken once, and part of the bundle."""

from __future__ import annotations

import hashlib
import json
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

from sqlalchemy import select

from consent_server.store.database import Database
from consent_server.store.models import VersionPicture
from tests.cli.conftest import Process
from tests.verification.checking import said, said_by_the_small_one

_SIZES = {"mobile": (390, 844), "desktop": (1280, 800)}
EXPORT = ("audit", "export", "--site", "smilee", "-o")


def size_of(picture: bytes) -> tuple[int, int]:
    """Width and height of a PNG."""
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", picture[16:24])
    return width, height


def test_every_face_is_photographed_once_and_goes_into_the_bundle(
    process: Process, database: Database, tmp_path: Path
) -> None:
    done = process("site", "screenshots", "smilee")
    assert done.returncode == 0, done.stderr
    assert "12 screenshots taken." in done.stdout
    with database.read() as session:
        pictures = list(session.scalars(select(VersionPicture)))
    assert {(one.language, one.part, one.viewport) for one in pictures} == {
        (language, part, viewport)
        for language in ("en", "fi", "sv")
        for part in ("notice", "preferences")
        for viewport in _SIZES
    }
    assert all(size_of(one.body) == _SIZES[one.viewport] for one in pictures)
    assert len({one.sha256 for one in pictures}) == 12
    assert "Every screenshot is there already." in process("site", "screenshots", "smilee").stdout

    done = process(*EXPORT, "bundle.zip")
    assert done.returncode == 0, done.stderr
    assert "screenshot" not in done.stderr
    file = tmp_path / "bundle.zip"
    assert said(file) == said_by_the_small_one(file) == ""
    with zipfile.ZipFile(file) as bundle:
        index = json.loads(bundle.read("screenshots/index.json"))
        assert index["missing"] == []
        for one in index["taken"]:
            assert hashlib.sha256(bundle.read(one["file"])).hexdigest() == one["sha256"]
        assert "MISSING" not in bundle.read("README.txt").decode()


def test_without_a_browser_the_bundle_says_what_is_missing_and_how_to_make_it(
    environment: dict[str, str], tmp_path: Path
) -> None:
    nothing = {"PATH": str(tmp_path), "PLAYWRIGHT_BROWSERS_PATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "consent_server", *EXPORT, "bundle.zip"],
        env={**environment, **nothing},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "No Chromium could be started." in done.stderr
    assert "12 screenshots missing: make them with consent-server site screenshots" in done.stderr
    file = tmp_path / "bundle.zip"
    assert said(file) == said_by_the_small_one(file) == ""
    with zipfile.ZipFile(file) as bundle:
        readme = bundle.read("README.txt").decode()
    assert "screenshots/1/fi-notice-mobile.png" in readme
    assert "consent-server site screenshots smilee" in readme
