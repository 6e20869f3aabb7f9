"""Later: an answer that is given after the call has returned, by whoever has it.

WSGI wants the answer from the call, so that a thread waits for each decision until it is
committed, and has to be woken, which costs more than writing the decision. A server that can
take an answer from any thread puts a `Later` into the request, and may then meet `AnsweredLater`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

Environ = dict[str, Any]
Fields = list[tuple[str, str]]

#: Where the request has its `Later`, if whoever serves it takes one.
LATER: Final = "consent_server.later"


class AnsweredLater(Exception):
    """The call gives no answer: the request's `Later` will."""


class Later:
    """The answer to one request; the first that is given counts."""

    __slots__ = ("_again", "_open", "_send", "told")

    def __init__(
        self, send: Callable[[int, Fields, bytes], Any], again: Callable[[Environ], Any]
    ) -> None:
        """`send` takes status, fields and body in any thread; `again` calls the application."""
        self._send = send
        self._again = again
        #: Told of the status when the answer is given.
        self.told: Callable[[int], None] | None = None
        # Who takes it away answers: two threads cannot.
        self._open = [True]

    def answer(self, status: int, fields: Fields, body: bytes) -> None:
        """Send an answer, unless there was one."""
        if self._close():
            self._send(status, fields, body)
            told, self.told = self.told, None  # it holds the request, which holds this
            if told is not None:
                told(status)

    def ask_again(self, environ: Environ) -> None:
        """Let the application answer in its call, in another thread, unless there was an answer."""
        if self._close():
            self._again({name: value for name, value in environ.items() if name != LATER})

    def _close(self) -> bool:
        try:
            return self._open.pop()
        except IndexError:
            return False
