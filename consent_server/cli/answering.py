"""Answering: how the server inside takes an answer after the call that was made for it.

Its Python half calls the application and hands what comes back to its own half, once, from
whatever thread; nothing there depends on the thread or the time. That half is private to it, so
what is done here is done for the versions that were tested, and by no other: they wait in the call.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Final

import granian
from granian.server import mp

from consent_server.later import LATER, AnsweredLater, Later

_TESTED: Final = "2.8."
_WRAP: Final = "_wsgi_call_wrap"
#: For what cannot be answered from the commit, which are errors.
_AGAIN_THREADS: Final = 4

log = logging.getLogger(__name__)

_Run = Callable[[Any, dict[str, Any]], Any]


def answer_later() -> bool:
    """Let the worker's application answer later; tells whether this version can."""
    wrap = getattr(mp, _WRAP, None)
    if wrap is None or not granian.__version__.startswith(_TESTED):
        log.info("Granian %s: a thread waits for each decision.", granian.__version__)
        return False

    def wrap_with_later(*arguments: Any, **named: Any) -> _Run:
        return with_later(wrap(*arguments, **named))

    setattr(mp, _WRAP, wrap_with_later)
    return True


def with_later(run: _Run) -> _Run:
    """Return `run`, with a `Later` in each request that it is given."""
    pool = ThreadPoolExecutor(_AGAIN_THREADS, "again")

    def call(protocol: Any, scope: dict[str, Any]) -> Any:
        scope[LATER] = Later(
            protocol.response_bytes, lambda environ: pool.submit(run, protocol, environ)
        )
        with suppress(AnsweredLater):
            return run(protocol, scope)

    return call
