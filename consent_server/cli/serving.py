"""Serving: the production server inside, one worker with blocking threads."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from flask import Flask
from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from consent_server.app import create_app
from consent_server.cli.answering import answer_later
from consent_server.cli.jobs import jobs_of, start_jobs
from consent_server.cli.logs import logging_of
from consent_server.cli.one_process import server_of
from consent_server.config import Settings
from consent_server.errors import ConfigError

#: Longer than any answer but an export takes, shorter than a service manager waits.
_STOP_SECONDS = 8
#: Time for what waits to be written after the signal; the rest is sent away in time.
_DRAIN_SECONDS = 5.0


def find_address(settings: Settings) -> Settings:
    """Return the settings with the numeric address and the port to listen on.

    Port 0 takes a free one. Raises ConfigError when the port is taken: the server
    itself would share it with the other process and answer every other request.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            # A port in TIME_WAIT after a restart is free; one with a listener is not.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            host, port = probe.getsockname()[:2]
    except OSError as error:
        # The demo is what `make run` serves, and make takes no options for it.
        by_make = ", or with make: make run PORT=..." if settings.demo else "."
        raise ConfigError(
            f"Cannot listen on {settings.host}, port {settings.port}: {error.strerror}. "
            f"Choose another with --port or --host{by_make}"
        ) from error
    return replace(settings, host=host, port=port)


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; requests under way are finished first."""
    server = server_of(
        **_options(settings, Interfaces.WSGI),
        blocking_threads=settings.threads,
        websockets=False,
    )
    server.serve(target_loader=partial(load_application, settings), wrap_loader=False)


def serve_asgi(settings: Settings, load: Callable[[], Any]) -> None:
    """Serve an ASGI application that `load` builds in the worker, as `serve` does.

    In a process of its own: an answer without an end, which the application cannot cut off since
    its loop takes the signals, is cut off by the process that watches.
    """
    server = Granian(**_options(settings, Interfaces.ASGINL), websockets=True)
    server.serve(target_loader=load, wrap_loader=False)


def _options(settings: Settings, interface: Interfaces) -> dict[str, Any]:
    return {
        "target": "consent_server",
        "address": settings.host,
        "port": settings.port,
        "interface": interface,
        "workers": 1,
        "workers_kill_timeout": _STOP_SECONDS,
        "log_level": LogLevels.error,
        "log_dictconfig": logging_of(settings),
    }


def load_application(settings: Settings) -> Flask:
    """Build the application in the process that serves it."""
    end_with_parent()
    answer_later()
    app = create_app(settings)
    parts = app.extensions["consent"]
    close_on_signal(parts.writer.close)
    start_jobs(jobs_of(settings, parts.database, parts.metrics), parts.metrics)
    # What is loaded by now stays: no search for what can be freed needs to walk it again.
    gc.collect()
    gc.freeze()
    return app


def close_on_signal(close: Callable[[], None]) -> None:
    """Call `close` a while after this process is told to stop.

    The server has handlers of its own, which let requests under way end; what waits for
    a database that does not answer would be cut off without an answer.
    """
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    # Python writes the number of each signal there, whoever handles it.
    signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)

    def wait() -> None:
        # The other end belongs to this thread: it must live as long as the process.
        with ours, theirs:
            while ours.recv(1)[0] not in {signal.SIGTERM, signal.SIGINT}:
                pass
            time.sleep(_DRAIN_SECONDS)
            close()
            # What still hangs, such as an export that nobody reads, is cut off.
            time.sleep(_STOP_SECONDS - _DRAIN_SECONDS)
            os._exit(0)

    threading.Thread(target=wait, name="drain", daemon=True).start()


def end_with_parent() -> None:
    """Give up the port when the parent was killed: a restart could not have it else."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, name="parent-watch", daemon=True).start()
