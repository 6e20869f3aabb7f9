"""Serving: a `consent-server` command that serves, in a process of its own."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_START_SECONDS = 60.0


@dataclass
class Serving:
    """A command that answers at `url`."""

    process: subprocess.Popen[str]
    url: str
    output: Path

    def fetch(self, path: str) -> bytes:
        """Fetch a page; raises URLError."""
        with urllib.request.urlopen(f"{self.url}{path}", timeout=30) as answer:
            content: bytes = answer.read()
        return content

    def said(self) -> str:
        """Return what the command has said so far."""
        return self.output.read_text("utf-8")

    def stop(self, number: signal.Signals) -> int:
        """Send the signal to the command alone and return its exit code."""
        self.process.send_signal(number)
        return self.process.wait(30)

    def is_served(self) -> bool:
        """Tell whether anybody answers."""
        try:
            self.fetch("/healthz")
        except OSError:
            return False
        return True


@contextmanager
def serving(
    *arguments: str, environment: dict[str, str], folder: Path, port: int
) -> Iterator[Serving]:
    """Start the command in `folder` and wait until it is ready."""
    output = folder / f"output-{time.monotonic_ns()}.log"
    command = [sys.executable, "-m", "consent_server", *arguments, "--port", str(port)]
    with output.open("w") as log:
        process = subprocess.Popen(
            command,
            env=environment,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            text=True,
        )
    started = Serving(process, f"http://127.0.0.1:{port}", output)
    try:
        wait_until(lambda: process.poll() is not None or started.is_served())
        assert process.poll() is None, started.said()
        yield started
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(30)


@contextmanager
def held(file: Path) -> Iterator[None]:
    """Hold a SQLite file as another process does that writes: nobody else can."""
    holder = sqlite3.connect(file, isolation_level=None)
    try:
        holder.execute("BEGIN IMMEDIATE")
        yield
    finally:
        holder.close()  # which rolls back


def wait_until(true: Callable[[], bool], seconds: float = _START_SECONDS) -> None:
    """Wait until `true()` says so; fails when it never does."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.02)
