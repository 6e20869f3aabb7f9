"""Packaging: what is installed elsewhere serves what the checkout serves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from consent_server.demo import site_files
from consent_server.languages import DOMAINS, LANGUAGES, SOURCE_LANGUAGE
from consent_server.paths import asset_dir
from tests.browser.running_server import RunningServer

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "consent_server"


def _run(*command: str | Path, folder: Path) -> str:
    # The checkout must not be found by accident.
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    done = subprocess.run(
        command, check=False, cwd=folder, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


def _sources(folder: Path, pattern: str = "**/*") -> set[str]:
    """Return the files below `folder` that belong to the product, relative to its parent."""
    return {
        file.relative_to(folder.parent).as_posix()
        for file in folder.glob(pattern)
        if file.is_file() and not {"__pycache__", "build", "node_modules"}.intersection(file.parts)
    }


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist and the wheel that was built from it."""
    folder = tmp_path_factory.mktemp("dist")
    _run(sys.executable, "-m", "build", "--outdir", folder, ROOT, folder=folder)
    return folder


@pytest.fixture(scope="module")
def wheel(distributions: Path) -> Path:
    (file,) = distributions.glob("*.whl")
    return file


@pytest.fixture(scope="module")
def fresh_python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a new environment that holds the wheel and what it asks for."""
    folder = tmp_path_factory.mktemp("elsewhere")
    _run(sys.executable, "-m", "venv", folder / "venv", folder=folder)
    python = folder / "venv" / "bin" / "python"
    pip = (python, "-m", "pip", "--disable-pip-version-check")
    _run(*pip, "install", "--quiet", wheel, folder=folder)
    _run(*pip, "check", folder=folder)
    return python


@pytest.fixture(scope="module")
def installed(
    fresh_python: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningServer]:
    """The demo, run from the new environment in a folder of its own."""
    server = RunningServer(tmp_path_factory.mktemp("served"), python=str(fresh_python))
    server.start()
    yield server
    server.stop()


def _fetch(server: RunningServer, path: str, accept: str = "*/*") -> str:
    request = urllib.request.Request(f"{server.url}{path}", headers={"Accept": accept})
    with urllib.request.urlopen(request, timeout=10) as answer:
        body: bytes = answer.read()
    return body.decode()


def test_the_wheel_holds_everything_that_is_not_python(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    expected = _sources(PACKAGE) | {f"consent_server/{name}" for name in _sources(ROOT / "static")}
    expected |= {
        f"consent_server/translations/{language}/LC_MESSAGES/{domain}.mo"
        for language in LANGUAGES
        for domain in DOMAINS
        if language != SOURCE_LANGUAGE
    }
    assert expected <= names
    assert "consent_server/py.typed" in names
    licences = {name.rpartition("/")[2] for name in names if ".dist-info/licenses/" in name}
    assert licences == {"LICENSE", "NOTICE"}


def test_the_wheel_holds_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    strangers = [n for n in names if not n.startswith(("consent_server/", "consent_server-"))]
    assert not strangers
    assert not [n for n in names if n.endswith((".po", ".pot", ".pyc", ".ts", ".sqlite"))]


def test_the_sdist_holds_what_a_rebuild_and_the_tests_need(distributions: Path) -> None:
    (file,) = distributions.glob("*.tar.gz")
    with tarfile.open(file) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {
        "README.md",
        "LICENSE",
        "NOTICE",
        "Makefile",
        "babel.cfg",
        "babel-catalogue.cfg",
        "hatch_build.py",
        "pyproject.toml",
    } <= names
    for folder in ("static", "translations", "tests", "widget/src"):
        wanted = {n for n in _sources(ROOT / folder) if not n.endswith(".mo")}
        prefix = f"{folder.rpartition('/')[0]}/".lstrip("/")
        assert {prefix + name for name in wanted} <= names
    assert not [n for n in names if "node_modules" in n or n.endswith(".mo")]


def test_the_installed_command_serves_the_script_in_every_language(
    installed: RunningServer,
) -> None:
    script = _fetch(installed, "/w/smilee.js")
    assert script.startswith("(function(SITE_CONFIG){")
    for text in ("Hyväksy kaikki", "Godkänn alla", "Accept all"):
        assert text in script


def test_the_installed_command_serves_the_same_core(installed: RunningServer) -> None:
    core = (ROOT / "static" / "widget" / "core.js").read_text("utf-8")
    before, _, rest = core.partition("/*parts*/")
    _, _, after = rest.partition("/**/")
    script = _fetch(installed, "/w/smilee.js")
    assert before in script
    assert after in script


@pytest.mark.parametrize(
    ("language", "heading"), [("fi", "Rekisterinpitäjä"), ("sv", "Personuppgiftsansvarig")]
)
def test_an_installed_page_speaks_the_language(
    installed: RunningServer, language: str, heading: str
) -> None:
    page = _fetch(installed, f"/w/smilee/versions/1?language={language}", accept="text/html")
    assert f'<html lang="{language}"' in page
    assert heading in page


def test_the_installed_demo_has_every_site_and_its_looks(installed: RunningServer) -> None:
    for key in (path.stem for path in site_files()):
        assert "<html" in _fetch(installed, f"/demo/{key}/")
    assert _fetch(installed, "/pages/page.css")


def test_the_installed_package_runs_from_its_own_folder(fresh_python: Path, tmp_path: Path) -> None:
    said = _run(
        fresh_python,
        "-c",
        "import json, consent_server; from consent_server.paths import asset_dir;"
        "print(json.dumps([consent_server.__file__,"
        " str(asset_dir('static')), str(asset_dir('translations'))]))",
        folder=tmp_path,
    )
    for place in json.loads(said):
        assert Path(place).is_relative_to(fresh_python.parents[1])


def test_a_checkout_serves_its_own_files_and_no_copy() -> None:
    for name in ("static", "translations"):
        assert not (PACKAGE / name).exists(), f"a stale copy: remove consent_server/{name}"
    assert asset_dir("static") == ROOT / "static"
    assert asset_dir("translations") == ROOT / "translations"
