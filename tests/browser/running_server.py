"""Running server: the real product in a process of its own, for the browsers to talk to."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from click.testing import CliRunner

from consent_server.cli import main

START_SECONDS = 40.0
#: Settings of a server whose budgets bound nothing: all that is sent to it may be recorded.
UNLIMITED = {
    "CONSENT_DECISIONS_PER_MINUTE": "100000000",
    "CONSENT_SITE_DECISIONS_PER_MINUTE": "100000000",
}


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@dataclass
class RunningServer:
    """One `consent-server demo` on a free port with a data folder that outlives restarts."""

    data_dir: Path
    port: int = field(default_factory=_free_port)
    #: Another environment's interpreter, to run what is installed there.
    python: str = sys.executable
    #: Further CONSENT_* variables.
    settings: dict[str, str] = field(default_factory=dict)
    _process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Base address, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log_file(self) -> Path:
        """What the process wrote: shown when it does not come up."""
        return self.data_dir / "server.log"

    @property
    def environment(self) -> dict[str, str]:
        """Environment of the server and of the commands that read its database."""
        database = self.data_dir / "consent.sqlite"
        return {
            **os.environ,
            "CONSENT_DATABASE_URL": f"sqlite:///{database}",
            **self.settings,
        }

    def start(self) -> None:
        """Start and wait until the server says that it is ready."""
        command = [self.python, "-m", "consent_server", "demo"]
        command += ["--host", "127.0.0.1", "--port", str(self.port), "--data", str(self.data_dir)]
        with self.log_file.open("ab") as log:
            # A session of its own: kill() then reaches the workers as well.
            self._process = subprocess.Popen(
                command,
                env=self.environment,
                cwd=self.data_dir,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_SECONDS
        while not self.is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"server did not start:\n{self.log_file.read_text()[-4000:]}")
            time.sleep(0.1)

    def kill(self) -> None:
        """End the server as a crash does: SIGKILL, no word to anyone."""
        self._signal(signal.SIGKILL)

    def stop(self) -> None:
        """End the server as an operator does."""
        self._signal(signal.SIGTERM)

    def restart(self) -> None:
        """Kill and start again on the same port and data."""
        self.kill()
        self.start()

    def run_command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a `consent-server` command against the same database."""
        command = [self.python, "-m", "consent_server", *arguments]
        done = subprocess.run(
            command,
            check=False,
            env=self.environment,
            cwd=self.data_dir,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"{arguments}: {done.stdout}\n{done.stderr}"
        return done

    def publish(self, file: Path) -> None:
        """Publish a site file by its command, in this process: another costs a second to start."""
        runner = CliRunner(env=self.environment)
        done = runner.invoke(main, ["site", "apply", "--yes", str(file)])
        assert done.exit_code == 0, f"{file}: {done.output}"
        for number, key in re.findall(r"^Published version (\d+) of (.+)\.$", done.output, re.M):
            if number != "1" and self._process is not None:
                self._await_version(key, number)

    def _await_version(self, key: str, number: str) -> None:
        """A server looks once a second for what another process has published."""
        path = self.environment.get("CONSENT_WIDGET_PATH", "/w")
        deadline = time.monotonic() + START_SECONDS
        while not re.search(rf'"version":{number}\b', self._read(f"{path}/{key}.js")):
            assert time.monotonic() < deadline, f"version {number} of {key} is not served"
            time.sleep(0.05)

    def _read(self, path: str) -> str:
        with urllib.request.urlopen(f"{self.url}{path}", timeout=START_SECONDS) as answer:
            return str(answer.read(), "utf-8")

    def export(self, format: str, site: str) -> str:  # noqa: A002 (the option's own name)
        """The site's ledger as an auditor takes it, jsonl or csv."""
        file = self.data_dir / f"export-{time.monotonic_ns()}.{format}"
        self.run_command("audit", "export", "--site", site, "--format", format, "-o", str(file))
        return file.read_text(encoding="utf-8-sig")

    def processes(self) -> list[int]:
        """Return the server's process and its workers."""
        assert self._process is not None
        found = [self._process.pid]
        for process in found:
            for task in Path(f"/proc/{process}/task").iterdir():
                found += map(int, (task / "children").read_text("utf-8").split())
        return found

    def is_ready(self) -> bool:
        """Tell whether the server can record and seal."""
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=10) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def _signal(self, number: int) -> None:
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(10)
        self._process = None
