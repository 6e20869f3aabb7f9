"""Bundles: what the owner of a page builds from npm packages, built once for all tests."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WIDGET = ROOT / "widget"
#: Folders of this kind: package.json, package-lock.json, bundle.mjs and src.
FOLDERS = (Path(__file__).parent / "vendors", Path(__file__).parent / "frontends")


def require_node() -> None:
    """Skip where there is no Node to bundle with; fail where the project is checked."""
    if shutil.which("node") and shutil.which("npm"):
        return
    if os.environ.get("CI", "").lower() in {"1", "true"}:
        pytest.fail("node and npm are needed where the project is checked")
    pytest.skip("node and npm are needed to bundle what this test runs")


def install_packages(folder: Path) -> None:
    """Install the locked packages of a folder where nobody has yet, or others are locked now."""
    installed, locked = folder / "node_modules/.package-lock.json", folder / "package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < locked.stat().st_mtime:
        _run(folder, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")


def built_bundles(folder: Path) -> Path:
    """Where the bundles of a folder lie, built when its sources or its packages changed."""
    digest = hashlib.sha256()
    sources = [file for file in (folder / "src").rglob("*") if file.is_file()]
    recipe = [folder / "bundle.mjs", folder / "package-lock.json"]
    for file in sorted([*sources, *recipe]):
        digest.update(file.relative_to(folder).as_posix().encode() + b"\0" + file.read_bytes())
    built = folder / "build" / digest.hexdigest()[:16]
    if built.exists():
        return built
    built.parent.mkdir(exist_ok=True)
    # Several test processes may want them at the same time.
    with (built.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not built.exists():
            _build(folder, built)
    return built


def _build(folder: Path, built: Path) -> None:
    for older in built.parent.iterdir():
        if older.is_dir():
            shutil.rmtree(older)
    install_packages(WIDGET)  # the bundler is the widget's own
    install_packages(folder)
    unfinished = built.with_suffix(".unfinished")
    _run(folder, "node", "bundle.mjs", str(unfinished))
    unfinished.rename(built)


def _run(folder: Path, *command: str) -> None:
    done = subprocess.run(command, check=False, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
