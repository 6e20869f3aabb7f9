"""Jobs: what the server does by itself, each in a thread of its own, for as long as it serves."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from consent_server.cli.deliveries import Deliverer, forget_old
from consent_server.cli.keeping import Keeper
from consent_server.cli.logs import describe_exception
from consent_server.cli.opening import now
from consent_server.cli.pushes import Pusher
from consent_server.cli.upkeep import Scrubber, run_retention
from consent_server.config import Settings, key_folder
from consent_server.errors import ConsentError
from consent_server.metrics import Family, Metrics, Sample
from consent_server.sealing import Sealed, seal_waiting
from consent_server.signing import open_signer
from consent_server.store.database import Database
from consent_server.targets import parse_targets

#: Between the first runs of two jobs. Together each would open a connection, and keep it.
_APART_SECONDS = 0.2
#: A checkpoint is at most a second behind, the time of sealing itself included.
_SEAL_SECONDS = 0.5
#: Often enough that little evidence is missing outside, seldom enough to keep it all.
_PUSH_SECONDS = 60.0
#: A withdrawal must not wait.
_WEBHOOK_SECONDS = 1.0
#: It is done once; what failed is tried again.
_KEEP_SECONDS = 60.0
_HOUR_SECONDS = 3_600.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """Something to do again and again."""

    name: str
    #: From the end of one run to the beginning of the next.
    every_seconds: float
    run: Callable[[], object]

    @property
    def kind(self) -> str:
        """Return the name without the place: addresses may hold secrets."""
        return self.name.partition(" to ")[0]


def jobs_of(settings: Settings, database: Database, metrics: Metrics | None = None) -> list[Job]:
    """Return what a server of these settings does by itself; `metrics` counts what it did."""
    metrics = metrics or Metrics()
    folder = key_folder(settings)
    pushers = [Pusher(database, one) for one in parse_targets(settings.checkpoint_targets)]
    metrics.add_source(lambda: [_failing(pushers)])
    scrubber = Scrubber(database)
    told: dict[int, str] = {}
    return [
        Job("sealing", _SEAL_SECONDS, lambda: _seal(database, folder, metrics, told)),
        Job("webhooks", _WEBHOOK_SECONDS, Deliverer(database, folder, scrubber.mark).run),
        Job("old deliveries and links", _HOUR_SECONDS, lambda: forget_old(database, scrubber.mark)),
        Job("retention", _HOUR_SECONDS, lambda: run_retention(database, scrubber.mark)),
        Job("scrubbing", _HOUR_SECONDS, scrubber.run),
        Job("keeping scripts", _KEEP_SECONDS, Keeper(database).run),
        *(
            Job(f"pushing to {pusher.target.address}", _PUSH_SECONDS, pusher.run)
            for pusher in pushers
        ),
    ]


def _seal(database: Database, folder: Path, metrics: Metrics, told: dict[int, str]) -> list[Sealed]:
    # Keys are read anew each time: a command may have made a new one.
    done = seal_waiting(database, open_signer(folder, now=now()), now=now(), told=told)
    metrics.checkpoints.add(amount=len(done))
    metrics.sealed.add(amount=sum(one.added for one in done))
    return done


def _failing(pushers: Iterable[Pusher]) -> Family:
    # Of one kind and host there may be several places; two samples of one name cannot be read.
    by_label: dict[str, frozenset[str]] = {}
    for one in pushers:
        by_label[one.label] = by_label.get(one.label, frozenset()) | one.failing
    samples = [Sample("", {"target": label}, len(sites)) for label, sites in by_label.items()]
    told = "Sites whose checkpoint a place outside did not take when it was last offered."
    return Family("consent_push_failing_sites", "gauge", told, samples)


def start_jobs(jobs: Iterable[Job], metrics: Metrics | None = None) -> None:
    """Start each job in a thread that ends with the process.

    A run that is cut off leaves its transaction undone, and the next one begins it anew.
    """
    metrics = metrics or Metrics()
    for place, job in enumerate(jobs):
        threading.Thread(
            target=_repeat,
            args=(job, metrics, place * _APART_SECONDS),
            name=job.name,
            daemon=True,
        ).start()


def _repeat(job: Job, metrics: Metrics, begins_after: float) -> None:
    pause = threading.Event()
    pause.wait(begins_after)
    failed = ""
    while True:
        try:
            job.run()
            failed = ""
            metrics.count_run(job.kind, good=True, now=time.time())
        except Exception as error:
            said = _said(error)
            # The database may be away for hours: one line tells it, not one each second.
            if said != failed:
                log.error("%s failed and is tried again: %s", job.name, said)
            failed = said
            metrics.count_run(job.kind, good=False, now=time.time())
        pause.wait(job.every_seconds)


def _said(error: Exception) -> str:
    """Return our own words, and of other people's errors what may stand in a log."""
    return error.detail if isinstance(error, ConsentError) else describe_exception(error)[-1]
