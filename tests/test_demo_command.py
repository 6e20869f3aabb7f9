"""The demo command: one command to see everything, the same again after a restart."""

from __future__ import annotations

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from consent_server.cli.demo_sites import publish_demo_sites
from consent_server.cli.opening import prepare_database
from consent_server.config import Settings
from consent_server.demo import site_files
from consent_server.sites import find_site, find_version, list_sites, read_config
from consent_server.store.database import Database
from tests.cli.serving import Serving, serving
from tests.cli.test_run import free_port
from tests.visitor import fetch_proof

SITES = [file.stem for file in site_files()]


@pytest.fixture
def environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("CONSENT_")}


def demo_settings(folder: Path, port: int) -> Settings:
    return Settings(database_url=f"sqlite:///{folder}/consent.sqlite", port=port, demo=True)


def decide(server: Serving, origin: str) -> dict[str, Any]:
    """Refuse everything on Smilee's pages, as the widget does."""
    script = server.fetch("/w/smilee.js").decode()
    config = json.loads(script.rpartition("})(")[2].removesuffix(");"))
    version = json.loads(server.fetch(f"/w/smilee/versions/{config['version']}"))["config"]
    optional = [one for one in version["categories"] if one["key"] != "necessary"]
    grants = {key: False for one in optional for key in (one["key"], *one["services"])}
    decision = {
        "decision_id": str(uuid4()),
        "subject_id": "0123456789abcdef0123456789abcdef",
        "method": "reject_all",
        "layer": "notice",
        "version": config["version"],
        "script": config["script"],
        "language": "sv",
        "grants": grants,
        "decided_at": "2026-11-22T10:00:00.000Z",
    }
    proof = fetch_proof(f"{server.url}/w/smilee")
    request = urllib.request.Request(
        f"{server.url}/w/smilee/decisions?proof={proof}",
        data=json.dumps(decision).encode(),
        headers={"Content-Type": "application/json", "Origin": origin},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.status == 201
        receipt: dict[str, Any] = json.load(answer)
    return receipt


def test_one_command_serves_five_sites_and_says_where_to_look(
    environment: dict[str, str], tmp_path: Path
) -> None:
    port = free_port()
    with serving("demo", environment=environment, folder=tmp_path, port=port) as server:
        assert f"Open {server.url}/ " in server.said()
        assert server.fetch("/")
        for key in SITES:
            assert server.fetch(f"/demo/{key}/")
            assert server.fetch(f"/w/{key}.js")
        for host in ("127.0.0.1", "localhost"):
            receipt = decide(server, f"http://{host}:{port}")
            assert receipt["site"] == "smilee"
        [told] = [line for line in server.said().splitlines() if " audit export " in line]
    setting, _, *arguments = shlex.split(told)
    name, _, value = setting.partition("=")
    command = [sys.executable, "-m", "consent_server", *arguments]
    subprocess.run(command, cwd=tmp_path, env={**environment, name: value}, check=True)
    assert len((tmp_path / "smilee.csv").read_text("utf-8").splitlines()) == 3
    assert (tmp_path / "var" / "demo" / "consent.sqlite").exists()


def test_a_restarted_demo_keeps_its_versions_and_its_record(
    environment: dict[str, str], tmp_path: Path
) -> None:
    port, options = free_port(), ["demo", "--data", "here"]
    with serving(*options, environment=environment, folder=tmp_path, port=port) as server:
        first = decide(server, server.url)
        assert server.stop(signal.SIGTERM) == 0
    with serving(*options, environment=environment, folder=tmp_path, port=port) as server:
        assert "Published" not in server.said()
        assert decide(server, server.url)["version"] == first["version"] == 1


def test_a_taken_port_is_told_for_make_run_too(environment: dict[str, str], tmp_path: Path) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        command = [sys.executable, "-m", "consent_server", "demo", "--port", str(port)]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
    assert done.returncode == 1
    assert done.stderr == (
        f"Error: Cannot listen on 127.0.0.1, port {port}: Address already in use. "
        "Choose another with --port or --host, or with make: make run PORT=...\n"
    )


def test_the_demo_never_touches_the_operators_database(
    environment: dict[str, str], tmp_path: Path
) -> None:
    environment["CONSENT_DATABASE_URL"] = f"sqlite:///{tmp_path}/real.sqlite"
    with serving("demo", environment=environment, folder=tmp_path, port=free_port()) as server:
        assert server.fetch("/demo/smilee/")
    assert not (tmp_path / "real.sqlite").exists()


def test_the_sites_are_published_with_the_origins_they_are_served_on(tmp_path: Path) -> None:
    settings = demo_settings(tmp_path, 18_123)
    prepare_database(settings)
    assert sorted(publish_demo_sites(settings)) == SITES
    assert publish_demo_sites(settings) == []
    database = Database(settings.database_url)
    with database.read() as session:
        for site in list_sites(session):
            version = find_version(session, find_site(session, site.key), 1)
            origins = ["http://127.0.0.1:18123", "http://localhost:18123"]
            assert read_config(version)["origins"] == origins
            assert origins[0] in version.source
            assert ":8000" not in version.source
    database.close()
