"""One process: the server inside serves in the process that was started, without one that watches.

A process that watches one worker costs as much memory as its Python does, and can do nothing for
it: where the worker ends, both end, and what started them (systemd, a container) starts them anew.
The halves of Granian that meet here are private to it: other versions than those that were tested
serve as they do by themselves, in two processes.
"""

from __future__ import annotations

import logging
import signal
from typing import Any, Final

import granian
from granian import Granian
from granian.server import mp

_TESTED: Final = "2.8."

log = logging.getLogger(__name__)


class _Here:
    """A worker that is this process: it is over when its start returns."""

    def __init__(self, server: Any, idx: int, process: Any) -> None:
        self.idx = idx
        self._server = server
        #: Never started: it knows what its process would do.
        self._process = process

    def start(self) -> None:
        # Until it listens for signals itself, one ends it at once: nothing is under way yet.
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        self._process.run()
        self._server.signal_handler_interrupt()

    def is_alive(self) -> bool:
        return False

    def terminate(self) -> None:
        """It has ended."""

    def join(self, timeout: float | None = None) -> None:
        """It has ended."""


class _OneProcess(mp.MPServer):
    def _spawn_worker(self, idx: int, target: Any, callback_loader: Any) -> Any:  # type: ignore[override]
        worker = super()._spawn_worker(idx, target, callback_loader)
        return _Here(self, idx, worker.inner)


def is_tested() -> bool:
    """Tell whether the server inside is of a version whose halves fit here."""
    return granian.__version__.startswith(_TESTED)


def server_of(**options: Any) -> Any:
    """Return Granian with one worker, in one process where its version allows it.

    The application has to see to it that the process ends when requests under way do not.
    """
    if is_tested():
        return _OneProcess(**options)
    log.info("Granian %s: a process of its own watches the server.", granian.__version__)
    return Granian(**options)
