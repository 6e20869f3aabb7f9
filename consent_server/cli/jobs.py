"""Jobs: what the server does by itself, each in a thread of its own, for as long as it serves."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from consent_server.cli.opening import now
from consent_server.cli.pushes import Pusher
from consent_server.cli.upkeep import Scrubber, run_retention
from consent_server.config import Settings, key_folder
from consent_server.sealing import seal_waiting
from consent_server.signing import open_signer
from consent_server.store.database import Database
from consent_server.targets import parse_targets

#: A checkpoint is at most a second behind, the time of sealing itself included.
_SEAL_SECONDS = 0.5
#: Often enough that little evidence is missing outside, seldom enough to keep it all.
_PUSH_SECONDS = 60.0
_HOUR_SECONDS = 3_600.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """Something to do again and again."""

    name: str
    #: From the end of one run to the beginning of the next.
    every_seconds: float
    run: Callable[[], object]


def jobs_of(settings: Settings, database: Database) -> list[Job]:
    """Return what a server of these settings does by itself."""
    folder = key_folder(settings)
    # Keys are read anew each time: a command may have made a new one.
    return [
        Job(
            "sealing",
            _SEAL_SECONDS,
            lambda: seal_waiting(database, open_signer(folder, now=now()), now=now()),
        ),
        Job("retention", _HOUR_SECONDS, lambda: run_retention(database)),
        Job("scrubbing", _HOUR_SECONDS, Scrubber(database).run),
        *(
            Job(f"pushing to {target.address}", _PUSH_SECONDS, Pusher(database, target).run)
            for target in parse_targets(settings.checkpoint_targets)
        ),
    ]


def start_jobs(jobs: Iterable[Job]) -> None:
    """Start each job in a thread that ends with the process.

    A run that is cut off leaves its transaction undone, and the next one begins it anew.
    """
    for job in jobs:
        threading.Thread(target=_repeat, args=(job,), name=job.name, daemon=True).start()


def _repeat(job: Job) -> None:
    pause = threading.Event()
    failed = ""
    while True:
        try:
            job.run()
            failed = ""
        except Exception as error:
            # The database may be away for hours: one line tells it, not one each second.
            if str(error) != failed:
                log.error("%s failed and is tried again: %s", job.name, error)
            failed = str(error)
        pause.wait(job.every_seconds)
