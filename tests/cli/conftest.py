"""Fixtures of the command line's tests: commands in this process, and in one of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from consent_server.cli import main
from consent_server.config import Settings
from consent_server.demo import site_files

Consent = Callable[..., Result]
Process = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def consent(runner: CliRunner) -> Consent:
    """Runs a command on a database that holds the demo sites; no terminal."""
    return lambda *arguments: runner.invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def environment(settings: Settings) -> dict[str, str]:
    """The environment of commands that run in a process of their own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CONSENT_")}
    return {**kept, "CONSENT_DATABASE_URL": settings.database_url}


@pytest.fixture
def process(environment: dict[str, str], tmp_path: Path) -> Process:
    """Runs a command as a shell does, from another folder."""
    return lambda *arguments: subprocess.run(
        [sys.executable, "-m", "consent_server", *map(str, arguments)],
        check=False,
        env=environment,
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.fixture
def smilee_file(tmp_path: Path) -> Callable[[str, str], Path]:
    """Writes the Smilee site file with one text replaced by another."""
    [original] = [file for file in site_files() if file.stem == "smilee"]

    def write(old: str, new: str) -> Path:
        source = original.read_text("utf-8")
        assert old in source
        file = tmp_path / "site.toml"
        file.write_text(source.replace(old, new), encoding="utf-8")
        return file

    return write
