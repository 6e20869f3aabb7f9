"""A full disk: a file system of 64 MiB that fills under many writers, and has room again."""

from __future__ import annotations

import os
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.running_server import UNLIMITED, RunningServer
from tests.soak.soak_log import SoakLog
from tests.soak.writers import Load

from .serving import wait_until
from .test_killed import audit, read_template

SIZE = 64 * 2**20
#: What is left when the writers begin; less than the 16 MiB below which a server is not ready.
LEFT = 3 * 2**20
WRITERS = 16


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own (ext4, or tmpfs where that cannot be had) of 64 MiB."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a file system")
    place, image = tmp_path / "disk", tmp_path / "disk.img"
    place.mkdir()
    with image.open("wb") as file:
        file.truncate(SIZE)
    made = shutil.which("mkfs.ext4") and _ran("mkfs.ext4", "-q", str(image))
    if not (made and _ran("mount", "-o", "loop", str(image), str(place))):
        asked = "mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(place)
        if not _ran(*asked):
            pytest.skip("this machine lets nobody mount a file system")
    try:
        yield place
    finally:
        assert _ran("umount", str(place)), "something still uses it"


def _ran(*command: str) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _fill(folder: Path, left: int) -> Path:
    """Take all room but so many bytes; return the file that takes it."""
    ballast = folder / "ballast"
    with ballast.open("wb") as file:
        free = os.statvfs(folder)
        os.posix_fallocate(file.fileno(), 0, free.f_bavail * free.f_frsize - left)
    return ballast


def _ask(server: RunningServer, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"{server.url}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_while_a_disk_is_full_pages_are_served_and_nothing_that_was_acknowledged_is_lost(
    small_disk: Path,
) -> None:
    log = SoakLog("full_disk", "A file system of 64 MiB that fills")
    server = RunningServer(small_disk, settings=UNLIMITED)
    server.start()
    try:
        ballast = _fill(small_disk, LEFT)
        load = Load(server.port, read_template(server), WRITERS)
        load.start()
        wait_until(lambda: load.answers["507"] > 100)
        kept = len(load.receipts)
        log.say(f"full with {kept} decisions acknowledged; answers {dict(load.answers)}")
        for _ in range(20):
            assert _ask(server, "/w/smilee.js")[0] == 200
            assert _ask(server, "/healthz")[0] == 200
        status, told = _ask(server, "/readyz")
        assert status == 503
        assert "space" in told
        log.say(f"scripts are served; not ready: {told.strip()}")
        ballast.unlink()
        wait_until(lambda: len(load.receipts) > kept + 10 * WRITERS)
        load.finish(60)
        wait_until(server.is_ready)
        log.say(f"there is room, no restart: {len(load.receipts)} acknowledged")
        assert load.strange == []
        exported = audit(server)
    finally:
        server.kill()
    assert {one["event_id"]: one for one in exported} == load.receipts
    assert len(exported) == len(load.receipts)
    log.say(
        f"{len(exported)} exported, once each; the ledger verifies; {len(load.retried)} retried"
    )
    log.keep()
