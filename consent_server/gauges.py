"""Gauges: how a server is doing at the moment when somebody reads its metrics."""

from __future__ import annotations

import os
import platform
import resource
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from consent_server import __version__
from consent_server.errors import ConsentError
from consent_server.metrics import Family, Sample, gauge
from consent_server.readiness import Readiness
from consent_server.store.database import Database
from consent_server.store.models import LedgerQueue
from consent_server.store.outside_models import WebhookDelivery
from consent_server.store.writer import GroupWriter

_STATUS = Path("/proc/self/statm")
_DESCRIPTORS = Path("/proc/self/fd")
_STARTED = time.time()


def writer_gauges(writer: GroupWriter[Any, Any]) -> Iterator[Family]:
    """Give what waits for its commit."""
    yield gauge("consent_writer_waiting", "Decisions that wait for their turn.", writer.waiting)
    yield gauge(
        "consent_writer_busy_seconds",
        "For how long the commit under way has been going on.",
        writer.busy_seconds(),
    )


def health_gauges(
    readiness: Readiness, database: Database, now: Callable[[], datetime]
) -> Iterator[Family]:
    """Give what /readyz looks at, and what waits to be sealed while the database answers."""
    findings = readiness.findings()
    yield Family(
        "consent_ready",
        "gauge",
        "1 where a look of /readyz is right, 0 where it is not.",
        [Sample("", {"check": one.name}, float(one.good)) for one in findings],
    )
    if not all(one.good for one in findings if one.name in {"database", "writing"}):
        # Whoever reads shall have the rest at once.
        return
    try:
        with database.read() as session:
            count, oldest = session.execute(
                select(func.count(), func.min(LedgerQueue.received_at))
            ).one()
            # Without a time they were given up.
            waiting = session.scalar(
                select(func.count(WebhookDelivery.due_at)).select_from(WebhookDelivery)
            )
    except (DBAPIError, ConsentError):
        return
    lag = (now() - oldest).total_seconds() if oldest is not None else 0.0
    yield gauge("consent_unsealed_records", "Records that wait to be sealed.", count)
    yield gauge("consent_unsealed_seconds", "Age of the oldest of them.", max(lag, 0.0))
    yield gauge("consent_webhooks_waiting", "Webhooks that have not arrived yet.", waiting or 0)


def process_gauges(database: Database) -> Iterator[Family]:
    """Give versions, and what the process uses; names as Prometheus' own clients have them."""
    kind = "sqlite" if database.is_sqlite else "postgresql"
    yield gauge(
        "consent_build_info",
        "Always 1; the labels are the versions.",
        1,
        version=__version__,
        python=platform.python_version(),
        database=kind,
    )
    yield gauge("process_start_time_seconds", "Start of the process (Unix time).", _STARTED)
    used = time.process_time()
    yield Family(
        "process_cpu_seconds_total", "counter", "CPU time of the process.", [Sample("", {}, used)]
    )
    yield gauge("process_resident_memory_bytes", "Memory of the process.", _resident_bytes())
    if _DESCRIPTORS.exists():
        opened = sum(1 for _ in _DESCRIPTORS.iterdir())
        yield gauge("process_open_fds", "Open file descriptors.", opened)


def _resident_bytes() -> int:
    """Return the memory in use; where there is no /proc, the most that ever was."""
    if _STATUS.exists():
        return int(_STATUS.read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024
