"""Writers: clients that send each decision until it is acknowledged, and keep what they heard."""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any
from uuid import uuid4

from consent_server.cli.opening import now
from consent_server.rules.times import spell_time

_RETRY_SECONDS = 0.2


@dataclass
class Load:
    """Many writers at one address; each decision is a new visitor's."""

    port: int
    template: dict[str, Any]
    writers: int
    #: Between the answer to one decision and the next, in seconds, of each writer.
    pause: float = 0.0
    #: Each writer stops by itself after so many.
    decisions: int | None = None
    #: Receipts by the id of their decision.
    receipts: dict[str, dict[str, Any]] = field(default_factory=dict)
    #: When each was acknowledged (monotonic seconds), and how long its last attempt took.
    acknowledged: list[tuple[float, float]] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)
    #: Answers that no client should ever see.
    strange: list[str] = field(default_factory=list)
    #: Ids that were sent more than once.
    retried: set[str] = field(default_factory=set)
    #: The render proof that the last refusal brought.
    proof: str = ""
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self) -> None:
        """Let every writer begin."""
        self._threads = [
            threading.Thread(target=self._run, daemon=True) for _ in range(self.writers)
        ]
        for thread in self._threads:
            thread.start()

    def finish(self, seconds: float) -> None:
        """Let nobody begin another; wait until the last was acknowledged."""
        self._stop.set()
        self.wait(seconds)

    def wait(self, seconds: float) -> None:
        """Wait until every writer has ended; fails when one never gets its answer."""
        deadline = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
            assert not thread.is_alive(), "a writer never got its answer"

    def latest(self) -> float:
        """Return when the last decision was acknowledged; 0 before the first."""
        return self.acknowledged[-1][0] if self.acknowledged else 0.0

    def longest_gap(self, since: float, until: float) -> float:
        """Return the longest time in which nothing was acknowledged, in seconds."""
        moments = [at for at, _ in self.acknowledged if since <= at <= until]
        edges = [since, *sorted(moments), until]
        return max(after - before for before, after in pairwise(edges))

    def percentile(self, part: float) -> float:
        """Return how long that part of the acknowledged attempts took at most, in seconds."""
        took = sorted(one for _, one in self.acknowledged)
        return took[min(len(took) - 1, int(len(took) * part))]

    def _run(self) -> None:
        connection = _connect(self.port)
        done = 0
        while not self._stop.is_set() and done != self.decisions:
            decision = {
                **self.template,
                "decision_id": str(uuid4()),
                "subject_id": f"{random.getrandbits(128):032x}",
                "decided_at": spell_time(now()),
            }
            connection = self._bring(connection, decision)
            done += 1
            if self.pause:
                time.sleep(random.uniform(0, 2 * self.pause))
        connection.close()

    def _bring(
        self, connection: http.client.HTTPConnection, decision: dict[str, Any]
    ) -> http.client.HTTPConnection:
        """Send a decision until it is acknowledged; return the connection to go on with."""
        while True:
            began = time.monotonic()
            try:
                answer, body = post_decision(connection, decision, self.proof)
            except (OSError, http.client.HTTPException):
                self.answers["cut off"] += 1
                connection.close()
                connection = _connect(self.port)
            else:
                if answer.status == 403 and "proof" in json.loads(body):
                    self.proof = json.loads(body)["proof"]  # as the widget does
                    continue
                self.answers[str(answer.status)] += 1
                if answer.status in {200, 201}:
                    self.receipts[decision["decision_id"]] = json.loads(body)
                    self.acknowledged.append((time.monotonic(), time.monotonic() - began))
                    return connection
                if answer.status not in {503, 507} or not answer.headers["Retry-After"]:
                    self.strange.append(f"{answer.status} {body[:200]!r}")
            self.retried.add(decision["decision_id"])
            time.sleep(_RETRY_SECONDS)


def post_decision(
    connection: http.client.HTTPConnection, decision: dict[str, Any], proof: str
) -> tuple[http.client.HTTPResponse, bytes]:
    """Send a decision to the Smilee site once; return the answer and its body."""
    headers = {"Content-Type": "application/json"}
    path = f"/w/smilee/decisions?proof={proof}"
    connection.request("POST", path, json.dumps(decision), headers)
    answer = connection.getresponse()
    return answer, answer.read()


def _connect(port: int) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", port, timeout=30)
