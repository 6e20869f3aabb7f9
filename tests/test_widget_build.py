"""Widget build: what is committed under static/widget is what the sources make."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
WIDGET = ROOT / "widget"
BUILT = ROOT / "static" / "widget"
STALE = "the committed build is stale: run: make widget"

#: What decides the build beside the sources themselves.
RECIPE = {"build.mjs", "compile.mjs", "order.json", "package.json", "tsconfig.json"}
MANIFEST: dict[str, Any] = json.loads((BUILT / "manifest.json").read_text("utf-8"))

#: A name, not an address: nothing is fetched from it.
SVG_NAMESPACE = "http://www.w3.org/2000/svg"

#: A checkout is usable without Node; where the project is checked it must be there.
HAS_NODE = bool(shutil.which("node") and shutil.which("npm"))
IN_CI = os.environ.get("CI", "").lower() in {"1", "true"}


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _run(*command: str | Path) -> str:
    done = subprocess.run(command, check=False, cwd=WIDGET, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


def test_the_build_was_made_from_these_sources() -> None:
    files = [file for ending in ("ts", "css") for file in (WIDGET / "src").rglob(f"*.{ending}")]
    sources = {file.relative_to(WIDGET).as_posix() for file in files}
    now = {name: _sha256(WIDGET / name) for name in sources | RECIPE}
    assert MANIFEST["inputs"] == now, STALE


def test_the_built_files_are_those_of_the_manifest() -> None:
    assert {name: _sha256(BUILT / name) for name in MANIFEST["output"]} == MANIFEST["output"], STALE
    built = {file.name for file in BUILT.iterdir()}
    assert built == {*MANIFEST["output"], "manifest.json"}


def test_the_build_asks_nobody_else() -> None:
    core = (BUILT / "core.js").read_text("utf-8")
    addresses = ("http://", "https://", "sourceMappingURL", "eval(", "new Function(")
    assert not [address for address in addresses if address in core.replace(SVG_NAMESPACE, "")]


if HAS_NODE or IN_CI:

    @pytest.fixture(scope="module")
    def node_modules() -> None:
        """Install the locked tools where nobody has yet, or others are locked now."""
        assert HAS_NODE, "node and npm are needed where the project is checked"
        installed, locked = WIDGET / "node_modules/.package-lock.json", WIDGET / "package-lock.json"
        if not installed.exists() or installed.stat().st_mtime < locked.stat().st_mtime:
            _run("npm", "ci")

    def test_a_rebuild_gives_the_same_bytes(node_modules: None, tmp_path: Path) -> None:
        _run("node", "build.mjs", tmp_path)
        for name in (*MANIFEST["output"], "manifest.json"):
            assert (tmp_path / name).read_bytes() == (BUILT / name).read_bytes(), STALE

    def test_the_sources_have_no_type_error(node_modules: None) -> None:
        _run("npm", "run", "--silent", "check")
