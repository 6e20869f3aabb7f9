"""Deployment: the files that ship for web servers, systemd and containers do what they say."""

from __future__ import annotations

import configparser
import http.client
import json
import re
import shlex
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any
from uuid import uuid4

import click
import pytest

from consent_server.cli import main, serving
from consent_server.cli.opening import now
from consent_server.config import Settings
from consent_server.errors import TooManyRequests
from consent_server.rules.times import spell_time
from tests.browser.running_server import RunningServer
from tests.cli.conftest import environment
from tests.cli.nginx import BEHIND_A_PROXY, NOT_CHANGED, shipped_nginx
from tests.cli.serving import serving as running
from tests.cli.serving import wait_until
from tests.cli.test_killed import read_template
from tests.cli.test_run import free_port
from tests.documentation import ROOT
from tests.visitor import read_proof

DEPLOY = ROOT / "deploy"
CONTEXT = click.Context(main)
#: The budget of one address, in a minute.
BUDGET = 3

__all__ = ["environment"]


class Front:
    """A web server in front of a real one."""

    def __init__(self, port: int, template: dict[str, Any]) -> None:
        self.port = port
        self._template = template

    def ask(
        self, method: str, path: str, body: bytes = b"", **headers: str
    ) -> tuple[int, bytes, http.client.HTTPMessage]:
        """Return status, body and headers."""
        opened = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        sent = {"Host": "www.example.com", "Content-Type": "application/json", **headers}
        opened.request(method, path, body or None, sent)
        answer = opened.getresponse()
        found = answer.status, answer.read(), answer.headers
        opened.close()
        return found

    def decide(self, **headers: str) -> int:
        """Send a decision of a new visitor."""
        decision = {
            **self._template,
            "decision_id": str(uuid4()),
            "subject_id": uuid4().hex,
            "decided_at": spell_time(now()),
        }
        proof = read_proof(self.ask("GET", "/w/smilee.js")[2])
        path = f"/w/smilee/decisions?proof={proof}"
        return self.ask("POST", path, json.dumps(decision).encode(), **headers)[0]


@contextmanager
def _caddy(server: str, folder: Path) -> Iterator[int]:
    port = free_port()
    text = (DEPLOY / "Caddyfile").read_text("utf-8")
    for written, real in (
        ("www.example.com {", f"http://:{port} {{"),
        ("127.0.0.1:8000", server),
        ("\tservers {", "\tadmin off\n\tservers {"),
        ("reverse_proxy 127.0.0.1:3000", "respond 404"),
    ):
        assert written in text
        text = text.replace(written, real)
    (folder / "Caddyfile").write_text(text, "utf-8")
    command = ["caddy", "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]
    with (folder / "caddy.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
    try:
        wait_until(lambda: process.poll() is not None or _listens(port))
        assert process.poll() is None, (folder / "caddy.log").read_text("utf-8")
        yield port
    finally:
        process.terminate()
        process.wait(30)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(params=["nginx", "caddy"])
def front(
    request: pytest.FixtureRequest, environment: dict[str, str], tmp_path: Path
) -> Iterator[Front]:
    environment |= {
        "CONSENT_TRUSTED_PROXIES": "1",
        "CONSENT_DECISIONS_PER_MINUTE": str(BUDGET),
        "CONSENT_METRICS_TOKEN": "m" * 32,
    }
    port = free_port()
    with running("run", environment=environment, folder=tmp_path, port=port) as server:
        template = read_template(RunningServer(tmp_path, port=port))
        address = server.url.removeprefix("http://")
        before = shipped_nginx(address) if request.param == "nginx" else _caddy(address, tmp_path)
        with before as found:
            yield Front(found, template)


def test_script_and_decisions_pass_and_nothing_else_does(front: Front) -> None:
    status, body, headers = front.ask("GET", "/w/smilee.js", b"", **{"Accept-Encoding": "br"})
    assert (status, headers["Content-Encoding"]) == (200, "br")
    assert body
    assert front.ask("GET", "/w/smilee/versions/1")[0] == 200
    for path in ("/", "/metrics", "/readyz", "/healthz", "/api/v1/sites", "/openapi.json"):
        assert front.ask("GET", path, Authorization=f"Bearer {'m' * 32}")[0] == 404, path


def test_a_visitor_cannot_invent_an_address_and_with_it_another_budget(front: Front) -> None:
    sent = [front.decide(**{"X-Forwarded-For": f"198.51.100.{n}"}) for n in range(BUDGET + 1)]
    assert sent == [201] * BUDGET + [429]


@contextmanager
def _behind_nginx(
    environment: dict[str, str], folder: Path, limit: int, changes: Mapping[str, str] = NOT_CHANGED
) -> Iterator[Front]:
    """Run nginx, changed so, before a server that lets one address send `limit` in a minute."""
    environment |= {"CONSENT_TRUSTED_PROXIES": "1", "CONSENT_DECISIONS_PER_MINUTE": str(limit)}
    with running("run", environment=environment, folder=folder, port=free_port()) as server:
        address = server.url.removeprefix("http://")
        template = read_template(RunningServer(folder, port=int(address.rpartition(":")[2])))
        with shipped_nginx(address, changes=changes) as port:
            yield Front(port, template)


def test_nginx_refuses_a_flood_as_the_server_would_and_lets_scripts_pass(
    environment: dict[str, str], tmp_path: Path
) -> None:
    # The server takes many more from one address: it is nginx who refuses.
    with _behind_nginx(environment, tmp_path, 1_000) as front:
        assert {front.decide() for _ in range(60)} == {201}
        origin = {"Origin": "https://www.smilee.example"}
        # One a second comes back meanwhile.
        answers = (front.ask("POST", "/w/smilee/decisions", b"{}", **origin) for _ in range(300))
        status, body, headers = next(one for one in answers if one[0] == 429)
        problem = json.loads(body)
        assert problem["type"] == f"urn:consent-server:problem:{TooManyRequests.code}"
        assert (problem["status"], problem["title"]) == (status, TooManyRequests.title)
        assert headers["Content-Type"] == "application/problem+json"
        assert headers["Retry-After"] == "60"
        assert headers["Access-Control-Allow-Origin"] == origin["Origin"]
        assert headers["Access-Control-Expose-Headers"] == "Retry-After"
        assert front.ask("GET", "/w/smilee.js")[0] == 200


def test_behind_another_proxy_each_visitor_has_a_budget_of_their_own(
    environment: dict[str, str], tmp_path: Path
) -> None:
    with _behind_nginx(environment, tmp_path, 1, BEHIND_A_PROXY) as front:
        hosts = [1, 1, 2, 3]
        sent = [front.decide(**{"X-Forwarded-For": f"198.51.100.{n}"}) for n in hosts]
        assert sent == [201, 429, 201, 201]


def test_large_bodies_are_refused_and_slow_ones_cut_off(front: Front) -> None:
    # Caddy before 2.7 says 502 where its own limit ends a body on its way.
    assert front.ask("POST", "/w/smilee/decisions", b"x" * 17 * 1024)[0] in {413, 502}
    with socket.create_connection(("127.0.0.1", front.port), timeout=30) as slow:
        slow.sendall(
            b"POST /w/smilee/decisions HTTP/1.1\r\nHost: www.example.com\r\n"
            b"Content-Type: application/json\r\nContent-Length: 5000\r\n\r\n{"
        )
        began = time.monotonic()
        try:
            answer = slow.recv(1000)
        except ConnectionResetError:
            answer = b""
        assert time.monotonic() - began < 20
        # nginx closes without a word; Caddy may say 200, with no receipt in it.
        assert b"event_id" not in answer
    assert front.decide() == 201


def _unit() -> configparser.ConfigParser:
    unit = configparser.ConfigParser(strict=False, interpolation=None, comment_prefixes="#")
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(DEPLOY / "consent-server.service", encoding="utf-8")
    return unit


def test_the_service_runs_a_command_that_exists_and_waits_until_it_has_ended() -> None:
    service = _unit()["Service"]
    program, command = shlex.split(service["ExecStart"])
    assert (program, command in main.list_commands(CONTEXT)) == (
        "/opt/consent/bin/consent-server",
        True,
    )
    assert int(service["TimeoutStopSec"]) > serving._STOP_SECONDS > serving._DRAIN_SECONDS
    assert service["StateDirectory"] in service["WorkingDirectory"]


def test_the_service_may_do_little() -> None:
    service = _unit()["Service"]
    assert service["User"] == "consent"
    assert service["CapabilityBoundingSet"] == ""
    for name in ("NoNewPrivileges", "PrivateTmp", "ProtectHome", "MemoryDenyWriteExecute"):
        assert service[name] == "yes"
    assert service["ProtectSystem"] == "strict"
    analyze = shutil.which("systemd-analyze")
    if analyze:
        done = subprocess.run(
            [
                analyze,
                "security",
                "--offline=true",
                "--threshold=15",
                "--no-pager",
                str(DEPLOY / "consent-server.service"),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-300:] + done.stderr


def test_the_image_is_built_from_all_that_the_wheel_needs_and_nothing_else() -> None:
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    kept = {line.removeprefix("!") for line in lines if line.startswith("!")}
    assert "*" in lines
    assert kept == {
        *("consent_server", "static", "translations", "pyproject.toml", "hatch_build.py"),
        *("README.md", "LICENSE", "NOTICE"),
    }


def test_the_image_runs_as_nobody_in_particular_and_says_whether_it_is_well() -> None:
    text = (ROOT / "Dockerfile").read_text("utf-8")
    *_, last = re.split(r"^FROM ", text, flags=re.M)
    assert re.search(r"^USER 10001$", last, re.M)
    assert "/readyz" in last
    assert json.loads(re.findall(r"^ENTRYPOINT (.+)$", last, re.M)[0]) == ["consent-server"]
    assert json.loads(re.findall(r"^CMD (.+)$", last, re.M)[0])[0] in main.list_commands(CONTEXT)
    assert all(
        ":latest" not in line and ":" in line for line in re.findall(r"^FROM (.+)$", text, re.M)
    )


def test_every_setting_that_a_file_sets_exists() -> None:
    known = {f"CONSENT_{one.name.upper()}" for one in fields(Settings)}
    shipped = [file for file in DEPLOY.rglob("*") if file.is_file()]
    files = [*shipped, ROOT / "Dockerfile", ROOT / "compose.yaml"]
    told = {
        name for file in files for name in re.findall(r"CONSENT_[A-Z_]+", file.read_text("utf-8"))
    }
    assert told
    assert told <= known


def test_whoever_sets_a_webhook_is_told_that_the_unit_lets_nothing_out() -> None:
    assert "IPAddressDeny=any" in (DEPLOY / "consent-server.service").read_text("utf-8")
    for page in ("install.md", "own-server.md"):
        assert "IPAddressAllow" in (ROOT / "docs" / page).read_text("utf-8")
